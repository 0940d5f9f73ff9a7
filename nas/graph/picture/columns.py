"""Where stages stand from left to right: one column after another, so that what an arrow leads to stands behind it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from nas.graph.picture.stages import Link, Outline, Stage, coarseness
from nas.graph.task import Axes

SYMBOL = 8.0
"""Radius of the sign at which ways meet."""
GATE = 30.0
"""How far before that the sign of a gate stands."""
LETTER = 0.56
"""Width of a letter on average, in parts of its size."""
BOLD = 1.1
"""How much wider bold letters are."""
SMALL = 10.5
"""Size of the letters below a block."""
ROOM = 6.0
"""What is left free between things that stand side by side."""
_ARROW = 14.0
_SLABS = ((3, 11.0, 2.0), (6, 9.0, 2.0), (12, 6.0, 1.5), (10_000, 3.0, 1.0))
"""Up to how many units, how thick the slab of each is, and what is left free between them."""
_BRANCHES = 50.0

Way = Literal["level", "down", "up"]

_PASSING = GATE + 2 * SYMBOL
"""Between what comes down to a stage and what goes up from it to a gate beside it."""


@dataclass(frozen=True)
class Place:
    """A stage's place: its column and row, where its middle is, and how wide its block and its text are.

    What goes up from it leaves so far right of its middle.
    """

    stage: Stage
    column: int
    row: int
    x: float
    width: float
    slot: float
    leaving: float


@dataclass(frozen=True)
class Columns:
    """An outline with the places of its stages, and by index the texts below them."""

    outline: Outline
    places: tuple[Place, ...]
    lines: tuple[tuple[str, ...], ...]
    width: float

    def main(self, index: int) -> Link | None:
        """The way into a stage."""
        return next((link for link in self.outline.links if link.target == index and link.is_main), None)

    def skips(self, index: int) -> list[Link]:
        """What else it is given."""
        return [link for link in self.outline.links if link.target == index and not link.is_main]


def columns(outline: Outline, rows: Sequence[Axes], *, worded: bool = True) -> Columns:
    """Places for all stages, `rows` being the levels; without words blocks stand closer."""
    heights = [rows.index(stage.level) for stage in outline.stages]
    ranks = _ranks(outline, heights)
    lines = tuple(_lines(outline, stage) if worded else () for stage in outline.stages)
    widths = [block_width(stage) for stage in outline.stages]
    slots = [
        max(width, BOLD * text_width(texts[0], SMALL), *(text_width(line, SMALL) for line in texts))
        if texts
        else width + 4
        for width, texts in zip(widths, lines, strict=True)
    ]
    xs = _solved(max(ranks) + 1, _distances(outline, ranks, heights, widths, slots))
    left = min(xs[rank] - slot / 2 for rank, slot in zip(ranks, slots, strict=True))
    places = tuple(
        Place(stage, rank, row, xs[rank] - left, width, slot, leaving(outline, stage.index, heights, width))
        for stage, rank, row, width, slot in zip(outline.stages, ranks, heights, widths, slots, strict=True)
    )
    ends = [place.x + place.slot / 2 + (2 * SYMBOL if _is_late(outline, place.stage.index) else 0) for place in places]
    return Columns(outline, places, lines, max(ends))


def aside(width: float) -> float:
    """How far from a block's middle the arrows above it are."""
    return max(5.0, min(width / 2 - 1.5, 11.0))


def text_width(text: str, size: float) -> float:
    """How wide a text is, roughly: a file has no way to ask."""
    return LETTER * size * len(text)


def slab(units: int) -> tuple[float, float]:
    """How thick the slab of each unit is, and what is left free between them."""
    return next((thickness, gap) for most, thickness, gap in _SLABS if units <= most)


def leaving(outline: Outline, index: int, rows: Sequence[int], width: float) -> float:
    """How far right of a stage's middle what goes up from it leaves: past the gate above it, where there is one."""
    comes_down = any(link.target == index and link.is_main and way(rows, link) == "down" for link in outline.links)
    ups = {link.target for link in outline.links if link.source == index and way(rows, link) == "up"}
    gated = any("gate" in link.joins for link in outline.links if link.target in ups)
    return _PASSING - aside(width) if gated and comes_down else aside(width)


def block_width(stage: Stage) -> float:
    """How wide a stage's block is."""
    if stage.branches:
        return _BRANCHES
    if stage.is_input:
        return 28.0
    thickness, gap = slab(stage.units)
    return max(stage.units * (thickness + gap) - gap, 16.0)


def way(rows: Sequence[int], link: Link) -> Way:
    """Where a link leads, by the rows of all stages."""
    source, target = rows[link.source], rows[link.target]
    return "level" if source == target else "down" if target > source else "up"


def _lines(outline: Outline, stage: Stage) -> tuple[str, ...]:
    through = [f"skip {link.through}" for link in outline.links if link.target == stage.index and link.through]
    return (*stage.lines, *dict.fromkeys(through))


