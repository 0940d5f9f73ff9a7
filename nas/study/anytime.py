"""What a study would have returned at any moment, read off its history."""

from collections.abc import Sequence
from dataclasses import dataclass

from nas.study.history import History, Run, Split, State, Trial
from nas.study.objective import Objective


@dataclass(frozen=True)
class Step:
    """A moment from which on another trial was the best: what runs had taken by then, in seconds, and its value."""

    seconds: float
    trial: int
    value: float


def anytime(history: History, objectives: Sequence[Objective]) -> list[Step]:
    """The best complete trial after every run that gave a better one, by the seconds that all runs took.

    Seconds of runs are counted, not those of the clock: so studies compare whatever the number of their workers, and
    whenever they were stopped and went on.
    """
    runs = [(run, trial) for trial in history.trials for run in trial.runs if _is_over(run)]
    runs.sort(key=lambda pair: (_moment(pair[0]), pair[0].id))
    goal, spent, steps = objectives[0], 0.0, list[Step]()
    for run, trial in runs:
        spent += run.seconds or 0.0
        value = _value(run, trial, goal)
        if value is not None and (not steps or _is_better(value, steps[-1].value, goal)):
            steps.append(Step(spent, trial.number, value))
    return steps


def best_at(steps: Sequence[Step], seconds: float) -> float | None:
    """What was the best after so many seconds of runs; None before the first."""
    reached = [step.value for step in steps if step.seconds <= seconds + 1e-9]
    return reached[-1] if reached else None


def spent(history: History) -> float:
    """Seconds that all runs of the search took."""
    return sum(run.seconds or 0.0 for trial in history.trials for run in trial.runs if _is_over(run))


def _is_over(run: Run) -> bool:
    return run.key.split is Split.SEARCH and run.finished is not None


def _moment(run: Run) -> float:
    return run.finished.timestamp() if run.finished else 0.0


def _value(run: Run, trial: Trial, goal: Objective) -> float | None:
    """What a run has reached, if it was trained to the end."""
    return goal.value(trial.as_of(run.key.rung)) if run.state is State.COMPLETE else None


def _is_better(one: float, other: float, goal: Objective) -> bool:
    return one > other if goal.direction == "maximize" else one < other
