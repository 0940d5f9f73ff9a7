"""What networks reached by what was chosen once for all of them: depth, stem, bridge, decoder, norm, and so on."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nas.report.figures import Missing
from nas.report.figures._choices import elsewhere
from nas.report.figures._look import BLUE, GREY, axis, figure, plain
from nas.report.figures.levels import FEWEST
from nas.report.material import Material
from nas.report.table import Table
from nas.report.table import table as table_of
from nas.wording import metric_name

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

PLACE, TITLE, HEIGHT = 75, "What each option reached", 620
_OPTIONS = 9
"""A choice of more options is a scale, which parallel coordinates show."""
_SHOWN = 36
_WORTH = 3
"""Networks that an option must have to be shown."""


@dataclass(frozen=True)
class Option:
    """An option and what the networks that have it reached: quartiles and the best."""

    choice: str
    option: str
    networks: int
    low: float
    median: float
    high: float
    best: float


@dataclass(frozen=True)
class Options:
    """Choice by choice, those that matter most first."""

    options: tuple[Option, ...]
    metric: str
    stage: str


def values(material: Material) -> Options | Missing:
    """The options of all choices that stand once in a network."""
    sample = material.sample
    if len(sample.trials) < FEWEST:
        return Missing(f"With {len(sample.trials)} networks {sample.stage} there is little to compare.")
    reached: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for trial in sample.trials:
        value = material.value(trial)
        for path, option in elsewhere(trial):
            if value is not None:
                reached[path][str(option)].append(value)
    maximized = material.goals[0].direction == "maximize"
    choices = []
    for path, options in reached.items():
        rows = [_option(path, name, values, maximized) for name, values in options.items() if len(values) >= _WORTH]
        if len(rows) > 1 and len(options) <= _OPTIONS:
            choices.append(sorted(rows, key=lambda row: _as_number(row.option)))
    if not choices:
        return Missing("No choice has two options that enough networks had.")
    choices.sort(key=_difference, reverse=True)
    return Options(tuple(row for rows in choices for row in rows), material.metric, sample.stage)


def _option(path: str, name: str, values: Sequence[float], maximized: bool) -> Option:
    low, middle, high = (float(part) for part in np.quantile(values, (0.25, 0.5, 0.75)))
    return Option(path, name, len(values), low, middle, high, max(values) if maximized else min(values))


def _difference(rows: Sequence[Option]) -> float:
    return max(row.median for row in rows) - min(row.median for row in rows)


def _as_number(option: str) -> tuple[float, str]:
    try:
        return float(option), ""
    except ValueError:
        return float("inf"), option


def words(values: Options) -> str:
    """The choice whose options differ most."""
    first = [option for option in values.options if option.choice == values.options[0].choice]
    best, worst = max(first, key=lambda o: o.median), min(first, key=lambda o: o.median)
    return (
        f"Options differ most in {first[0].choice}: the median {metric_name(values.metric)} of networks "
        f"{values.stage} is {best.median:.4f} with {best.option} ({best.networks} networks) and "
        f"{worst.median:.4f} with {worst.option} ({worst.networks}). "
        "Networks with one option differ in others too, so this is no proof of a cause."
    )


def table(values: Options) -> Table:
    """A row for each option."""
    columns = ("choice", "option", "networks", "lower quartile", "median", "upper quartile", "best")
    return table_of(
        columns, [(o.choice, o.option, o.networks, o.low, o.median, o.high, o.best) for o in values.options]
    )


def draw(values: Options) -> "Figure":
    """The median of each option with the quartiles, and the best."""
    from plotly.graph_objects import Scatter

    shown = _whole(values.options)
    names = [f"{plain(option.choice, 30)} = {plain(option.option, 16)} ({option.networks})" for option in shown]
    hovers = [
        f"{name}<br>median {o.median:.4f} ({o.low:.4f} to {o.high:.4f})" for name, o in zip(names, shown, strict=True)
    ]
    middle = Scatter(
        x=[option.median for option in shown],
        y=names,
        mode="markers",
        marker={"color": BLUE, "size": 9},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [option.high - option.median for option in shown],
            "arrayminus": [option.median - option.low for option in shown],
            "color": BLUE,
            "thickness": 2,
            "width": 0,
        },
        name="median, middle half",
        hovertext=hovers,
        hoverinfo="text",
    )
    best = Scatter(
        x=[option.best for option in shown],
        y=names,
        mode="markers",
        marker={"color": GREY, "size": 8, "symbol": "line-ns-open", "line": {"width": 2}},
        name="best",
        hovertext=[f"best {option.best:.4f}" for option in shown],
        hoverinfo="text",
    )
    changes = [n - 0.5 for n in range(1, len(shown)) if shown[n].choice != shown[n - 1].choice]
    lines = [
        {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y, "line": {"color": GREY, "width": 0.5}}
        for y in changes
    ]
    return figure(
        [middle, best],
        xaxis=axis(metric_name(values.metric)),
        yaxis=axis("", autorange="reversed", type="category", tickfont={"size": 11}),
        shapes=lines,
        hovermode="closest",
    )


def _whole(options: Sequence[Option]) -> list[Option]:
    """As many choices as there is room for, none cut."""
    shown: list[Option] = []
    for path in dict.fromkeys(option.choice for option in options):
        rows = [option for option in options if option.choice == path]
        if len(shown) + len(rows) > _SHOWN:
            break
        shown += rows
    return shown
