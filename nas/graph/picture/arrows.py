"""The arrows of one network: down, along and up again; skips straight across, or above what stands in between."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from nas.graph.picture.columns import GATE, ROOM, SYMBOL, Columns, Place, aside, way
from nas.graph.picture.shapes import Line, Point, Sign, Word
from nas.graph.picture.stages import Link

LANE = 7.0
"""Between arrows that pass above the same blocks."""
_LABEL = 9.5


class Heights(Protocol):
    """Where rows are: the middle of one, the upper edge of its blocks, and where labels of steps into it stand."""

    def middle(self, row: int) -> float: ...  # noqa: D102
    def top(self, row: int) -> float: ...  # noqa: D102
    def label(self, row: int) -> float: ...  # noqa: D102
    def block(self, place: Place) -> float: ...  # noqa: D102


def lanes(columns: Columns) -> Mapping[tuple[int, int], int]:
    """The lane above its target's row of each link that cannot go straight; links of one source share one."""
    around: dict[tuple[int, int], list[float]] = {}
    for link in columns.outline.links:
        if not _is_straight(columns, link):
            source, target = columns.places[link.source], columns.places[link.target]
            around.setdefault((target.row, link.source), [source.x]).append(target.x)
    lane: dict[tuple[int, int], int] = {}
    for key in sorted(around, key=lambda key: max(around[key]) - min(around[key])):
        others = [other for other in lane if other[0] == key[0] and _overlap(around[key], around[other])]
        lane[key] = next(free for free in range(len(others) + 1) if free not in {lane[other] for other in others})
    return {
        (link.source, link.target): lane[columns.places[link.target].row, link.source]
        for link in columns.outline.links
        if (columns.places[link.target].row, link.source) in lane and not _is_straight(columns, link)
    }


def _overlap(first: Sequence[float], second: Sequence[float]) -> bool:
    return min(first) < max(second) and min(second) < max(first)


def _is_straight(columns: Columns, link: Link) -> bool:
    """Whether an arrow can go along its row, or down or up to the next column, without passing above blocks."""
    source, target = columns.places[link.source], columns.places[link.target]
    if link.is_late or source.column >= target.column:
        return False
    if link.is_main and source.row != target.row:
        return True
    between = range(source.column + 1, target.column)
    return source.row == target.row and not any(p.row == target.row and p.column in between for p in columns.places)


