"""Asynchronous successive halving (Li et al. 2020, arXiv:1810.05934): the best of a rung go on at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from nas.searching.strategies import Action, Continue, Strategy
from nas.searching.strategies.standing import standing, waits_at
from nas.study.history import History, Trial
from nas.study.objective import Objective


@dataclass(frozen=True)
class AsynchronousHalving:
    """Goes on with the best paused trial that is among the best of its rung, else begins another network.

    No worker ever waits for others, and a paused trial goes on from its checkpoint.

    Args:
        proposing: what proposes networks.
        objectives: by which they are ranked.
        rungs: how many there are.
        share: one of so many goes on from each rung.
    """

    proposing: Strategy
    objectives: Sequence[Objective]
    rungs: int
    share: int = 4

    def next(self, history: History, running: int, generator: Random) -> Action:
        """The trial to go on with, or the network to begin."""
        for rung in reversed(range(self.rungs - 1)):
            trial = self._promoted(history, rung)
            if trial is not None:
                return Continue(trial.number, rung + 1)
        return self.proposing.next(history, running, generator)

    def _promoted(self, history: History, rung: int) -> Trial | None:
        """The best trial of a rung that may go on and has not yet."""
        scored = standing(history, self.objectives, rung)
        best = scored[: len(scored) // self.share]
        return next((trial for trial in best if waits_at(trial, rung)), None)
