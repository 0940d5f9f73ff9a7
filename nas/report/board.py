"""A search at a glance while it runs: what a terminal shows, as plain values read off the history."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from nas.study.history import TRAINED, UNDERWAY, History, Run, State, Trial
from nas.study.objective import Objective, ranked
from nas.study.settings import StudySettings
from nas.wording import counted, readable

_RECENT = 3
_MANY_LOST = 3


@dataclass(frozen=True)
class Named:
    """A network, what it reached and how large it is."""

    name: str
    value: float
    parameters: int | None
    whole: bool = True


@dataclass(frozen=True)
class Rung:
    """A length of training: how many stand on it, how many went on from it, how many are in training for it."""

    share: float
    standing: int
    went_on: int
    running: int


@dataclass(frozen=True)
class Underway:
    """A network in training: for which share of the whole, how far, and since how many seconds."""

    trial: int
    name: str
    share: float
    epoch: int | None
    value: float | None
    seconds: float


@dataclass(frozen=True)
class Ended:
    """A network whose training has ended: what it reached, or in a word what became of it."""

    name: str
    value: float | None
    share: float
    word: str


@dataclass(frozen=True, kw_only=True)
class Board:
    """All that is shown. numbers: of trials by what became of them. progress: the best so far after each training."""

    study: str
    space: str
    data: str
    metric: str
    wanted: int
    trials: int
    trained: int
    complete: int
    refused: int
    lost: int
    best: Named | None
    published: Named | None
    rungs: tuple[Rung, ...]
    underway: tuple[Underway, ...]
    waiting: int
    recent: tuple[Ended, ...]
    progress: tuple[float, ...]
    warnings: tuple[str, ...]
    seconds: float


def board(settings: StudySettings, history: History, now: datetime, wanted: int = 0) -> Board:
    """How a search stands.

    Args:
        settings: of its study.
        history: what is known.
        now: the moment, for how long trainings have been running.
        wanted: networks that are to be trained in all, 0 if nobody has said.
    """
    goal = settings.goals[0]
    ended = history.ended_runs()
    return Board(
        study=readable(settings.name),
        space=readable(settings.space),
        data=readable(settings.data),
        metric=goal.metric,
        wanted=0 if settings.plan.get("schedule") else wanted,  # a search by time has no such number
        trials=len(history.trials),
        trained=len(history.in_state(*TRAINED)),
        complete=len(history.in_state(State.COMPLETE)),
        refused=sum(trial.refusal is not None for trial in history.trials),
        lost=sum(trial.state in (State.FAILED, State.DIVERGED) for trial in history.trials),
        best=_named(_best(history, goal), goal),
        published=_named(_best(History(history.published), goal), goal),
        rungs=tuple(_rungs(settings, history)),
        underway=tuple(_underway(settings, history, goal, now)),
        waiting=len(history.in_state(State.WAITING)),
        recent=tuple(_told(settings, trial, run, goal) for trial, run in ended[-_RECENT:][::-1]),
        progress=tuple(_progress(settings, ended, goal)),
        warnings=tuple(readable(warning) for warning in _warnings(settings, history)),
        seconds=sum(trial.seconds for trial in history.trials),
    )


def _best(history: History, goal: Objective) -> Trial | None:
    """Of those that were trained longest the best, by the first objective."""
    return next(iter(ranked(history, [goal])), None)


def _named(trial: Trial | None, goal: Objective) -> Named | None:
    value = None if trial is None else goal.value(trial)
    if trial is None or value is None:
        return None
    return Named(_name(trial), value, trial.parameters, trial.state is State.COMPLETE)


def _name(trial: Trial) -> str:
    return readable(trial.reference or f"trial {trial.number}")


def _rungs(settings: StudySettings, history: History) -> Iterator[Rung]:
    furthest = [trial.latest for trial in history.trials if trial.latest is not None]
    for number, share in enumerate(settings.rungs):
        here = [run for run in furthest if run.key.rung == number]
        running = sum(run.state in UNDERWAY for run in here)
        yield Rung(share, len(here) - running, sum(run.key.rung > number for run in furthest), running)


def _underway(settings: StudySettings, history: History, goal: Objective, now: datetime) -> Iterator[Underway]:
    for trial in history.in_state(State.RUNNING):
        run = trial.latest
        assert run is not None
        values = {point.metric: point for point in run.curve}
        point = values.get(f"training_{goal.metric}")
        epoch = max((point.epoch for point in run.curve), default=None)
        since = max((now - run.started).total_seconds(), 0.0)
        yield Underway(
            trial.number,
            _name(trial),
            settings.share(run.key.rung),
            epoch,
            None if point is None else point.value,
            since,
        )


def _told(settings: StudySettings, trial: Trial, run: Run, goal: Objective) -> Ended:
    value = goal.value(trial.as_of(run.key.rung)) if run.state in (State.COMPLETE, State.PAUSED) else None
    return Ended(_name(trial), value, settings.share(run.key.rung), str(run.state))


def _progress(settings: StudySettings, ended: list[tuple[Trial, Run]], goal: Objective) -> Iterator[float]:
    sign = 1 if goal.direction == "maximize" else -1
    best: tuple[float, float] | None = None
    for trial, run in ended:
        value = goal.value(trial.as_of(run.key.rung))
        if run.state in (State.COMPLETE, State.PAUSED) and value is not None:
            reached = (settings.share(run.key.rung), sign * value)
            best = reached if best is None else max(best, reached)
            yield sign * best[1]


def _warnings(settings: StudySettings, history: History) -> Iterator[str]:
    """What somebody should know who may want to end the search, or mend something."""
    if settings.synthetic:
        yield "synthetic data: the figures say nothing about real scans"
    failed, diverged = history.in_state(State.FAILED), history.in_state(State.DIVERGED)
    if failed:
        yield f"{counted(len(failed), 'training')} failed, the last: {failed[-1].cause}"
    trained = len(history.in_state(*TRAINED))
    if len(diverged) >= _MANY_LOST and len(diverged) * 3 > trained:
        yield f"{len(diverged)} of {trained} networks diverged: a lower learning rate may find more"
    refused = [trial for trial in history.trials if trial.refusal is State.INFEASIBLE]
    if len(refused) >= _MANY_LOST and not trained:
        yield f"{len(refused)} networks are over a limit, the last: {refused[-1].cause}"
    memory = sum("out_of_memory" in trial.constraints for trial in history.trials)
    if memory:
        yield f"{counted(memory, 'network')} ran out of memory: --max-memory refuses such ones before they train"
    best = _best(history, settings.goals[0])
    if best is not None and best.explanation:
        yield f"{_name(best)}: {best.cause}"
