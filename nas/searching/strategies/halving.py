"""Successive halving by time: train many networks briefly, the best of them further, the finalists to full length.

Jamieson and Talwalkar, arXiv:1502.07943; that the rungs resume from checkpoints and that a published network is among
the finalists is ours.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from statistics import mean

from nas.searching.schedule import Schedule, between
from nas.searching.strategies import Action, Continue, Done, Start, Strategy, Wait
from nas.searching.strategies.standing import rung_of, standing, under_way
from nas.study.history import TRAINED, UNDERWAY, History, State, Trial
from nas.study.objective import Objective

_LOST = frozenset({State.DIVERGED, State.INFEASIBLE, State.FAILED})


@dataclass(frozen=True)
class Halving:
    """Starts what another strategy proposes while there is time to explore, then lets the best climb, rung by rung.

    Exploring ends where what is left of the time is needed to train those that climb. Of those that reach a rung so
    many go on as the schedule says, the best published network always among them. What is left in the end is spent on
    the next best. The time that is used is what the history says that runs have taken.
    """

    strategy: Strategy
    schedule: Schedule
    objectives: Sequence[Objective]

    def next(self, history: History, running: int, generator: Random) -> Action:
        """Start, continue, wait, or the end."""
        ended: Action = Done()
        if self._may_explore(history):
            ended = self.strategy.next(history, running, generator)
            if isinstance(ended, Start) or (isinstance(ended, Done) and ended.fault):
                return ended
        for rung in range(1, len(self.schedule.rungs)):
            if under_way(history, rung - 1):
                return Wait()  # whoever goes on is chosen among all that reach a rung
            waiting = next(self._climbing(history, rung), None)
            if waiting is not None:
                return Continue(waiting.number, rung)
        if running:
            return Wait()
        return self._with_what_is_left(history) or (ended if isinstance(ended, Done) else Done())

    def left(self, history: History) -> float:
        """Seconds that are left to each worker, once those that are under way will have reached their rungs."""
        spent = sum(self._cost(trial) for trial in history.trials) + between(history)
        return self.schedule.seconds - spent / self.schedule.workers

    def _cost(self, trial: Trial) -> float:
        """Seconds that a trial has taken, and will have taken where it is under way."""
        spent = sum(run.seconds or 0.0 for run in trial.line)
        if trial.state not in UNDERWAY:
            return spent
        return spent + (self.schedule.climb(rung_of(trial)) if rung_of(trial) else self.schedule.first)

    def _may_explore(self, history: History) -> bool:
        """Whether there is time for one more network beside what those that climb will need."""
        climbs = range(1, len(self.schedule.rungs))
        beside = self._beside(history)
        needed = sum(self._still_needed(history, rung, beside) for rung in climbs)
        if any(rung_of(trial) > 0 for trial in history.trials):
            # They climb already: what is new must have the time to climb as well.
            needed += sum(self.schedule.climb(rung) for rung in climbs)
        return self.left(history) - needed >= self._cost_of_another(history)

    def _cost_of_another(self, history: History) -> float:
        """Seconds of each worker that one more network costs: nobody climbs before it has reached the first rung.

        Where some have begun together and other workers are free, these would have to wait all the same.
        """
        begun, workers = sum(rung_of(trial) >= 0 for trial in history.trials), self.schedule.workers
        return self.schedule.first * (workers - begun % workers) / workers

    def _still_needed(self, history: History, rung: int, beside: float) -> float:
        begun = sum(rung_of(trial) >= rung for trial in history.trials)
        missing = max(self.schedule.survivors[rung] - begun, 0)
        return self.schedule.waves(missing) * (self.schedule.climb(rung) + beside)

    def _beside(self, history: History) -> float:
        """Seconds that a run takes beside its training, as building and scoring its network: as runs have shown."""
        firsts = [trial.as_of(0) for trial in history.trials if rung_of(trial) >= 0]
        beyond = [trial.seconds - self.schedule.first for trial in firsts if trial.state in TRAINED]
        return max(mean(beyond), 0.0) if beyond else 0.0

    def _climbing(self, history: History, rung: int) -> Iterator[Trial]:
        """Those that are to go on to a rung and have not begun to."""
        reached = self._standing(history, rung)
        chosen = reached[: self.schedule.survivors[rung]]
        published = next((trial for trial in reached if trial.reference is not None), None)
        if published is not None and not any(trial.reference for trial in chosen):
            chosen = [*chosen[: max(len(chosen) - 1, 1)], published]
        return (trial for trial in chosen if rung_of(trial) < rung)

    def _standing(self, history: History, rung: int) -> list[Trial]:
        """Trials in the order in which they stood at the rung before, but for those that were lost further up."""
        alive = (trial for trial in history.trials if trial.refusal is None and trial.state not in _LOST)
        return standing(History(tuple(alive)), self.objectives, rung - 1)

    def _with_what_is_left(self, history: History) -> Continue | None:
        """The next best, as far up as there is time to train it to full length."""
        last = len(self.schedule.rungs) - 1
        for rung in range(last, 0, -1):
            needed = sum(self.schedule.climb(step) for step in range(rung, last + 1))
            if self.left(history) < needed:
                continue
            for trial in self._standing(history, rung):
                if rung_of(trial) < rung:
                    return Continue(trial.number, rung)
        return None
