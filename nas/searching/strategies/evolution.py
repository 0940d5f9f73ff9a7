"""Regularised evolution (Real et al. 2019, arXiv:1802.01548): the best of a few of the latest is changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from nas.searching.candidates import Candidates
from nas.searching.strategies import Action, Start, Strategy
from nas.study.history import History
from nas.study.objective import Objective, ranked


@dataclass(frozen=True)
class Evolution:
    """Changes one decision of the best of some trials drawn from the latest ones.

    Args:
        candidates: what is proposed from.
        objectives: by which trials are ranked.
        beginning: what proposes until there is a population.
        population: how many of the latest trials may have children; those before have aged.
        drawn: of how many drawn from them the best is the parent.
    """

    candidates: Candidates
    objectives: Sequence[Objective]
    beginning: Strategy
    population: int = 20
    drawn: int = 5

    def next(self, history: History, running: int, generator: Random) -> Action:
        """A child, or what the beginning says."""
        best = ranked(history, self.objectives)
        if len(best) < self.population:
            return self.beginning.next(history, running, generator)
        latest = sorted(trial.number for trial in best)[-self.population :]
        drawn = generator.sample(latest, min(self.drawn, len(latest)))
        parent = next(trial for trial in best if trial.number in drawn)
        return Start(self.candidates.mutate(parent.decisions or {}, generator), parent=parent.number)
