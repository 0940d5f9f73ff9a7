"""The search beside random search at the same cost, as far as the study knows what random networks reach."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nas.report.chance import First, chance, firsts
from nas.report.figures import Missing
from nas.report.figures._look import GREY, ORANGE, axis, figure, plain
from nas.report.figures.progress import expected_best
from nas.report.material import Material
from nas.report.table import Table
from nas.report.table import table as table_of
from nas.wording import counted, duration, metric_name, percent, readable

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

PLACE, TITLE, HEIGHT = 22, "Beside random search", 380
_FEWEST = 3
"""Random networks below which nothing is said."""


@dataclass(frozen=True)
class Moment:
    """The best by then, after so many first trainings that took so many seconds in all."""

    number: float
    seconds: float
    best: float


@dataclass(frozen=True)
class Beside:
    """The search, and random search: as far as `random` goes it is known, from its end on it is at least so good.

    drawn: how many random networks that is from. study: that they are from, "" for this one. share: of a whole training
    that the first one is. each: seconds of a random network's.
    """

    search: tuple[Moment, ...]
    random: tuple[Moment, ...]
    drawn: int
    each: float
    study: str
    share: float
    metric: str


def values(material: Material) -> Beside | Missing:
    """The best so far after each first training, and what random search would have on average after as much time."""
    goal = material.goals[0]
    sign = 1 if goal.direction == "maximize" else -1
    drawn = material.chance or chance(material.settings, material.history)
    reached = [sign * first.value for first in drawn.networks if first.value is not None]
    search = tuple(_best_so_far(list(firsts(material.history, goal)), sign))
    if not search:
        return Missing("No network has been scored yet.")
    if len(reached) < _FEWEST:
        return Missing(
            f"This search drew {counted(len(reached), 'network')} at random: too few to say what random search would "
            "have reached. A study of random search on the same data can be put beside it: nas report --random STUDY."
        )
    # One that came to nothing took its time, and is never the best.
    tried = [*reached, *[min(reached)] * (len(drawn.networks) - len(reached))]
    random = tuple(Moment(count, count * drawn.seconds, sign * best) for count, best in expected_best(tried))
    share = material.settings.share(0)
    return Beside(search, random, len(reached), drawn.seconds, drawn.study, share, material.metric)


def _best_so_far(tried: Sequence[First], sign: int) -> list[Moment]:
    moments: list[Moment] = []
    spent, best = 0.0, None
    for number, first in enumerate(tried, 1):
        spent += first.seconds
        if first.value is not None:
            best = sign * first.value if best is None else max(best, sign * first.value)
        if best is not None:
            moments.append(Moment(number, spent, sign * best))
    return moments


def words(values: Beside) -> str:
    """What both have, what random search is taken from, and how far it goes."""
    last, end = values.search[-1], values.random[-1]
    name = metric_name(values.metric)
    then = next((moment for moment in reversed(values.search) if moment.seconds <= end.seconds), values.search[0])
    whose = f"of study {readable(values.study)}" if values.study else "that this search drew before it learnt anything"
    text = (
        f"After {duration(end.seconds)} of such trainings random search has {name} {end.best:.4f} on average, and this "
        f"search had {then.best:.4f}. Random search is taken from {values.drawn} random networks {whose}: the best of "
        f"the first of them, on average over all their orders, each at the {duration(values.each)} that one took."
    )
    if end.seconds < last.seconds:
        text += (
            f" The search went on to {last.best:.4f} in {duration(last.seconds)}; there the line of random search is "
            f"level and dotted, which is the least that it would have had, for {values.drawn} networks do not say what "
            "more of them would reach."
        )
    if values.share < 1:
        text += (
            f" All this is after the first {percent(values.share)} of a training, which every network had; how the "
            "best were trained on is not part of it."
        )
    return text


def table(values: Beside) -> Table:
    """Rows of the search, then those of random search."""
    columns = ("search", "trainings", "training so far (s)", f"best {values.metric}")
    rows = [(name, m.number, m.seconds, m.best) for name, moments in _both(values) for m in moments]
    return table_of(columns, rows)


def _both(values: Beside) -> list[tuple[str, tuple[Moment, ...]]]:
    return [("this search", values.search), ("random search, on average", values.random)]


def draw(values: Beside) -> "Figure":
    """Two lines over time, the second one level and dotted where nothing is known of it."""
    from plotly.graph_objects import Scatter

    longest = max(values.search[-1].seconds, values.random[-1].seconds)
    divisor, unit = (3600, "hours") if longest >= 7200 else (60, "minutes") if longest >= 120 else (1, "seconds")
    end = values.random[-1]
    lines = [
        (values.search, "this search", {"color": ORANGE, "width": 2.5, "shape": "hv"}),
        (values.random, _named(values), {"color": GREY, "width": 2.5, "dash": "dash"}),
    ]
    if end.seconds < values.search[-1].seconds:
        level = (end, Moment(end.number, values.search[-1].seconds, end.best))
        lines.append((level, "at least so good", {"color": GREY, "width": 2, "dash": "dot"}))
    traces = [
        Scatter(
            x=[moment.seconds / divisor for moment in moments],
            y=[moment.best for moment in moments],
            mode="lines",
            line=look,
            name=name,
            hovertext=[f"{name}<br>{metric_name(values.metric)} {m.best:.4f}<br>{m.number} trainings" for m in moments],
            hoverinfo="text",
        )
        for moments, name, look in lines
    ]
    return figure(
        traces,
        xaxis=axis(f"Time of first trainings in all ({unit})"),
        yaxis=axis(f"Best {metric_name(values.metric)} after the first training"),
        hovermode="closest",
    )


def _named(values: Beside) -> str:
    return f"random search, on average{f' ({plain(values.study, 24)})' if values.study else ''}"
