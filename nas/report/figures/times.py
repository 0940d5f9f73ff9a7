"""Where the time went."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from nas.report.figures import Missing
from nas.report.figures._look import BANDS, axis, figure
from nas.report.material import Material
from nas.report.table import Table
from nas.report.table import table as table_of
from nas.study.history import Run, Split, State, Trial
from nas.wording import duration

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

PLACE, TITLE, HEIGHT = 90, "Where the time went", 340
_PAUSE = 300.0
"""Seconds without a training after which a worker is taken to have been away."""
_BETWEEN = "between trainings: proposing, reading, writing"


@dataclass(frozen=True)
class Part:
    """Seconds that went into something, over so many trainings."""

    name: str
    seconds: float
    runs: int


@dataclass(frozen=True)
class Times:
    """All parts, and the time from the first beginning to the last end."""

    parts: tuple[Part, ...]
    from_first_to_last: float


def values(material: Material) -> Times | Missing:
    """The seconds of all runs by what came of them."""
    seconds: dict[str, float] = defaultdict(float)
    runs: dict[str, int] = defaultdict(int)
    for trial in material.history.trials:
        for run in trial.runs:
            if run.seconds:
                name = _kind(material, trial, run)
                seconds[name] += run.seconds
                runs[name] += 1
    if not seconds:
        return Missing("No training has ended yet.")
    between = sum(_gaps(material))
    if between > 0:
        seconds[_BETWEEN] = between
    parts = sorted((Part(name, spent, runs[name]) for name, spent in seconds.items()), key=lambda part: -part.seconds)
    return Times(tuple(parts), _span(material))


def _kind(material: Material, trial: Trial, run: Run) -> str:
    if run not in trial.line:
        return "other folds and seeds" if run.key.split is Split.SEARCH else "confirming on held-out cases"
    match run.state:
        case State.COMPLETE:
            return "published networks" if trial.reference else "networks trained to the end"
        case State.PAUSED:
            went_on = any(other.key.rung > run.key.rung for other in trial.line)
            return "short trainings that went on" if went_on else "short trainings that ended there"
        case State.DIVERGED:
            return "networks that diverged"
    return "trainings without a result"


def _runs(material: Material) -> list[Run]:
    return [run for trial in material.history.trials for run in trial.runs if run.finished is not None]


def _gaps(material: Material) -> Iterator[float]:
    """Seconds between trainings of one worker, breaks left out."""
    by_worker: dict[object, list[tuple[float, float]]] = defaultdict(list)
    for run in _runs(material):
        if run.finished is not None and run.seconds:
            end = run.finished.timestamp()
            by_worker[run.worker_id or run.worker].append((end - run.seconds, end))
    for spans in by_worker.values():
        spans.sort()
        for (_, end), (start, _) in pairwise(spans):
            if 0 < start - end < _PAUSE:
                yield start - end


def _span(material: Material) -> float:
    runs = _runs(material)
    if not runs:
        return 0.0
    ends = [run.finished.timestamp() for run in runs if run.finished is not None]
    return max(ends) - min(run.started.timestamp() for run in runs)


def words(values: Times) -> str:
    """The time in all, and the largest part."""
    total = sum(part.seconds for part in values.parts)
    first = values.parts[0]
    return (
        f"{duration(total)} of work in {duration(values.from_first_to_last)} from the first beginning to the last end. "
        f"Most went into {first.name}: {duration(first.seconds)}, {first.seconds / total:.0%}."
    )


def table(values: Times) -> Table:
    """A row for each part."""
    return table_of(("what", "seconds", "trainings"), [(p.name, p.seconds, p.runs or None) for p in values.parts])


def draw(values: Times) -> "Figure":
    """A bar for each part."""
    from plotly.graph_objects import Bar

    parts = values.parts[::-1]
    longest = max(part.seconds for part in parts)
    divisor, unit = (3600, "hours") if longest >= 7200 else (60, "minutes") if longest >= 120 else (1, "seconds")
    total = sum(part.seconds for part in parts)
    bar = Bar(
        x=[part.seconds / divisor for part in parts],
        y=[part.name for part in parts],
        orientation="h",
        marker={"color": BANDS[0]},
        text=[f"{duration(part.seconds)}, {part.seconds / total:.0%}" for part in parts],
        textposition="auto",
        cliponaxis=False,
        hovertext=[f"{part.name}<br>{part.runs} trainings" if part.runs else part.name for part in parts],
        hoverinfo="text",
    )
    return figure([bar], xaxis=axis(f"Time ({unit})"), yaxis=axis(""), showlegend=False)
