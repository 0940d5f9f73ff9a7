"""What the best network reaches of each class, beside the one that it is held against."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nas.confirming import mean_interval
from nas.report.figures import Missing
from nas.report.figures._look import BLUE, ORANGE, axis, figure, plain
from nas.report.material import CaseScores, Material
from nas.report.table import Table
from nas.report.table import table as table_of
from nas.study.history import Trial
from nas.wording import metric_name

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

PLACE, TITLE, HEIGHT = 92, "Class by class", 360


@dataclass(frozen=True)
class Row:
    """What a network reaches of a class: the mean over its cases with a 95% interval, NaN where there are too few."""

    target: str
    network: str
    mean: float
    low: float
    high: float
    cases: int


@dataclass(frozen=True)
class Classes:
    """A row for each class and network."""

    rows: tuple[Row, ...]
    metric: str


def values(material: Material) -> Classes | Missing:
    """Means over the cases that the search validated on."""
    rows: list[Row] = []
    for trial in (material.winner, material.rival):
        scores = material.scores_of(trial)
        if trial is not None and scores is not None:
            rows += _rows(material, trial, scores)
    if not rows:
        return Missing("Single cases were not measured, or no network is trained to the end yet.")
    return Classes(tuple(rows), material.metric)


def _rows(material: Material, trial: Trial, scores: CaseScores) -> list[Row]:
    names = [*material.targets, *(f"target {n + 1}" for n in range(len(material.targets), scores.values.shape[1]))]
    rows = []
    for index in range(scores.values.shape[1]):
        column = scores.values[:, index]
        cases = int((column == column).sum())
        if not cases:
            continue
        interval = mean_interval(column, resamples=1999)
        rows.append(Row(names[index], material.name(trial), interval.estimate, interval.low, interval.high, cases))
    return rows


def words(values: Classes) -> str:
    """The hardest class of the best network."""
    own = [row for row in values.rows if row.network == values.rows[0].network]
    hardest = min(own, key=lambda row: row.mean)
    return (
        f"{own[0].network} is weakest on {hardest.target}: {metric_name(values.metric)} {hardest.mean:.4f} "
        f"({hardest.low:.4f} to {hardest.high:.4f} with 95% confidence) over {hardest.cases} cases that have it."
    )


def table(values: Classes) -> Table:
    """A row for each class and network."""
    columns = ("class", "network", f"mean {values.metric}", "from", "to", "cases")
    return table_of(columns, [(r.target, r.network, r.mean, r.low, r.high, r.cases) for r in values.rows])


def draw(values: Classes) -> "Figure":
    """Means with their intervals."""
    from plotly.graph_objects import Scatter

    traces = []
    networks = list(dict.fromkeys(row.network for row in values.rows))
    targets = list(dict.fromkeys(row.target for row in values.rows))
    for number, (network, colour, symbol) in enumerate(zip(networks, (ORANGE, BLUE), ("star", "square"), strict=False)):
        rows = [row for row in values.rows if row.network == network]
        traces.append(
            Scatter(
                x=[row.mean for row in rows],
                y=[targets.index(row.target) + 0.14 * (1 if number else -1) for row in rows],
                mode="markers",
                marker={"color": colour, "symbol": symbol, "size": 11},
                error_x={
                    "type": "data",
                    "symmetric": False,
                    "array": [row.high - row.mean if row.high == row.high else 0 for row in rows],
                    "arrayminus": [row.mean - row.low if row.low == row.low else 0 for row in rows],
                    "color": colour,
                },
                name=plain(network),
                hovertext=[f"{plain(row.target)}: {row.mean:.4f} ({row.low:.4f} to {row.high:.4f})" for row in rows],
                hoverinfo="text",
            )
        )
    ticks = {"tickvals": list(range(len(targets))), "ticktext": [plain(target, 30) for target in targets]}
    return figure(
        traces,
        xaxis=axis(f"{metric_name(values.metric)}, mean over cases with 95% interval"),
        yaxis=axis("", range=[len(targets) - 0.5, -0.5], **ticks),
        hovermode="closest",
    )
