"""What is traded: the first objective against the second, or against the size of networks where there is one."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nas.report.figures import Missing
from nas.report.figures._look import BRIEF, PURPLE, axis, figure, marks, plain
from nas.report.material import Material, Role
from nas.report.pareto import axes_of, front_of
from nas.report.table import Table
from nas.report.table import table as table_of
from nas.study.history import State
from nas.wording import metric_name, short_count

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

PLACE, TITLE, HEIGHT = 10, "What is traded for what", 460


@dataclass(frozen=True)
class Point:
    """A network: what it has reached, what it costs, and the third objective where there is one.

    whole: whether it was trained to the end; what others reached is no match for it.
    """

    trial: int
    name: str
    role: Role
    value: float
    cost: float
    third: float | None
    on_front: bool
    whole: bool = True


@dataclass(frozen=True)
class Front:
    """All networks that were scored; the names of what is shown."""

    points: tuple[Point, ...]
    value: str
    cost: str
    third: str | None


def values(material: Material) -> Front | Missing:
    """Every network as a point, with what it reached when it was last scored."""
    first, second = axes_of(material.goals)
    third = material.goals[2] if len(material.goals) > 2 else None
    front = {trial.number for trial in front_of(material)}
    points = []
    for trial in material.order:
        value, cost = first.value(trial), second.value(trial)
        if value is not None and cost is not None:
            more = third.value(trial) if third else None
            facts = material.name(trial), material.role(trial), value, cost, more
            points.append(Point(trial.number, *facts, trial.number in front, trial.state is State.COMPLETE))
    if not front:
        return Missing("No network is trained to the end yet.")
    return Front(tuple(points), first.metric, second.metric, third.metric if third else None)


def words(values: Front) -> str:
    """How many networks no other one beats in both."""
    front = _along(values)
    cheapest, best = front[0], front[-1]
    cost, value = _cost_name(values.cost), metric_name(values.value)
    if len(front) == 1:
        return (
            f"{cheapest.name} is best in both, {value} and {cost}: no other network that was trained to the end is on "
            "the front."
        )
    whole = sum(point.whole for point in values.points)
    ends = [f"{point.name} ({point.value:.4f}, {short_count(point.cost)})" for point in (cheapest, best)]
    return (
        f"{len(front)} of {whole} networks that were trained to the end are on the front: no other one is better in "
        f"both {value} and {cost}. It goes from {ends[0]} to {ends[1]}. Choose a point to see its network."
    )


def table(values: Front) -> Table:
    """A row for each network, those on the front first."""
    columns = ["trial", "network", "kind", values.value, values.cost, *([values.third] if values.third else ())]
    order = sorted(values.points, key=lambda point: not point.on_front)
    rows = [
        [
            p.trial,
            p.name,
            str(p.role),
            p.value,
            p.cost,
            *([p.third] if values.third else ()),
            "yes" if p.on_front else "",
            "yes" if p.whole else "",
        ]
        for p in order
    ]
    return table_of([*columns, "on the front", "trained to the end"], rows)


def draw(values: Front) -> "Figure":
    """Points by what they are, and a line along the front."""
    from plotly.graph_objects import Scatter

    front = _along(values)
    line = Scatter(
        x=[point.cost for point in front],
        y=[point.value for point in front],
        mode="lines",
        line={"color": PURPLE, "width": 2, "shape": "hv"},
        name="front",
        hoverinfo="skip",
    )
    traces = [line]
    groups = [(False, Role.SEARCHED), (True, Role.SEARCHED), (True, Role.PUBLISHED), (True, Role.WINNER)]
    for whole, role in groups:
        points = [p for p in values.points if p.whole is whole and (p.role is role or not whole)]
        if points:
            traces.append(
                Scatter(
                    x=[point.cost for point in points],
                    y=[point.value for point in points],
                    mode="markers",
                    marker=(marks(role) | _coloured(values, points)) if whole else BRIEF,
                    name=str(role) if whole else "stopped early, as it was then",
                    customdata=[point.trial for point in points],
                    hovertext=[_hover(values, point) for point in points],
                    hoverinfo="text",
                )
            )
    costs = [point.cost for point in values.points]
    scale = {"type": "log", "dtick": "D2"} if min(costs) > 0 and max(costs) > 3 * min(costs) else {}
    return figure(
        traces,
        xaxis=axis(_cost_axis(values.cost), tickformat="~s", **scale),
        yaxis=axis(metric_name(values.value)),
        hovermode="closest",
    )


def _along(values: Front) -> list[Point]:
    """The front, from the first network that `not_beaten` names to the last: by cost."""
    return sorted((point for point in values.points if point.on_front), key=lambda point: (point.cost, point.value))


def _coloured(values: Front, points: list[Point]) -> dict[str, object]:
    """The third objective as colour."""
    if values.third is None:
        return {}
    known = [point.third for point in values.points if point.third is not None]
    bar = {"title": {"text": metric_name(values.third)}} if points[0].role is Role.SEARCHED else None
    range_ = {"cmin": min(known, default=0), "cmax": max(known, default=1)}
    return {"color": [p.third for p in points], "colorscale": "Cividis", "colorbar": bar, "opacity": 1.0, **range_}


def _hover(values: Front, point: Point) -> str:
    lines = [
        f"<b>{plain(point.name)}</b>" + ("" if point.whole else ", stopped early"),
        f"{metric_name(values.value)} {point.value:.4f}",
        f"{short_count(point.cost)} {_cost_name(values.cost)}" if values.cost != "seconds" else f"{point.cost:.0f} s",
    ]
    if values.third and point.third is not None:
        lines.append(f"{metric_name(values.third)} {point.third:.4g}")
    return "<br>".join(lines)


def _cost_name(metric: str) -> str:
    names = {"macs": "multiply-accumulates", "training_bytes": "bytes to train", "seconds": "training time"}
    return names.get(metric, metric_name(metric))


def _cost_axis(metric: str) -> str:
    names = {
        "parameters": "Parameters",
        "macs": "Multiply-accumulates a patch",
        "training_bytes": "Memory to train a patch (bytes)",
        "seconds": "Training time (s)",
    }
    return names.get(metric, metric_name(metric))
