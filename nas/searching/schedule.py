"""How a time is divided: many networks trained briefly, a few of them further, and the finalists to full length."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from nas.study.history import History, Run

ETA = 4
"""How many times longer each rung is than the one before, and how many times fewer networks reach it."""
FINALISTS = 2
"""Networks trained to full length: the winner, and the best published network, which it is held against."""
BRIEFEST = 15.0
"""Seconds that a first rung takes at least: what a network shows before that says little of it."""
BRIEFEST_OF_FEW = 3.0
"""The same where the user wants so few networks that one rung before the last is all there is room for."""
_FEWER = 2
"""How many times fewer networks begin than would give each rung as much time: what time lets go on returns more than
further networks do, where all are trained for minutes."""
_MOST_RUNGS = 6
_LONGEST_GAP = 120.0
"""Seconds between two runs of a worker that still count as one search."""
_SHARE = 0.97
"""Of the time, what is planned with; the rest is for what lies between runs."""


@dataclass(frozen=True)
class Schedule:
    """The rungs of a search by time.

    Args:
        seconds: of the whole search.
        length: seconds of a training of full length, validation included.
        rungs: lengths at which networks are compared, as shares of the full length; the last one is 1.
        survivors: how many networks are expected to reach each rung, those that begin first.
        workers: how many train at once.
        set_up: seconds of the user's budget that no run takes: before the first, and after the last.
        afresh: whether trainings of full length begin anew, not from the rung before.
    """

    seconds: float
    length: float
    rungs: tuple[float, ...]
    survivors: tuple[int, ...]
    workers: int = 1
    set_up: float = 0.0
    afresh: bool = False

    @property
    def first(self) -> float:
        """Seconds of a run to the first rung."""
        return self.rungs[0] * self.length

    def climb(self, rung: int) -> float:
        """Seconds of a run that goes on to a rung from the one before."""
        if self.afresh and rung == len(self.rungs) - 1:
            return self.length
        return (self.rungs[rung] - self.rungs[rung - 1]) * self.length

    def waves(self, runs: int) -> int:
        """How often all workers train one run each until so many are trained."""
        return math.ceil(runs / self.workers)

    @property
    def planned(self) -> float:
        """Seconds until as many as are expected have reached each rung."""
        climbs = range(1, len(self.rungs))
        first = self.waves(self.survivors[0]) * self.first
        return first + sum(self.waves(self.survivors[rung]) * self.climb(rung) for rung in climbs)

    def used(self, history: History) -> float:
        """The share of the time that is over: what runs of the search have taken, and what lay between them."""
        return (sum(run.seconds or 0.0 for run in runs_of(history)) + between(history)) / self.workers / self.seconds

    def given(self, budget: float) -> "Schedule":
        """The same for a study that is given so much time in all, where that is more: of trainings of equal length."""
        return replace(self, seconds=max(budget - self.set_up, self.seconds))

    def to_json(self) -> dict[str, Any]:
        """The schedule as plain JSON."""
        return asdict(self)

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> "Schedule":
        """The schedule that `to_json` wrote."""
        lists = {name: tuple(document[name]) for name in ("rungs", "survivors")}
        return Schedule(**{**document, **lists})

    @staticmethod
    def of(plan: Mapping[str, Any]) -> "Schedule | None":
        """The schedule in what a study keeps of its plan; None where it has none."""
        document = plan.get("schedule")
        return None if document is None else Schedule.from_json(document)


def runs_of(history: History) -> list[Run]:
    """The runs that the search's time goes into, in the order in which they began."""
    return sorted((run for trial in history.trials for run in trial.line), key=lambda run: (run.started, run.id))


def between(history: History) -> float:
    """Seconds that workers have spent between runs, as on proposals; longer pauses are searches that were stopped."""
    ended: dict[str | None, datetime] = {}
    seconds = 0.0
    for run in runs_of(history):
        if run.worker in ended:
            gap = (run.started - ended[run.worker]).total_seconds()
            seconds += gap if 0 < gap < _LONGEST_GAP else 0.0
        if run.finished is not None:
            ended[run.worker] = run.finished
    return seconds


def fit_schedule(seconds: float, *, workers: int = 1, trials: int | None = None, afresh: bool = False) -> Schedule:
    """Divide a time among networks: as many rungs as leave the first one long enough to tell networks apart.

    Successive halving (Jamieson and Talwalkar, arXiv:1502.07943) as one bracket, so that what is returned was trained
    to a length that the time allows.

    Args:
        seconds: that all workers train.
        workers: how many train at once.
        trials: most networks that are wanted; None for as many as there is time for.
        afresh: whether trainings of full length begin anew.
    """
    brackets = math.ceil(workers / FINALISTS)  # so that all workers have a finalist to train
    for number in range(_MOST_RUNGS, 1, -1):
        begun = brackets * ETA ** (number - 1) // (1 if number == 2 else _FEWER)
        wanted = begun if trials is None else min(begun, trials)
        if wanted <= brackets * ETA ** (number - 2):
            continue  # fewer rungs do for so few networks
        schedule = _with_rungs(seconds, number, wanted, workers, afresh)
        if schedule.first >= (BRIEFEST_OF_FEW if number == 2 and trials is not None else BRIEFEST):
            return schedule
    return _with_rungs(seconds, 1, workers if trials is None else min(workers, trials), workers, False)


def survivors_of(begun: int, rungs: int, workers: int = 1) -> tuple[int, ...]:
    """How many of so many networks reach each rung: one of a few goes on, as many as finalists and workers at least."""
    least = max(FINALISTS, workers)
    further = (min(max(math.ceil(begun / ETA**rung), least), begun) for rung in range(1, rungs))
    return (begun, *further)


def _with_rungs(seconds: float, number: int, begun: int, workers: int, afresh: bool) -> Schedule:
    rungs = tuple(float(ETA) ** (rung + 1 - number) for rung in range(number))
    unit = Schedule(seconds, 1.0, rungs, survivors_of(begun, number, workers), workers, afresh=afresh)
    return replace(unit, length=seconds * _SHARE / unit.planned)
