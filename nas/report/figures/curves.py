"""How networks learnt: loss and Dice on training patches, epoch by epoch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nas.report.figures import Missing
from nas.report.figures._look import COLOURS, axis, figure, plain
from nas.report.material import Material, Role
from nas.report.table import Table
from nas.report.table import table as table_of
from nas.study.history import Trial
from nas.wording import metric_name

if TYPE_CHECKING:
    from plotly.graph_objects import Figure, Scatter

PLACE, TITLE, HEIGHT = 50, "How the networks learnt", 420
_MOST = 120
"""Networks whose curves are drawn: more are a grey area."""
POINTS = 60
"""Of a curve; the eye sees no more."""


@dataclass(frozen=True)
class Curve:
    """What was measured of a network, by epoch."""

    trial: int
    name: str
    role: Role
    metric: str
    points: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Curves:
    """Of the networks shown. left_out: how many others have curves too."""

    curves: tuple[Curve, ...]
    metrics: tuple[str, ...]
    left_out: int


def values(material: Material) -> Curves | Missing:
    """The curves of the best, the published and some of all others."""
    measured = [trial for trial in material.history.trials if any(run.curve for run in trial.line)]
    chosen = _chosen(material, measured)
    metrics = tuple(metric for metric in ("loss", f"training_{material.metric}") if _any(material, chosen, metric))
    curves = tuple(curve for trial in chosen for metric in metrics for curve in _curves(material, trial, metric))
    if not curves:
        return Missing("Nothing was measured on the way.")
    return Curves(curves, metrics, len(measured) - len(chosen))


def curve_of(material: Material, trial: Trial, metric: str) -> tuple[tuple[int, float], ...]:
    """What was measured of a trial's training, rung after rung, thinned out."""
    points = {point.epoch: point.value for run in trial.line for point in run.curve if point.metric == metric}
    ordered = sorted((epoch, value) for epoch, value in points.items() if value == value)
    return tuple(thinned(ordered))


def thinned(points: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """So many of the points that their line looks the same, the first and the last among them."""
    if len(points) <= POINTS:
        return list(points)
    last = len(points) - 1
    return [points[round(number * last / (POINTS - 1))] for number in range(POINTS)]


def _chosen(material: Material, measured: Sequence[Trial]) -> list[Trial]:
    ranks = {trial.number: rank for rank, trial in enumerate(material.order)}
    order = sorted(measured, key=lambda trial: (trial.reference is None, ranks.get(trial.number, len(ranks))))
    return order[:_MOST]


def _any(material: Material, chosen: Sequence[Trial], metric: str) -> bool:
    return any(p.metric == metric for trial in chosen for run in trial.line for p in run.curve)


def _curves(material: Material, trial: Trial, metric: str) -> Iterator[Curve]:
    points = curve_of(material, trial, metric)
    if points:
        yield Curve(trial.number, material.name(trial), material.role(trial), metric, points)


def words(values: Curves) -> str:
    """Whose curves are shown."""
    trials = {curve.trial for curve in values.curves}
    text = f"{len(trials)} networks, the best in colour"
    text += f"; {values.left_out} more are left out" if values.left_out else ""
    return f"{text}. These are values on training patches: how whole cases are segmented is measured at the end."


def table(values: Curves) -> Table:
    """A row for each point."""
    columns = ("trial", "network", "metric", "epoch", "value")
    return table_of(columns, [(c.trial, c.name, c.metric, x, y) for c in values.curves for x, y in c.points])


def draw(values: Curves) -> "Figure":
    """A panel for each metric."""
    traces = []
    for panel, metric in enumerate(values.metrics):
        for role in (Role.SEARCHED, Role.PUBLISHED, Role.WINNER):
            curves = [curve for curve in values.curves if curve.role is role and curve.metric == metric]
            if curves:
                traces.append(_trace(curves, role, panel))
    two = len(values.metrics) > 1
    axes = {"xaxis": axis("Epoch", domain=[0, 0.46 if two else 1]), "yaxis": axis(_name(values.metrics[0]))}
    if two:
        axes["xaxis2"] = axis("Epoch", domain=[0.56, 1], anchor="y2")
        axes["yaxis2"] = axis(_name(values.metrics[1]), anchor="x2")
    return figure(traces, hovermode="closest", **axes)


def _trace(curves: Sequence[Curve], role: Role, panel: int) -> "Scatter":
    from plotly.graph_objects import Scatter

    points = [point for curve in curves for point in (*((x, y, curve) for x, y in curve.points), (None, None, None))]
    number = str(panel + 1) if panel else ""
    return Scatter(
        x=[x for x, _, _ in points],
        y=[None if y is None else float(f"{y:.4g}") for _, y, _ in points],
        customdata=[None if curve is None else curve.trial for _, _, curve in points],
        hovertext=["" if curve is None else f"{plain(curve.name)}: {y:.4g}" for _, y, curve in points],
        hoverinfo="text",
        mode="lines",
        line={"color": COLOURS[role], "width": 3 if role is Role.WINNER else 1.5 if role is Role.PUBLISHED else 1},
        opacity=0.35 if role is Role.SEARCHED else 0.95,
        name=str(role),
        legendgroup=str(role),
        showlegend=not panel,
        xaxis=f"x{number}",
        yaxis=f"y{number}",
    )


def _name(metric: str) -> str:
    inner = metric.removeprefix("training_")
    return "Loss" if metric == "loss" else f"{metric_name(inner)} on training patches"
