"""Local search (White et al. 2020, arXiv:2005.02960): the neighbours of the best, then those of the next best."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from nas.searching.candidates import Candidates
from nas.searching.strategies import Action, Start, Strategy
from nas.study.history import Document, History
from nas.study.objective import Objective, ranked

_TRIES = 30
"""Changes of a network that are tried before its neighbours count as known."""


@dataclass(frozen=True)
class LocalSearch:
    """Changes one decision of the best network that has a neighbour which is not known.

    Args:
        candidates: what is proposed from.
        objectives: by which trials are ranked.
        beginning: what proposes until so many trials have ended.
        first: so many.
    """

    candidates: Candidates
    objectives: Sequence[Objective]
    beginning: Strategy
    first: int = 10

    def next(self, history: History, running: int, generator: Random) -> Action:
        """A neighbour of the best, or what the beginning says."""
        best = ranked(history, self.objectives)
        if len(best) < self.first:
            return self.beginning.next(history, running, generator)
        known = {_name(trial.decisions or {}) for trial in history.trials}
        for parent in best:
            for _ in range(_TRIES):
                decisions = self.candidates.mutate(parent.decisions or {}, generator)
                if _name(decisions) not in known:
                    return Start(decisions, parent=parent.number)
        return self.beginning.next(history, running, generator)


def _name(decisions: Document) -> frozenset[tuple[str, object]]:
    return frozenset(decisions.items())
