"""Where everything stands: one network or several on one sheet, their levels in common rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from nas.graph.cost import macs, parameters
from nas.graph.nodes import Traced
from nas.graph.picture.arrows import LANE, Router, lanes
from nas.graph.picture.columns import SMALL, Columns, Place, columns, levels, text_width
from nas.graph.picture.shapes import Band, Block, Line, Sheet, Sign, Word
from nas.graph.picture.stages import Outline, Stage, outline
from nas.graph.picture.words import short, sizes, times
from nas.graph.task import Axes

_MARGIN = 18.0
_BETWEEN = 46.0
"""Between two networks on a sheet."""
_TALLEST, _SHRINK, _SHORTEST = 66.0, 0.8, 18.0
_BAR = 12.5
"""Height of one of several bars side by side."""
_LINE = 12.5
_LEGEND = 24.0
TITLE, SUBTITLE = 17.0, 11.5
_SIGNS = {"concatenate": "concatenation", "add": "sum", "gate": "gate: weighed voxel by voxel"}


@dataclass(frozen=True)
class Drawn:
    """A network on a sheet: its title, and by stage the lines of text that are marked, an empty set marking nothing."""

    graph: Traced
    title: str
    marked: Mapping[int, frozenset[str]] | None = None


@dataclass(frozen=True)
class Rows:
    """Where the rows of a sheet are."""

    tops: tuple[float, ...]
    heights: tuple[float, ...]
    bands: tuple[Band, ...]
    labels: tuple[float, ...]

    def middle(self, row: int) -> float:
        """The middle of a row's blocks."""
        return self.tops[row] + self.heights[row] / 2

    def top(self, row: int) -> float:
        """Their upper edge."""
        return self.tops[row]

    def label(self, row: int) -> float:
        """Where the label of a step between this row and the one above stands."""
        return self.labels[row]

    def block(self, place: Place) -> float:
        """The upper edge of one block."""
        return self.middle(place.row) - _height(place.stage, place.row) / 2

    @property
    def end(self) -> float:
        """The lower edge of the last row."""
        return self.bands[-1].top + self.bands[-1].height


