"""Case by case: the best network against the one that it is held against."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nas.report.figures import Missing
from nas.report.figures._look import BLUE, GREY, ORANGE, axis, figure, plain
from nas.report.material import Material
from nas.report.table import Table
from nas.report.table import table as table_of
from nas.wording import metric_name

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

PLACE, TITLE, HEIGHT = 94, "Case by case", 460


@dataclass(frozen=True)
class CasePair:
    """What both networks reach on a case, in the mean over its classes."""

    case: str
    winner: float
    rival: float | None


@dataclass(frozen=True)
class Cases:
    """All cases, the best network's worst first."""

    pairs: tuple[CasePair, ...]
    winner: str
    rival: str | None
    metric: str


def values(material: Material) -> Cases | Missing:
    """The cases that the search validated on."""
    own, other = material.scores_of(material.winner), material.scores_of(material.rival)
    if own is None or material.winner is None:
        return Missing("Single cases were not measured, or no network is trained to the end yet.")
    beside = {} if other is None else dict(zip(other.cases, other.by_case.tolist(), strict=True))
    pairs = [
        CasePair(case, value, beside.get(case))
        for case, value in zip(own.cases, own.by_case.tolist(), strict=True)
        if value == value
    ]
    if not pairs:
        return Missing("No case has a structure to be scored.")
    rival = material.name(material.rival) if material.rival is not None and beside else None
    ordered = tuple(sorted(pairs, key=lambda pair: (pair.winner, pair.case)))
    return Cases(ordered, material.name(material.winner), rival, material.metric)


def words(values: Cases) -> str:
    """On how many cases the best network is better, and the worst case."""
    worst = values.pairs[0]
    text = f"{values.winner} is worst on {worst.case}: {metric_name(values.metric)} {worst.winner:.4f}."
    compared = [pair for pair in values.pairs if pair.rival is not None]
    if compared and values.rival is not None:
        better = sum(pair.winner > (pair.rival or 0.0) for pair in compared)
        text += f" It is better than {values.rival} on {better} of {len(compared)} cases, those above the line."
    return text


def table(values: Cases) -> Table:
    """A row for each case."""
    columns = ["case", f"{values.metric} of {values.winner}"]
    if values.rival is None:
        return table_of(columns, [(pair.case, pair.winner) for pair in values.pairs])
    columns += [f"{values.metric} of {values.rival}", "difference"]
    return table_of(
        columns,
        [(p.case, p.winner, p.rival, None if p.rival is None else p.winner - p.rival) for p in values.pairs],
    )


def draw(values: Cases) -> "Figure":
    """A point for each case; without a second network, a mark for each."""
    from plotly.graph_objects import Scatter

    name = metric_name(values.metric)
    pairs = [pair for pair in values.pairs if pair.rival is not None]
    if values.rival is None or not pairs:
        strip = Scatter(
            x=list(range(1, len(values.pairs) + 1)),
            y=[pair.winner for pair in values.pairs],
            mode="markers",
            marker={"color": ORANGE, "size": 9},
            hovertext=[f"{plain(pair.case)}: {pair.winner:.4f}" for pair in values.pairs],
            hoverinfo="text",
        )
        return figure([strip], xaxis=axis("Cases, the worst first"), yaxis=axis(name), showlegend=False)
    reached = [number for pair in pairs for number in (pair.winner, pair.rival or 0.0)]
    margin = max((max(reached) - min(reached)) * 0.06, 0.002)
    ends = [min(reached) - margin, max(reached) + margin]
    equal = Scatter(x=ends, y=ends, mode="lines", line={"color": GREY, "dash": "dash"}, name="equal", hoverinfo="skip")
    traces = [equal]
    for label, colour, symbol, chosen in (
        ("the best is better", ORANGE, "star", [pair for pair in pairs if pair.winner > (pair.rival or 0.0)]),
        ("the best is not better", BLUE, "square", [pair for pair in pairs if pair.winner <= (pair.rival or 0.0)]),
    ):
        traces.append(
            Scatter(
                x=[pair.rival for pair in chosen],
                y=[pair.winner for pair in chosen],
                mode="markers",
                marker={"color": colour, "symbol": symbol, "size": 9, "opacity": 0.85},
                name=f"{label} ({len(chosen)})",
                hovertext=[f"{plain(p.case)}<br>{p.winner:.4f} against {p.rival:.4f}" for p in chosen],
                hoverinfo="text",
            )
        )
    return figure(
        traces,
        xaxis=axis(f"{name} of {plain(values.rival, 40)}", range=ends),
        yaxis=axis(f"{name} of {plain(values.winner, 40)}", range=ends),
        hovermode="closest",
    )
