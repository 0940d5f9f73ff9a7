"""Optuna's tree-structured Parzen estimator (Bergstra 2011, Watanabe 2304.11127) as a strategy."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from nas.errors import InputError
from nas.searching.candidates import Candidates
from nas.searching.strategies import Action, Start
from nas.searching.strategies.parzen import STARTUP, Suggestions
from nas.searching.strategies.seen_by_optuna import (
    as_optuna_sees_it,
    at_the_first_rung,
    decided,
    informative,
    new_study,
)
from nas.study.history import UNDERWAY, History, Trial
from nas.study.objective import Objective, fronts

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

BLOCK = 48
"""The estimator looks at one to two such blocks of trials, so that its cost does not grow with the study."""


@dataclass
class TreeParzen:
    """Proposes what Optuna's sampler proposes, from a study in memory that grows with the history.

    Trials are told as they stood at the first rung, where all of them compare. The sampler is made anew for each
    proposal, from the generator alone; the study holds what the history says, in the order in which results came. So
    the action depends on nothing else, and what is remembered here only saves time.
    """

    candidates: Candidates
    objectives: Sequence[Objective]
    _memory: "_Memory | None" = field(default=None, repr=False)
    _kept: tuple[list[int], frozenset[int]] = field(default=([], frozenset()), repr=False)
    """Of which trials the best and the latest are known, and which these are."""

    def next(self, history: History, running: int, generator: Random) -> Action:
        """Decisions that the sampler proposes."""
        import optuna

        begun = at_the_first_rung(history)
        memory = self._remembered(begun)
        study = memory.study
        under_way = [trial for trial in begun.in_state(*UNDERWAY) if trial.decisions is not None]
        ghosts = [added.number for trial in under_way if (added := memory.add(self._as_seen(trial))) is not None]
        sampler = optuna.samplers.TPESampler(
            seed=generator.randrange(2**32), constant_liar=bool(ghosts), n_startup_trials=STARTUP
        )
        study.sampler = sampler
        asked = study.ask().number
        suggestions = Suggestions(study, sampler, study.get_trials(deepcopy=False)[asked], memory.shared, generator)
        decisions = decided(self.candidates, suggestions)
        for number in (asked, *ghosts):  # what is under way may end otherwise than it looks now
            study.tell(number, state=optuna.trial.TrialState.FAIL)
        return Start(decisions)

    def _remembered(self, begun: History) -> "_Memory":
        """Optuna's study of the trials that it should look at."""
        chosen = self._chosen(informative(begun))
        numbers = [trial.number for trial in chosen]
        before = self._memory
        if before is not None and before.numbers == numbers[: len(before.numbers)]:
            memory = before
        else:
            memory = self._memory = _Memory(new_study(self.objectives))
        for trial in chosen[len(memory.numbers) :]:
            known = before is not None and trial.number in before.seen
            memory.tell(trial.number, before.seen[trial.number] if before and known else self._as_seen(trial))
        return memory

    def _chosen(self, told: list[Trial]) -> list[Trial]:
        """What the sampler looks at: of all but the last unfinished block the best and the latest, and what came after.

        It changes only by growing, but when a block is full.
        """
        settled = len(told) // BLOCK * BLOCK
        if settled <= BLOCK:
            return told
        first = told[:settled]
        numbers = [trial.number for trial in first]
        if self._kept[0] != numbers:
            self._kept = numbers, _worth_seeing(first, self.objectives)
        return [trial for trial in first if trial.number in self._kept[1]] + told[settled:]

    def _as_seen(self, trial: Trial) -> "FrozenTrial | None":
        """The trial as the sampler sees it; None where it is no member of the space (any more)."""
        try:
            return as_optuna_sees_it(trial, self.candidates, self.objectives)
        except (InputError, ValueError, KeyError):
            return None


@dataclass
class _Memory:
    """What the sampler was told, in order."""

    study: "optuna.Study"
    seen: "dict[int, FrozenTrial | None]" = field(default_factory=dict)
    """By the number that the history gives a trial."""
    shared: "dict[str, BaseDistribution]" = field(default_factory=dict)
    """The decisions that all of them share."""

    @property
    def numbers(self) -> list[int]:
        """The trials that were told."""
        return list(self.seen)

    def tell(self, number: int, template: "FrozenTrial | None") -> None:
        """Tell of one more trial that has ended."""
        is_first = not any(self.seen.values())
        self.seen[number] = template
        if template is not None:
            self.add(template)
            theirs = template.distributions
            kept = {name: one for name, one in self.shared.items() if theirs.get(name) == one}
            self.shared = dict(theirs) if is_first else kept

    def add(self, template: "FrozenTrial | None") -> "FrozenTrial | None":
        """Add a trial to the study, and return it as it stands there."""
        if template is None:
            return None
        self.study.add_trial(template)
        return self.study.get_trials(deepcopy=False)[-1]


def _worth_seeing(trials: Sequence[Trial], objectives: Sequence[Objective]) -> frozenset[int]:
    """The best and the latest of trials that are given in order, by their numbers: a block in all."""
    best = {trial.number for trial in _best_first(trials, objectives)[: BLOCK // 2]}
    latest = [trial.number for trial in trials if trial.number not in best][-(BLOCK - len(best)) :]
    return frozenset(best.union(latest))


def _best_first(trials: Sequence[Trial], objectives: Sequence[Objective]) -> list[Trial]:
    """By Pareto rank, then by the first objective; what has no score comes last."""
    losses = {trial.number: objectives[0].loss(trial) for trial in trials}
    scored = [trial for trial in trials if math.isfinite(losses[trial.number])]
    places = {trial.number: place for place, front in enumerate(fronts(scored, objectives)) for trial in front}
    return sorted(trials, key=lambda trial: (places.get(trial.number, math.inf), losses[trial.number], trial.number))