@dataclass(frozen=True)
class Layout:
    """One sheet. Without words it is a small picture for a list."""

    drawn: Sequence[Drawn]
    worded: bool = True

    @cached_property
    def outlines(self) -> list[Outline]:
        """What is drawn of each network."""
        return [outline(drawn.graph) for drawn in self.drawn]

    @cached_property
    def levels(self) -> list[Axes]:
        """The level of each row."""
        return levels(self.outlines)

    @cached_property
    def columns(self) -> list[Columns]:
        """Where stages stand from left to right."""
        return [columns(outlined, self.levels, worded=self.worded) for outlined in self.outlines]

    @cached_property
    def lanes(self) -> list[Mapping[tuple[int, int], int]]:
        """What passes above blocks."""
        return [lanes(placed) for placed in self.columns]

    @cached_property
    def lefts(self) -> list[float]:
        """Where each network begins."""
        label = max((text_width(sizes(self.drawn[0].graph.task, level), SMALL) for level in self.levels), default=0)
        lefts = [_MARGIN + (label + 14 if self.worded else 0)]
        for placed, drawn in zip(self.columns, self.drawn, strict=True):
            width = max(placed.width, *(text_width(text, size) for text, size in self._heading(drawn)), 0)
            lefts.append(lefts[-1] + width + _BETWEEN)
        return lefts

    @cached_property
    def rows(self) -> Rows:
        """Where rows stand."""
        y = _MARGIN + (46 if self.worded else 0)
        tops, heights, bands, labels = [], [], [], []
        for row in range(len(self.levels)):
            start = y
            places = [place for placed in self.columns for place in placed.places if place.row == row]
            above = [
                lane
                for placed, lane_of in zip(self.columns, self.lanes, strict=True)
                for (_, target), lane in lane_of.items()
                if placed.places[target].row == row
            ]
            y += 6 + (13 if row and self.worded else 4)
            labels.append(y - 4)
            y += LANE * max(above) + 9 if above else 0
            tops.append(y)
            heights.append(max(_height(place.stage, row) for place in places))
            lines = max(
                len(placed.lines[place.stage.index])
                for placed in self.columns
                for place in placed.places
                if place.row == row
            )
            y += heights[-1] + (7 + _LINE * lines if lines else 4) + 5
            bands.append(Band(start, y - start))
        return Rows(tuple(tops), tuple(heights), tuple(bands), tuple(labels))

    def sheet(self) -> Sheet:
        """All shapes."""
        routers = [
            Router(placed, left, self.rows, lane, drawn.marked or {})
            for placed, left, lane, drawn in zip(self.columns, self.lefts, self.lanes, self.drawn, strict=False)
        ]
        kinds = tuple(dict.fromkeys(s.kind for o in self.outlines for s in o.stages if not _is_plain(s)))
        legend = list(self._legend(kinds, {sign.kind for router in routers for sign in router.signs()}))
        right = max([self.lefts[-1] - _BETWEEN, *(x + text_width(text, SMALL) for x, _, text in legend)])
        titles = [drawn.title or "Network" for drawn in self.drawn]
        height = self.rows.end + _MARGIN + (_LEGEND if self.worded else 0)
        return Sheet(
            title=" and ".join(titles),
            description=" ".join(map(told, self.drawn, self.outlines)),
            width=right + _MARGIN,
            height=height,
            kinds=kinds,
            bands=self.rows.bands,
            lines=tuple(line for router in routers for line in router.lines()) + tuple(self._legend_lines(legend)),
            blocks=tuple(self._blocks()) + tuple(self._legend_blocks(legend)),
            signs=tuple(sign for router in routers for sign in router.signs()) + tuple(self._legend_signs(legend)),
            words=tuple(self._words(routers, legend)) if self.worded else (),
        )

    def _blocks(self) -> Iterator[Block]:
        for placed, left, drawn in zip(self.columns, self.lefts, self.drawn, strict=False):
            for place in placed.places:
                stage, height = place.stage, _height(place.stage, place.row)
                yield Block(
                    name=stage.name,
                    kind=stage.kind,
                    told=_told_stage(drawn.graph, stage),
                    left=left + place.x - place.width / 2,
                    top=self.rows.block(place),
                    width=place.width,
                    height=height,
                    units=stage.units,
                    branches=stage.branches,
                    is_plain=_is_plain(stage),
                    is_marked=stage.index in (drawn.marked or {}),
                )

    def _words(self, routers: Sequence[Router], legend: "Sequence[Entry]") -> Iterator[Word]:
        for drawn, left in zip(self.drawn, self.lefts, strict=False):
            x = left if len(self.drawn) > 1 else _MARGIN
            (title, _), (facts, _) = self._heading(drawn)
            yield Word(x, _MARGIN + 14, title, TITLE, bold=True)
            yield Word(x, _MARGIN + 32, facts, SUBTITLE, "muted")
        for row, level in enumerate(self.levels):
            y = self.rows.middle(row)
            yield Word(_MARGIN, y - 1, sizes(self.drawn[0].graph.task, level), SMALL, bold=True)
            yield Word(_MARGIN, y + 12, f"stride {times(level)}", SMALL, "muted")
        for router, drawn in zip(routers, self.drawn, strict=True):
            for place in router.columns.places:
                yield from self._below(router, place, (drawn.marked or {}).get(place.stage.index, frozenset()))
            yield from router.labels()
        for x, _, text in legend:
            yield Word(x, self.rows.end + _LEGEND - 2, text, SMALL)

    def _below(self, router: Router, place: Place, marked: frozenset[str]) -> Iterator[Word]:
        y = self.rows.middle(place.row) + _height(place.stage, place.row) / 2 + 5
        for number, line in enumerate(router.columns.lines[place.stage.index]):
            role = "mark" if line in marked else "muted" if number > 1 else "ink"
            yield Word(
                router.x(place.stage.index),
                y + _LINE * (number + 0.8),
                line,
                SMALL,
                role,
                "middle",
                bold=number == 0 or role == "mark",
            )

    @staticmethod
    def _heading(drawn: Drawn) -> tuple[tuple[str, float], tuple[str, float]]:
        graph, patch = drawn.graph, " × ".join(map(str, drawn.graph.task.patch))
        facts = f"{short(parameters(graph))} parameters, {short(macs(graph))} multiply-accumulates for {patch}"
        return (drawn.title or "Network", TITLE), (facts, SUBTITLE)

    def _legend(self, kinds: Sequence[str], signs: set[str]) -> "Iterator[Entry]":
        if not self.worded:
            return
        x = _MARGIN
        entries = [(kind, kind) for kind in kinds]
        entries += [(f"sign {kind}", text) for kind, text in _SIGNS.items() if kind in signs]
        entries += [("skip", "skip connection")] if signs else []
        entries += [("marked", "differs from the other")] if any(drawn.marked for drawn in self.drawn) else []
        for what, text in entries:
            x += {"skip": 32, "marked": 26}.get(what, 20)
            yield x, what, text
            x += text_width(text, SMALL) + 14

    def _legend_blocks(self, legend: "Sequence[Entry]") -> Iterator[Block]:
        y = self.rows.end + _LEGEND - 12
        for x, what, _ in legend:
            if what == "marked" or not what.startswith(("sign ", "skip")):
                yield Block(
                    "",
                    what,
                    "",
                    x - (21 if what == "marked" else 17),
                    y,
                    12,
                    12,
                    1,
                    is_plain=what == "marked",
                    is_marked=what == "marked",
                )

    def _legend_signs(self, legend: "Sequence[Entry]") -> Iterator[Sign]:
        for x, what, _ in legend:
            if what.startswith("sign "):
                yield Sign(x - 11, self.rows.end + _LEGEND - 6, what.removeprefix("sign "))

    def _legend_lines(self, legend: "Sequence[Entry]") -> Iterator[Line]:
        y = self.rows.end + _LEGEND - 6
        for x, what, _ in legend:
            if what == "skip":
                yield Line(((x - 30, y), (x - 5, y)), "skip")


