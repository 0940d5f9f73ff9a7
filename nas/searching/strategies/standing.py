"""How trials stood to each other at a rung, whatever came after."""

from collections.abc import Sequence

from nas.searching.strategies.spread import spread_out
from nas.study.history import UNDERWAY, History, State, Trial
from nas.study.objective import Objective, fronts, ranked


def standing(history: History, objectives: Sequence[Objective], rung: int) -> list[Trial]:
    """The trials that were scored at a rung, best first, as they stand now.

    With several objectives those of one Pareto rank are spread out, so that not all that go on are alike.
    """
    then = ranked(History(tuple(trial.as_of(rung) for trial in history.trials if rung_of(trial) >= rung)), objectives)
    if len(objectives) > 1:
        then = [trial for front in fronts(then, objectives) for trial in spread_out(front, objectives)]
    return [history.by_number[trial.number] for trial in then]


def rung_of(trial: Trial) -> int:
    """The furthest rung that a trial has begun to climb to; -1 where it was not trained."""
    return -1 if trial.refusal is not None or trial.latest is None else trial.latest.key.rung


def waits_at(trial: Trial, rung: int) -> bool:
    """Whether a trial is paused at a rung."""
    return rung_of(trial) == rung and trial.state is State.PAUSED


def under_way(history: History, rung: int) -> bool:
    """Whether any trial is being trained to a rung."""
    return any(trial.state in UNDERWAY and rung_of(trial) == rung for trial in history.trials)
