"""What is known already is not proposed again: a change of a good network takes its place."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from nas.searching.candidates import Candidates
from nas.searching.strategies import Action, Start, Strategy
from nas.searching.strategies.random import RandomSearch
from nas.study.history import Document, History, Trial
from nas.study.objective import Objective, ranked

_PARENTS = 10
"""Among so many of the best networks a parent is chosen."""
_TRIES = 25
_DRAWS = 40
"""With nine tenths of a space known, so many random networks are all known once in 70 times."""

Identify = Callable[[Document], tuple[str | None, str | None]]
"""Digests of network and recipe that decisions lead to; None where they lead to none."""


@dataclass(frozen=True)
class Novel:
    """Replaces proposals of networks that the study knows by changes of its best ones, as far as these are new."""

    strategy: Strategy
    candidates: Candidates
    identify: Identify
    objectives: Sequence[Objective]

    def next(self, history: History, running: int, generator: Random) -> Action:
        """What the other strategy says, or a change of a good network in place of one that is known."""
        action = self.strategy.next(history, running, generator)
        if not isinstance(action, Start) or action.reference is not None:
            return action
        known = {trial.training for trial in history.trials if trial.digest is not None}
        if self.identify(action.decisions) not in known:
            return action
        parents = [trial for trial in ranked(history, self.objectives) if trial.decisions is not None][:_PARENTS]
        return self._changed(parents, known, generator) or self._drawn(history, running, known, generator) or action

    def _changed(
        self, parents: Sequence[Trial], known: set[tuple[str | None, str | None]], generator: Random
    ) -> Start | None:
        for attempt in range(_TRIES if parents else 0):
            parent = generator.choice(parents)
            decisions = parent.decisions or {}
            for _ in range(1 + attempt // 5):  # further away where all that is near is known
                decisions = self.candidates.mutate(decisions, generator)
            digest, recipe_digest = self.identify(decisions)
            if digest is not None and (digest, recipe_digest) not in known:
                return Start(decisions, parent=parent.number)
        return None

    def _drawn(
        self, history: History, running: int, known: set[tuple[str | None, str | None]], generator: Random
    ) -> Action | None:
        """Any network that is not known, where those that are near the best are."""
        decided = [trial.decisions for trial in history.trials]
        for _ in range(_DRAWS):
            drawn = RandomSearch(self.candidates).next(history, running, generator)
            # Most are known by their decisions already, without tracing them.
            if isinstance(drawn, Start) and drawn.decisions not in decided:
                digest, recipe_digest = self.identify(drawn.decisions)
                if digest is not None and (digest, recipe_digest) not in known:
                    return drawn
        return None