@dataclass(frozen=True)
class Router:
    """Draws the arrows of one network, its columns beginning at `left`."""

    columns: Columns
    left: float
    heights: Heights
    lane: Mapping[tuple[int, int], int]
    marked: Mapping[int, frozenset[str]]

    def x(self, index: int) -> float:
        """The middle of a stage."""
        return self.left + self.columns.places[index].x

    def lines(self) -> Iterator[Line]:
        """All arrows, skips after the main way."""
        for link in sorted(self.columns.outline.links, key=lambda link: not link.is_main):
            yield from self._main(link) if link.is_main else self._skip(link)

    def signs(self) -> Iterator[Sign]:
        """The signs at which ways meet."""
        for place in self.columns.places:
            index, y = place.stage.index, self.heights.middle(place.row)
            skips = self.columns.skips(index)
            if skips:
                kinds = [kind for skip in skips for kind in skip.joins]
                ends = [kind for kind in kinds if kind != "gate"]
                yield Sign(self._join(index), y, ends[-1] if ends else "")
                if "gate" in kinds:
                    yield Sign(self._join(index) - GATE, y, "gate")

    def labels(self) -> Iterator[Word]:
        """How stages come from one resolution to another, beside the arrows that do."""
        for link in self.columns.outline.links:
            source, target = self.columns.places[link.source], self.columns.places[link.target]
            step = target.stage.step
            if link.is_main and step and source.row != target.row:
                if target.row > source.row:
                    x, y, anchor = self._entry(target) - 4, self.heights.label(target.row), "end"
                else:
                    x, y, anchor = self._exit(source) + 4, self.heights.label(source.row), "start"
                role = "mark" if step in self.marked.get(link.target, ()) else "muted"
                yield Word(x, y, step, _LABEL, role, anchor, bold=role == "mark")

    def _entry(self, place: Place) -> float:
        """Where what comes down enters."""
        return self.left + place.x - aside(place.width)

    def _exit(self, place: Place) -> float:
        """Where what goes up leaves."""
        if self._is_late(place.stage.index):
            return self._join(place.stage.index)
        return self.left + place.x + place.leaving

    def _right(self, place: Place) -> float:
        if self._is_late(place.stage.index):
            return self._join(place.stage.index) + SYMBOL
        return self.left + place.x + place.width / 2

    def _edge(self, place: Place) -> float:
        """What an arrow along the row comes to: the first of a stage's signs, or its block."""
        skips = self.columns.skips(place.stage.index)
        if skips and not self._is_late(place.stage.index):
            return self._join(place.stage.index) - SYMBOL
        return self.left + place.x - place.width / 2

    def _is_late(self, index: int) -> bool:
        return any(link.is_late for link in self.columns.skips(index))

    def _join(self, index: int) -> float:
        """Where a stage's ways meet."""
        place, main = self.columns.places[index], self.columns.main(index)
        if self._is_late(index):
            return self.left + place.x + place.width / 2 + 1.6 * SYMBOL
        if main is not None and way([p.row for p in self.columns.places], main) == "up":
            return self._exit(self.columns.places[main.source])
        return self.left + place.x - place.width / 2 - 2 * SYMBOL

    def _main(self, link: Link) -> Iterator[Line]:
        source, target = self.columns.places[link.source], self.columns.places[link.target]
        start, end = self.heights.middle(source.row), self.heights.middle(target.row)
        has_join = bool(self.columns.skips(link.target)) and not self._is_late(link.target)
        if (link.source, link.target) in self.lane:
            yield self._around(link)
        elif source.row == target.row:
            yield Line(((self._right(source), start), (self._edge(target), end)), "flow")
        elif target.row > source.row:
            x = self._entry(target)
            yield Line(((self._right(source), start), (x, start), (x, self.heights.block(target))), "flow")
        else:
            x = self._exit(source)
            begin: tuple[Point, ...] = ((x, self.heights.block(source)),)
            if self._is_late(link.source):
                begin = ((x, start - SYMBOL),)
            elif source.leaving > source.width / 2:
                begin = ((self._right(source), start), (x, start))
            edge = self.left + target.x - target.width / 2
            yield Line((*begin, *([(x, end + SYMBOL)] if has_join else [(x, end), (edge, end)])), "flow")
        if has_join:
            yield Line(
                ((self._join(link.target) + SYMBOL, end), (self.left + target.x - target.width / 2, end)), "flow"
            )
        if self._is_late(link.target):
            right = self.left + target.x + target.width / 2
            yield Line(((right, end), (self._join(link.target) - SYMBOL, end)), "flow", has_head=False)

    def _skip(self, link: Link) -> Iterator[Line]:
        source, target = self.columns.places[link.source], self.columns.places[link.target]
        y, join = self.heights.middle(target.row), self._join(link.target)
        if (link.source, link.target) in self.lane:
            yield self._around(link)
            return
        end = join - SYMBOL
        if "gate" in link.joins:
            gate = join - GATE
            yield Line(((self._right(source), y), (gate - SYMBOL, y)), "skip")
            yield Line(((join, y + 3 * SYMBOL), (gate, y + 3 * SYMBOL), (gate, y + SYMBOL)), "skip")
            yield Line(((gate + SYMBOL, y), (end, y)), "skip")
        else:
            yield Line(((self._right(source), y), (end, y)), "skip")

    def _around(self, link: Link) -> Line:
        """Up, along the lane above the target's row, and down to where its ways meet."""
        source, target = self.columns.places[link.source], self.columns.places[link.target]
        y = self.heights.top(target.row) - 5 - LANE * self.lane[link.source, link.target]
        start = [(self.left + source.x, self.heights.block(source))]
        if target.row > source.row:
            start = [(self._right(source), self.heights.middle(source.row))]
            start.append((self.left + source.x + source.slot / 2 + ROOM / 2, start[0][1]))
        elif self._is_late(link.source):
            start = [(self._join(link.source), self.heights.middle(source.row) - SYMBOL)]
        has_sign = bool(self.columns.skips(link.target))
        x = self._join(link.target) if has_sign else self._entry(target)
        end = self.heights.middle(target.row) - SYMBOL if has_sign else self.heights.block(target)
        return Line((*start, (start[-1][0], y), (x, y), (x, end)), "flow" if link.is_main else "skip")
