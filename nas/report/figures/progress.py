"""The best so far, by how many networks were trained and by how much training that took."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import exp, lgamma
from typing import TYPE_CHECKING, Any

from nas.report.figures import Missing
from nas.report.figures._look import BLUE, BRIEF, GREY, ORANGE, axis, figure, marks, plain
from nas.report.material import Material, Role
from nas.report.table import Table
from nas.report.table import table as table_of
from nas.study.history import State, Trial
from nas.wording import duration, metric_name, percent

if TYPE_CHECKING:
    from plotly.graph_objects import Figure, Scatter

PLACE, TITLE, HEIGHT = 20, "How the search got there", 430
_SHOWN = 100
"""Points of the line for a random order."""
_FEWEST = 5
_ROLES = (Role.SEARCHED, Role.PUBLISHED, Role.WINNER)
_BEST = {"color": ORANGE, "width": 2.5, "shape": "hv"}
_PUBLISHED = {"color": BLUE, "width": 1.5, "dash": "dash"}
_SHUFFLED = {"color": GREY, "width": 2, "dash": "dot"}


@dataclass(frozen=True)
class Step:
    """A network that was scored: the how manieth, after how much training in all, and the best by then.

    share: of the whole training that it had had.
    """

    number: int
    seconds: float
    trial: int
    name: str
    role: Role
    value: float
    best: float
    share: float = 1.0


@dataclass(frozen=True)
class Progress:
    """All steps. published: the best published network's value. shuffled: the best expected after so many of the same
    networks in random order."""

    steps: tuple[Step, ...]
    metric: str
    published: tuple[str, float] | None
    shuffled: tuple[tuple[int, float], ...]


def values(material: Material) -> Progress | Missing:
    """The runs that were scored in the order in which they ended.

    The best by then is what the search would have returned: of the networks that were trained longest, the best.
    """
    sign = 1 if material.goals[0].direction == "maximize" else -1
    steps: list[Step] = []
    spent, best = 0.0, (-1.0, 0.0)
    for trial, run in material.history.ended_runs():
        spent += run.seconds or 0.0
        value = material.goals[0].value(trial.as_of(run.key.rung))
        if run.state in (State.COMPLETE, State.PAUSED) and value is not None:
            share = material.settings.share(run.key.rung)
            best = max(best, (share, sign * value))
            facts = trial.number, material.name(trial), material.role(trial), value, sign * best[1], share
            steps.append(Step(len(steps) + 1, spent, *facts))
    if not steps:
        return Missing("No network has been scored yet.")
    reached = [sign * step.value for step in steps]
    comparable = len(steps) >= _FEWEST and len(material.settings.rungs) == 1
    shuffled = tuple((count, sign * value) for count, value in expected_best(reached)) if comparable else ()
    return Progress(tuple(steps), material.metric, _published(material, material.best_published), shuffled)


def expected_best(values: Sequence[float]) -> list[tuple[int, float]]:
    """The highest of so many of these values, drawn without putting back, on average."""
    ordered, total = sorted(values), len(values)
    step = max(total // _SHOWN, 1)
    counts = sorted({*range(1, total + 1, step), total})
    return [(count, _expected(ordered, count)) for count in counts]


def _expected(ordered: Sequence[float], count: int) -> float:
    total = len(ordered)
    # The highest of the drawn is the i-th lowest of all in C(i - 1, count - 1) of C(total, count) cases.
    chances = (exp(_choices(i - 1, count - 1) - _choices(total, count)) for i in range(count, total + 1))
    return sum(chance * value for chance, value in zip(chances, ordered[count - 1 :], strict=True))


def _choices(total: int, count: int) -> float:
    return lgamma(total + 1) - lgamma(count + 1) - lgamma(total - count + 1)


def _published(material: Material, trial: Trial | None) -> tuple[str, float] | None:
    value = None if trial is None else material.value(trial)
    return None if trial is None or value is None else (material.name(trial), value)


def words(values: Progress) -> str:
    """When the best was there, and when the best published network was passed."""
    last = values.steps[-1]
    first = next(step for step in values.steps if (step.value, step.best) == (last.best, last.best))
    text = (
        f"{first.name} came as number {first.number} of {last.number} trainings, after {duration(first.seconds)} of "
        f"{duration(last.seconds)} of training."
    )
    if values.shuffled:
        text += (
            " The dotted line is what the same networks would have shown on average in random order: a search that "
            "learns stays below it at first and ends with better networks. It is no random search."
        )
    return text + _outside(values)


def _outside(values: Progress) -> str:
    shown = _range(values)
    below = sum(step.value < shown[0] for step in values.steps) if shown else 0
    return f" Below what is shown lie {below} networks; a double click shows them." if below else ""


def table(values: Progress) -> Table:
    """A row for each network in the order of results."""
    columns = ("number", "training so far (s)", "trial", "network", "kind", "share of the whole training")
    rows = [(s.number, s.seconds, s.trial, s.name, str(s.role), s.share, s.value, s.best) for s in values.steps]
    return table_of((*columns, values.metric, f"best {values.metric}"), rows)


def draw(values: Progress) -> "Figure":
    """Two panels with one axis of values."""
    longest = values.steps[-1].seconds
    divisor, unit = (3600, "hours") if longest >= 7200 else (60, "minutes") if longest >= 120 else (1, "seconds")
    by_number = [float(step.number) for step in values.steps]
    by_time = [step.seconds / divisor for step in values.steps]
    traces = [trace for panel, x in (("", by_number), ("2", by_time)) for trace in _panel(values, panel, x)]
    if values.shuffled:
        shuffled = ([count for count, _ in values.shuffled], [value for _, value in values.shuffled])
        traces.append(_line(*shuffled, _SHUFFLED, "same networks, random order", ""))
    return figure(
        traces,
        xaxis=axis("Trainings", domain=[0, 0.48]),
        xaxis2=axis(f"Training time in all ({unit})", domain=[0.53, 1]),
        yaxis=axis(metric_name(values.metric), range=_range(values)),
        hovermode="closest",
    )


def _panel(values: Progress, panel: str, positions: list[float]) -> "Iterator[Scatter]":
    """The networks, the best so far and the best published network, over one axis of positions."""
    for whole, role in ((False, Role.SEARCHED), *((True, role) for role in _ROLES)):
        pairs = zip(positions, values.steps, strict=True)
        chosen = [(x, s) for x, s in pairs if (s.share >= 1) is whole and (s.role is role or not whole)]
        yield _networks(values, chosen, role, panel, whole=whole)
    best = [step.best for step in values.steps]
    yield _line(positions, best, _BEST, "best so far", panel, legendgroup="best", showlegend=not panel)
    if values.published is not None:
        name = f"best published: {plain(values.published[0], 24)}"
        ends, level = [positions[0], positions[-1]], [values.published[1]] * 2
        yield _line(ends, level, _PUBLISHED, name, panel, legendgroup="reference", showlegend=not panel)


def _networks(
    values: Progress, chosen: "list[tuple[float, Step]]", role: Role, panel: str, *, whole: bool
) -> "Scatter":
    from plotly.graph_objects import Scatter

    return Scatter(
        x=[x for x, _ in chosen],
        y=[step.value for _, step in chosen],
        mode="markers",
        marker=marks(role) if whole else BRIEF,
        name=str(role) if whole else "after a shorter training",
        legendgroup=f"{role} {whole}",
        showlegend=not panel and bool(chosen),
        xaxis=f"x{panel}",
        yaxis="y",
        customdata=[step.trial for _, step in chosen],
        hovertext=[_hover(values, step) for _, step in chosen],
        hoverinfo="text",
    )


def _line(
    x: Sequence[float], y: Sequence[float], line: Mapping[str, Any], name: str, panel: str, **options: Any
) -> "Scatter":
    from plotly.graph_objects import Scatter

    return Scatter(
        x=x, y=y, mode="lines", line=line, name=name, xaxis=f"x{panel}", yaxis="y", hoverinfo="skip", **options
    )


def _range(values: Progress) -> list[float] | None:
    """Where most networks are: some that learnt nothing should not press all others together."""
    reached = sorted(step.value for step in values.steps)
    low, high = reached[len(reached) // 10], reached[-1]
    margin = max((high - low) * 0.15, 1e-3)
    return [low - margin, high + margin] if len(reached) >= 20 and low - reached[0] > high - low else None


def _hover(values: Progress, step: Step) -> str:
    reached = f"{metric_name(values.metric)} {step.value:.4f}"
    return f"<b>{plain(step.name)}</b><br>{reached}<br>number {step.number}{_length(step)}"


def _length(step: Step) -> str:
    return "" if step.share >= 1 else f", after {percent(step.share)} of the training"
