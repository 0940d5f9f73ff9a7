"""Train all briefly, finish the best: the baseline that is hard to beat (arXiv:2307.15422, 2404.04111)."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from nas.searching.strategies import Action, Continue, Done, Start, Strategy, Wait
from nas.searching.strategies.standing import rung_of, standing, under_way, waits_at
from nas.study.history import History
from nas.study.objective import Objective


@dataclass(frozen=True)
class BriefThenBest:
    """Starts so many networks to the first rung, then goes on with the best of them to the last.

    Args:
        proposing: what proposes networks.
        objectives: by which they are ranked.
        many: how many are begun.
        finished: how many of them are finished.
    """

    proposing: Strategy
    objectives: Sequence[Objective]
    many: int
    finished: int

    def next(self, history: History, running: int, generator: Random) -> Action:
        """The next network to begin, then the next to finish."""
        if sum(rung_of(trial) >= 0 for trial in history.trials) < self.many:
            action = self.proposing.next(history, running, generator)
            if isinstance(action, Start | Wait):
                return action
        if under_way(history, 0):
            return Wait()
        for trial in standing(history, self.objectives, 0)[: self.finished]:
            if waits_at(trial, 0):
                return Continue(trial.number, 1)
        return Wait() if running else Done()
