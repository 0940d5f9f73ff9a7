"""Networks as lines through what was chosen, what they cost and what they reached."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10
from typing import TYPE_CHECKING, Any

from nas.report.figures import Missing, importance
from nas.report.figures._choices import depth
from nas.report.figures._look import BLUE, GREY, INK, ORANGE, figure, plain
from nas.report.material import Material, Role
from nas.report.table import Table
from nas.report.table import table as table_of
from nas.study.history import Trial
from nas.wording import metric_name, short_count

if TYPE_CHECKING:
    from plotly.graph_objects import Figure, Scatter

PLACE, TITLE, HEIGHT = 80, "Networks side by side", 460
_CHOICES = 4
_MOST = 300
"""Lines; of more nothing can be told."""
_TICKS = 8


@dataclass(frozen=True)
class Scale:
    """An axis: its name, and ticks as places from 0 to 1 with what stands there."""

    name: str
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class Line:
    """A network: what stands for it on each axis, and where; None where it has no such choice."""

    trial: int
    name: str
    role: Role
    leading: bool
    cells: tuple[Any, ...]
    places: tuple[float | None, ...]


@dataclass(frozen=True)
class Parallel:
    """All axes and lines."""

    scales: tuple[Scale, ...]
    lines: tuple[Line, ...]
    left_out: int
    stage: str


def values(material: Material) -> Parallel | Missing:
    """The best networks, as many as can be told apart, over the choices that mattered most."""
    sample = material.sample
    trials = sample.trials[:_MOST]
    if len(trials) < 2:
        return Missing("There are no two networks to put side by side yet.")
    columns: list[tuple[str, list[Any], bool]] = []
    for path in _choices(material):
        columns.append((path, [(trial.decisions or {}).get(path, "none there") for trial in trials], False))
    columns.insert(0, ("levels", [depth(trial) for trial in trials], False))
    columns.append(("parameters", [trial.parameters for trial in trials], True))
    columns.append(("training (s)", [trial.seconds or None for trial in trials], True))
    columns += [(metric_name(goal.metric), [goal.value(trial) for trial in trials], False) for goal in material.goals]
    kept = [(name, cells, *_placed(cells, log)) for name, cells, log in columns if len(set(map(str, cells))) > 1]
    if not kept:
        return Missing("The networks differ in nothing that could be shown.")
    leading = {trial.number for trial in material.leading()}
    lines = tuple(
        Line(
            trial.number,
            material.name(trial),
            material.role(trial),
            trial.number in leading,
            tuple(cells[row] for _, cells, _, _ in kept),
            tuple(places[row] for _, _, places, _ in kept),
        )
        for row, trial in enumerate(trials)
    )
    scales = tuple(Scale(name, ticks) for name, _, _, ticks in kept)
    return Parallel(scales, lines, len(sample.trials) - len(trials), sample.stage)


def _choices(material: Material) -> list[str]:
    """The most important choices that most networks have; before there is a word on importance, the first that vary."""
    values = importance.values(material)
    if isinstance(values, Missing):
        return [path for path in _first_paths(material.sample.trials) if path != "encoder.length"][:_CHOICES]
    common = [choice for choice in values.choices if choice.networks >= values.networks / 2]
    return [choice.path for choice in common if choice.path != "encoder.length"][:_CHOICES]


def _first_paths(trials: Sequence[Trial]) -> list[str]:
    shared = [path for path in trials[0].decisions or {} if all(path in (trial.decisions or {}) for trial in trials)]
    return [path for path in shared if len({str((trial.decisions or {})[path]) for trial in trials}) > 1]


def _placed(cells: Sequence[Any], log: bool) -> tuple[list[float | None], tuple[tuple[float, str], ...]]:
    numbers = [cell for cell in cells if isinstance(cell, int | float) and not isinstance(cell, bool)]
    others = {str(cell) for cell in cells if cell is not None and not (isinstance(cell, int | float))} | {
        str(cell) for cell in cells if isinstance(cell, bool)
    }
    if others or len(set(numbers)) == 1:
        return _by_name(cells)
    by = log10 if log and min(numbers) > 0 else float
    low, high = by(min(numbers)), by(max(numbers))
    width = (high - low) or 1.0
    places = [None if cell is None else (by(cell) - low) / width for cell in cells]
    distinct = sorted(set(numbers))
    if len(distinct) > _TICKS:
        distinct = [10 ** (low + width * n / 4) if by is log10 else low + width * n / 4 for n in range(5)]
    return places, tuple(((by(value) - low) / width, _short(value)) for value in distinct)


def _by_name(cells: Sequence[Any]) -> tuple[list[float | None], tuple[tuple[float, str], ...]]:
    names = sorted({str(cell) for cell in cells}, key=lambda name: (name == "none there", name))
    last = max(len(names) - 1, 1)
    return [names.index(str(cell)) / last for cell in cells], tuple((n / last, name) for n, name in enumerate(names))


def _short(value: float) -> str:
    return short_count(value) if value >= 1000 else f"{value:.3g}"


def words(values: Parallel) -> str:
    """How it is to be read."""
    leading = sum(line.leading for line in values.lines)
    text = (
        f"A line is a network {values.stage}; the best {leading} are blue, the winner orange. Where the "
        "blue lines run together the best networks agree."
    )
    return text + (f" The {values.left_out} worst networks are left out." if values.left_out else "")


def table(values: Parallel) -> Table:
    """A row for each network."""
    columns = ("trial", "network", *(scale.name for scale in values.scales))
    rows = [(line.trial, line.name, *(_cell(cell) for cell in line.cells)) for line in values.lines]
    return table_of(columns, rows)


def _cell(cell: Any) -> Any:
    return cell if cell is None or (isinstance(cell, int | float) and not isinstance(cell, bool)) else str(cell)


def draw(values: Parallel) -> "Figure":
    """Lines between upright axes."""
    groups = (
        ("others", GREY, 0.3, 1, [line for line in values.lines if not line.leading and line.role is not Role.WINNER]),
        ("the best fifth", BLUE, 0.65, 1.5, [x for x in values.lines if x.leading and x.role is not Role.WINNER]),
        ("the best", ORANGE, 1.0, 3.5, [line for line in values.lines if line.role is Role.WINNER]),
    )
    traces = [_trace(*group) for group in groups if group[-1]]
    count = len(values.scales)
    marks = [
        {
            "x": place, "y": at, "text": plain(text, 14), "showarrow": False, "xanchor": "left", "xshift": 4,
            "font": {"size": 10, "color": INK}, "bgcolor": "rgba(128,128,128,0.18)",
        }
        for place, scale in enumerate(values.scales)
        for at, text in scale.ticks[:14]
    ]  # fmt: skip
    rules = [
        {"type": "line", "x0": n, "x1": n, "y0": 0, "y1": 1, "line": {"color": GREY, "width": 1}} for n in range(count)
    ]
    return figure(
        traces,
        xaxis={
            "tickvals": list(range(count)),
            "ticktext": [_broken(scale.name) for scale in values.scales],
            "range": [-0.15, count - 0.35],
            "showgrid": False,
            "zeroline": False,
            "tickangle": 0,
            "tickfont": {"size": 11},
            "automargin": True,
        },
        yaxis={"visible": False, "range": [-0.06, 1.06]},
        annotations=marks,
        shapes=rules,
        hovermode="closest",
        margin={"l": 20, "r": 20, "t": 30, "b": 60},
    )


def _broken(path: str) -> str:
    return "<br>".join(plain(part, 20) for part in path.split(".")[-3:])


def _trace(name: str, colour: str, opacity: float, width: float, lines: Sequence[Line]) -> "Scatter":
    from plotly.graph_objects import Scatter

    x: list[float | None] = []
    y: list[float | None] = []
    trials: list[int | None] = []
    for line in lines:
        x += [*range(len(line.places)), None]
        y += [None if place is None else round(place, 4) for place in line.places] + [None]
        trials += [line.trial] * (len(line.places) + 1)
    names = {line.trial: plain(line.name) for line in lines}
    return Scatter(
        x=x,
        y=y,
        customdata=trials,
        hovertext=[names[trial] for trial in trials if trial is not None],
        hoverinfo="text",
        mode="lines",
        line={"color": colour, "width": width},
        opacity=opacity,
        name=name,
    )