Entry = tuple[float, str, str]
"""What stands in a legend: where its text begins, what it explains, and the text."""


def _is_plain(stage: Stage) -> bool:
    return stage.is_input or stage.is_output


def _height(stage: Stage, row: int) -> float:
    """How high a stage's block is: the coarser its level the less."""
    return max(_TALLEST * _SHRINK**row, _SHORTEST, _BAR * len(stage.branches))


def told(drawn: Drawn, outlined: Outline) -> str:
    """A network in sentences, for those who do not see it."""
    names = [stage.name for stage in outlined.stages]
    stages = "; ".join(_told_stage(drawn.graph, stage) for stage in outlined.stages)
    skips = ", ".join(
        f"{names[link.source]} to {names[link.target]}{' by ' + ' and '.join(link.joins) if link.joins else ''}"
        for link in outlined.links
        if not link.is_main
    )
    return f"{drawn.title or 'Network'}: {stages}." + (f" Skip connections: {skips}." if skips else "")


def _told_stage(graph: Traced, stage: Stage) -> str:
    plural = "s" if stage.channels > 1 else ""
    words = [f"{stage.name}: {stage.heading}", f"{stage.channels} channel{plural} at {sizes(graph.task, stage.level)}"]
    if not stage.is_input:
        words += [f"{stage.convolutions} convolutions deep", *stage.notes]
        words += [f"by {stage.step}"] if stage.step else []
        words += [f"{short(stage.parameters)} parameters"]
    return ", ".join(words)
