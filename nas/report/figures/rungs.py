"""Who went on: how many networks reached each rung, and what they had reached there."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from nas.report.figures import Missing
from nas.report.figures._look import BLUE, GREY, ORANGE, axis, figure
from nas.report.material import Material
from nas.report.table import Table
from nas.report.table import table as table_of
from nas.study.history import ENDED, Run, State, Trial
from nas.wording import metric_name, percent

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

PLACE, TITLE, HEIGHT = 40, "Who was trained on", 420


@dataclass(frozen=True)
class Rung:
    """A length of training, as a share of the whole; how many reached it, went on, and stand on it in training.

    values: of those that ended there or went on, the median and the best.
    """

    number: int
    share: float
    reached: int
    went_on: int
    running: int
    median: float | None
    best: float | None


@dataclass(frozen=True)
class Way:
    """A network's values at the rungs that it reached."""

    trial: int
    points: tuple[tuple[float, float], ...]
    to_the_end: bool


@dataclass(frozen=True)
class Rungs:
    """All rungs and ways."""

    rungs: tuple[Rung, ...]
    ways: tuple[Way, ...]
    metric: str


def values(material: Material) -> Rungs | Missing:
    """What stood on each rung of the search."""
    shares = material.settings.rungs
    if len(shares) < 2:
        return Missing("Every network was trained to the end: this study compares at no shorter length.")
    ways = tuple(_ways(material))
    if not ways:
        return Missing("No network has reached a rung yet.")
    return Rungs(tuple(_rung(material, number) for number in range(len(shares))), ways, material.metric)


def value_at(run: Run, metric: str) -> float | None:
    """What a run had reached at its rung: on whole cases, or where none were segmented there on training patches."""
    return run.values.get(metric, run.values.get(f"training_{metric}"))


def lines_of(material: Material) -> Iterator[tuple[Trial, tuple[Run, ...]]]:
    """The trials that were trained, with their runs rung after rung."""
    for trial in material.history.trials:
        line = trial.line
        if line:
            yield trial, line


def _ways(material: Material) -> Iterator[Way]:
    shares = material.settings.rungs
    for trial, line in lines_of(material):
        values = [(run, value_at(run, material.metric)) for run in line if run.state in ENDED]
        points = tuple((shares[run.key.rung], v) for run, v in values if v is not None and run.key.rung < len(shares))
        if points:
            yield Way(trial.number, points, trial.state is State.COMPLETE)


def _rung(material: Material, number: int) -> Rung:
    lines = [line for _, line in lines_of(material)]
    runs = [run for line in lines for run in line if run.key.rung == number]
    ended = [run for run in runs if run.state in ENDED]
    went_on = sum(any(run.key.rung > number for run in line) for line in lines)
    reached = [value for run in ended if (value := value_at(run, material.metric)) is not None]
    best = max if material.goals[0].direction == "maximize" else min
    return Rung(
        number,
        material.settings.rungs[number],
        len(ended),
        went_on,
        len(runs) - len(ended),
        median(reached) if reached else None,
        best(reached) if reached else None,
    )


def words(values: Rungs) -> str:
    """How many began and how many were trained to the end."""
    first, last = values.rungs[0], values.rungs[-1]
    steps = ", ".join(f"{rung.reached} reached {percent(rung.share)}" for rung in values.rungs)
    running = sum(rung.running for rung in values.rungs)
    text = f"Of {first.reached} networks that were trained briefly, {last.reached} were trained to the end: {steps}."
    return text + (f" {running} are in training." if running else "")


def table(values: Rungs) -> Table:
    """A row for each rung."""
    columns = ("rung", "share of the whole training", "reached", "went on", "in training")
    rows = [(r.number, r.share, r.reached, r.went_on, r.running, r.median, r.best) for r in values.rungs]
    return table_of((*columns, f"median {values.metric}", f"best {values.metric}"), rows)


def draw(values: Rungs) -> "Figure":
    """Bars of how many, and a line for each network."""
    from plotly.graph_objects import Bar, Scatter

    labels = [f"{percent(rung.share)}" for rung in values.rungs]
    numbers = [rung.went_on for rung in values.rungs]
    stayed = [rung.reached - rung.went_on for rung in values.rungs]
    last = len(labels) - 1
    bars = [
        Bar(x=labels, y=numbers, name="went on", marker={"color": BLUE}, text=[n or "" for n in numbers]),
        Bar(
            x=labels[:last],
            y=stayed[:last],
            name="stopped",
            marker={"color": GREY, "pattern": {"shape": "/"}},
            text=[n or "" for n in stayed[:last]],
        ),
        Bar(x=labels[last:], y=stayed[last:], name="trained to the end", marker={"color": ORANGE}, text=stayed[last:]),
    ]
    lines = []
    for to_the_end, colour, name in ((False, GREY, "stopped"), (True, ORANGE, "trained to the end")):
        ways = [way for way in values.ways if way.to_the_end is to_the_end]
        points = [point for way in ways for point in (*((x, y, way.trial) for x, y in way.points), (None, None, None))]
        lines.append(
            Scatter(
                x=[x for x, _, _ in points],
                y=[y for _, y, _ in points],
                customdata=[trial for _, _, trial in points],
                mode="lines+markers",
                line={"color": colour, "width": 1},
                marker={"size": 5, "symbol": "circle" if to_the_end else "x"},
                opacity=0.8 if to_the_end else 0.45,
                name=name,
                showlegend=False,
                hovertext=[f"trial {trial}: {y:.4f}" if y is not None else "" for _, y, trial in points],
                hoverinfo="text",
                xaxis="x2",
                yaxis="y2",
            )
        )
    return figure(
        [*bars, *lines],
        barmode="stack",
        xaxis=axis("Length of training", domain=[0, 0.44], type="category"),
        yaxis=axis("Networks"),
        xaxis2=axis(
            "Share of the whole training",
            domain=[0.56, 1],
            anchor="y2",
            type="log",
            tickvals=[rung.share for rung in values.rungs],
            ticktext=labels,
        ),
        yaxis2=axis(metric_name(values.metric), anchor="x2"),
        hovermode="closest",
    )