def _is_late(outline: Outline, index: int) -> bool:
    return any(link.target == index and link.is_late for link in outline.links)


_TRIES = 300


def _ranks(outline: Outline, rows: Sequence[int]) -> list[int]:
    """The column of each stage: the longest way to it, or a later one where an arrow would else cross a block."""
    least = [0] * len(outline.stages)
    ranks = _longest_ways(outline, rows, least)
    for _ in range(_TRIES):
        moved = next(_in_the_way(outline, rows, ranks), None)
        if moved is None:
            break
        least[moved[0]] = moved[1]
        ranks = _longest_ways(outline, rows, least)
    return ranks


def _longest_ways(outline: Outline, rows: Sequence[int], least: Sequence[int]) -> list[int]:
    ranks: list[int] = []
    taken: set[tuple[int, int]] = set()
    for stage in outline.stages:
        before = [ranks[link.source] + 1 for link in outline.links if link.target == stage.index > link.source]
        rank = max(before, default=0)
        rank = max(rank, least[stage.index])
        while (rank, rows[stage.index]) in taken:
            rank += 1
        taken.add((rank, rows[stage.index]))
        ranks.append(rank)
    return ranks


def _in_the_way(outline: Outline, rows: Sequence[int], ranks: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Stages to be moved, and the least columns that they then have."""
    for link in outline.links:
        source, target = link.source, link.target
        if not link.is_main or ranks[source] >= ranks[target]:
            continue
        for other, (row, rank) in enumerate(zip(rows, ranks, strict=True)):
            if other in (source, target):
                continue
            if rows[target] < rows[source]:
                is_above = rows[target] <= row < rows[source] and rank == ranks[source]
                if is_above or (row == rows[target] and ranks[source] < rank < ranks[target]):
                    yield source, rank + 1
            elif rows[target] > rows[source]:
                if rows[source] < row < rows[target] and rank == ranks[target]:
                    yield target, rank + 1
                if row == rows[source] and ranks[source] < rank <= ranks[target]:
                    yield other, ranks[target] + 1


Distance = tuple[int, int, float]
"""Two columns, and how far the middle of the second is from that of the first at least."""


def _distances(
    outline: Outline, ranks: Sequence[int], rows: Sequence[int], widths: Sequence[float], slots: Sequence[float]
) -> Iterator[Distance]:
    halves = [slot / 2 + (2 * SYMBOL if _is_late(outline, i) else 0) for i, slot in enumerate(slots)]
    for rank in range(1, max(ranks) + 1):
        yield rank - 1, rank, _ARROW
    for first in range(len(ranks)):
        for second in range(len(ranks)):
            if rows[first] == rows[second] and ranks[first] < ranks[second]:
                yield ranks[first], ranks[second], halves[first] + slots[second] / 2 + ROOM
    for link in outline.links:
        source, target = link.source, link.target
        if ranks[source] >= ranks[target]:
            continue
        room = _join_room(outline, target)
        middle = widths[source] / 2 + widths[target] / 2
        late = 2 * SYMBOL if _is_late(outline, source) else 0
        if way(rows, link) == "level":
            yield ranks[source], ranks[target], middle + late + max(room + _ARROW, 2 * _ARROW if room else _ARROW)
        elif link.is_main and way(rows, link) == "down":
            skips = any(
                way(rows, other) == "down" for other in outline.links if other.source == source and not other.is_main
            )
            yield ranks[source], ranks[target], halves[source] + aside(widths[target]) + ROOM * (1 + skips)
        elif link.is_main:
            rising = leaving(outline, source, rows, widths[source]) + late
            yield (
                ranks[source],
                ranks[target],
                max(slots[target] / 2 + SYMBOL + ROOM, widths[target] / 2 + _ARROW + SYMBOL) + rising,
            )
            for other, rank in enumerate(ranks):
                if rows[other] == rows[target] and rank < ranks[source]:
                    yield rank, ranks[source], halves[other] + max(room - rising, 0) + ROOM


def _join_room(outline: Outline, index: int) -> float:
    """What the signs before a stage need to the left of where its ways meet."""
    joins = [
        join for link in outline.links if link.target == index and not link.is_late for join in link.joins or ("",)
    ]
    return 0.0 if not joins else SYMBOL + (GATE + SYMBOL if "gate" in joins else 0)


def _solved(count: int, distances: Iterator[Distance]) -> list[float]:
    """The least places of columns at which all distances are kept."""
    before: dict[int, list[tuple[int, float]]] = {}
    for first, second, distance in distances:
        before.setdefault(second, []).append((first, distance))
    xs = [0.0]
    for column in range(1, count):
        xs.append(max(xs[first] + distance for first, distance in before[column]))
    return xs


def levels(outlines: Sequence[Outline]) -> list[Axes]:
    """The levels of all outlines, fine first."""
    return sorted({stage.level for outline in outlines for stage in outline.stages}, key=coarseness)
