"""A running search on one screen, or in one line."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from nas.wording import duration, metric_name, percent, short_count

if TYPE_CHECKING:
    from nas.report.board import Board, Ended, Named, Underway
    from nas.study.history import History
    from nas.study.settings import StudySettings

_BAR = 24
_CHART = (116, 4)
"""Columns at most and rows of the curve of the best so far."""
_MOST_UNDERWAY = 6
_MOST_WARNINGS = 4
_LABEL = 10
_STEPS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Time:
    """Seconds of the budget that are used, and that are left."""

    used: float
    left: float | None

    @property
    def share(self) -> float | None:
        """Of the whole that is used; None where the whole is not known."""
        whole = self.used + (self.left or 0.0)
        return None if self.left is None or whole <= 0 else self.used / whole


def time_of(settings: "StudySettings", history: "History", board: "Board") -> Time:
    """How much of its time a search has used: as its schedule says, else as its trainings so far let expect."""
    from nas.searching.schedule import Schedule

    schedule = Schedule.of(settings.plan)
    if schedule is not None:
        now = sum(network.seconds for network in board.underway) / schedule.workers
        used = schedule.used(history) * schedule.seconds + now
        return Time(used, max(schedule.seconds - used, 0.0))
    if not board.complete or not board.wanted:
        return Time(board.seconds, None)
    return Time(board.seconds, max(board.wanted - board.complete, 0) * board.seconds / board.complete)


def screen(board: "Board", time: Time, working: str = "", width: int = 80) -> RenderableType:
    """The board, no wider than so many columns."""
    grid = Table.grid(padding=(0, 1), expand=False)
    grid.add_column(width=_LABEL, style="dim")
    grid.add_column(width=max(min(width, 140) - _LABEL - 2, 20), no_wrap=True, overflow="ellipsis")
    for label, content in _rows(board, time, working, width):
        grid.add_row(label, content)
    title = Text(f"{board.study}: {board.space} on {board.data}", style="bold", no_wrap=True, overflow="ellipsis")
    return Group(title, grid)


def _rows(board: "Board", time: Time, working: str, width: int) -> Iterator[tuple[str, Text]]:
    yield "time", _time(time)
    yield "networks", _numbers(board)
    metric = metric_name(board.metric)
    yield "best", _named(board.best, metric) if board.best else Text("none yet")
    if board.published is not None and board.published != board.best:
        yield "published", _published(board, metric)
    if len(board.rungs) > 1:
        for index, line in enumerate(_rungs(board)):
            yield "" if index else "rungs", line
    for index, network in enumerate(board.underway[:_MOST_UNDERWAY]):
        yield "" if index else "training", _underway(network, metric)
    if len(board.underway) > _MOST_UNDERWAY:
        yield "", Text(f"and {len(board.underway) - _MOST_UNDERWAY} more", style="dim")
    if working:
        yield "now", Text(working)
    for index, ended in enumerate(board.recent):
        yield "" if index else "last", _ended(ended, metric)
    lines = chart(board.progress, min(_CHART[0], width - _LABEL - 12), _CHART[1])
    for index, row in enumerate(lines):
        yield "" if index else "so far", Text(row, style="cyan")
    for warning in board.warnings[:_MOST_WARNINGS]:
        yield "warning", Text(" ".join(warning.split()), style="yellow", no_wrap=False)


def _time(time: Time) -> Text:
    text = Text(duration(time.used))
    if time.left is None or time.share is None:
        return text.append(" of training")
    return text.append(" used  ").append(bar(time.share), style="cyan").append(f"  {duration(time.left)} left")


def _numbers(board: "Board") -> Text:
    text = Text(f"{board.trained} trained")
    if len(board.rungs) > 1:
        text.append(f", {board.complete} of them to the end")
    elif board.wanted:
        text = Text(f"{board.complete} of {board.wanted} trained  ")
        text.append(bar(board.complete / board.wanted), style="cyan")
    for number, words in ((board.refused, "known or over a limit"), (board.lost, "lost"), (board.waiting, "waiting")):
        if number:
            text.append(f"  {number} {words}", style="dim")
    return text


def _named(network: "Named", metric: str) -> Text:
    text = Text(f"{metric} ").append(f"{network.value:.4f}", style="bold").append(f"  {network.name}")
    if network.parameters:
        text.append(f"  {short_count(network.parameters)} parameters", style="dim")
    return text.append("" if network.whole else "  so far", style="dim")


def _published(board: "Board", metric: str) -> Text:
    assert board.published is not None
    text = _named(board.published, metric)
    if board.best is not None and board.best.whole == board.published.whole:
        text.append(f"  the best is {board.best.value - board.published.value:+.4f}", style="dim")
    return text


def _rungs(board: "Board") -> Iterator[Text]:
    most = max([rung.standing + rung.went_on + rung.running for rung in board.rungs] + [1])
    for rung in board.rungs:
        there = rung.standing + rung.went_on + rung.running
        text = Text(f"{percent(rung.share):>5}  ")
        text.append("█" * round(_BAR * there / most), style="cyan")
        text.append(f" {rung.standing} here" + (f", {rung.went_on} went on" if rung.went_on else ""))
        yield text.append(f", {rung.running} in training" if rung.running else "", style="bold")


def _underway(network: "Underway", metric: str) -> Text:
    text = Text(f"{network.name}  ")
    if network.share < 1:
        text.append(f"to {percent(network.share)}  ", style="dim")
    if network.epoch is not None:
        text.append(f"epoch {network.epoch}  ")
    if network.value is not None:
        text.append(f"{metric} {network.value:.3f} on patches  ")
    return text.append(duration(network.seconds), style="dim")


def _ended(ended: "Ended", metric: str) -> Text:
    if ended.value is None:
        return Text(f"{ended.name}  {ended.word}")
    after = "" if ended.share >= 1 else f" after {percent(ended.share)}"
    return Text(f"{ended.name}  {metric} {ended.value:.4f}{after}")


def bar(share: float, width: int = _BAR) -> str:
    """A bar that is filled so far."""
    filled = round(max(min(share, 1.0), 0.0) * width)
    return "━" * filled + "╌" * (width - filled)


def chart(values: Sequence[float], width: int, height: int) -> list[str]:
    """A curve in blocks, its lowest and highest value beside it; nothing where it has no two values."""
    if len(values) < 2 or width < 4:
        return []
    columns = _columns(values, width)
    low, high = min(columns), max(columns)
    if high == low:
        return []
    levels = [1 + round((value - low) / (high - low) * (height * len(_STEPS) - 1)) for value in columns]
    lines = []
    for row in range(height, 0, -1):
        base = (row - 1) * len(_STEPS)
        cells = "".join(_block(level - base) for level in levels)
        label = f"{high:.3f}" if row == height else f"{low:.3f}" if row == 1 else ""
        lines.append(f"{label:>6} {cells}")
    return lines


def _columns(values: Sequence[float], width: int) -> list[float]:
    if len(values) <= width:
        repeat = max(width // len(values), 1)
        return [value for value in values for _ in range(repeat)]
    return [values[(column + 1) * len(values) // width - 1] for column in range(width)]


def _block(level: int) -> str:
    return " " if level <= 0 else _STEPS[min(level, len(_STEPS)) - 1]


def line(board: "Board", time: Time, working: str = "") -> str:
    """The board in one plain line."""
    parts = [_how_far(board, time)]
    if board.best is not None:
        parts.append(f"best {metric_name(board.metric)} {board.best.value:.4f} ({board.best.name})")
    if board.underway:
        first = board.underway[0]
        more = f" and {len(board.underway) - 1} more" if len(board.underway) > 1 else ""
        epoch = f" epoch {first.epoch}" if first.epoch is not None else ""
        parts.append(f"in training {first.name}{epoch}{more}")
    if working and len(board.underway) < 2:  # of several, what is said above says more
        parts.append(working)
    return "; ".join(parts)


def _how_far(board: "Board", time: Time) -> str:
    left = "" if time.left is None else f", {duration(time.left)} left"
    if len(board.rungs) > 1:
        ended = f"{board.trained} trained, {board.complete} to the end"
    else:
        ended = f"{board.complete}/{board.wanted} trained" if board.wanted else f"{board.complete} trained"
    share = "" if time.share is None else f"{time.share:.0%}: "
    return f"{share}{ended}, {duration(time.used)} used{left}"
