"""A network as an SVG picture: a row for each resolution, the encoder going down, the decoder coming up."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import prod
from xml.sax.saxutils import escape, quoteattr
from zlib import crc32

from nas.graph.graph import Graph
from nas.graph.task import Axes

_PALETTE = (
    ("#dbeafe", "#2563eb"),
    ("#dcfce7", "#16a34a"),
    ("#fef3c7", "#d97706"),
    ("#ede9fe", "#7c3aed"),
    ("#fce7f3", "#db2777"),
    ("#ccfbf1", "#0d9488"),
    ("#ffedd5", "#ea580c"),
    ("#fee2e2", "#dc2626"),
    ("#ecfccb", "#65a30d"),
    ("#e0e7ff", "#4338ca"),
    ("#e7e5e4", "#57534e"),
)
_INK, _MUTED, _FLOW, _SKIP, _PAPER, _BAND = "#111827", "#6b7280", "#4b5563", "#0f766e", "#ffffff", "#f6f7f9"
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"

_SKIPPING = f'stroke="{_SKIP}" stroke-width="1.8" stroke-dasharray="6 4" marker-end="url(#skip)"'

_MARGIN, _HEADER = 24, 76
_BOX, _ROW_GAP, _COLUMN_GAP = 84, 32, 40
_LEGEND = 26


@dataclass(frozen=True)
class Stage:
    """One box: all nodes below a scope such as "encoder.0". `levels` are the strides of what leaves it, fine first."""

    name: str
    kind: str
    lines: tuple[str, ...]
    levels: tuple[Axes, ...]


@dataclass(frozen=True)
class Link:
    """What one stage makes and another uses; of all that a stage uses, the latest made is its main input."""

    source: str
    target: str
    level: Axes
    is_main: bool


@dataclass(frozen=True)
class Cell:
    """Where a box stands: its column, and its rows from `top` to `bottom`."""

    column: int
    top: int
    bottom: int


def draw(graph: Graph, title: str = "") -> str:
    """The network as the text of an SVG file, on a background of its own.

    Boxes are its stages; their rows are resolutions. Full arrows are the way through the network, dashed ones skips.

    Args:
        graph: the network.
        title: what it is called.
    """
    links = _links(graph)
    stages = _stages(graph, links)
    rows = sorted({level for stage in stages for level in stage.levels}, key=_coarseness)
    return _Sheet(graph, title or "Network", stages, links, rows).svg()


# What is drawn ------------------------------------------------------------------------------------------------------


def _stage_name(graph: Graph, position: int) -> str:
    """The stage of a node: "encoder.0" for "encoder.0.block.1.conv", "bridge" for "bridge.0.conv" if a part is."""
    first, *rest = graph.nodes[position].name.split(".")
    return f"{first}.{rest[0]}" if first not in graph.scopes and rest and rest[0].isdigit() else first


def _links(graph: Graph) -> list[Link]:
    used: dict[str, set[int]] = {}
    for position, node in enumerate(graph.nodes):
        target = _stage_name(graph, position)
        used.setdefault(target, set()).update(i for i in node.inputs if _stage_name(graph, i) != target)
    return [
        Link(_stage_name(graph, source), target, graph.nodes[source].strides, source == max(sources))
        for target, sources in used.items()
        for source in sorted(sources)
    ]


def _stages(graph: Graph, links: Sequence[Link]) -> list[Stage]:
    positions: dict[str, list[int]] = {}
    for position in range(len(graph.nodes)):
        positions.setdefault(_stage_name(graph, position), []).append(position)
    levels = {name: {link.level for link in links if link.source == name} for name in positions}
    for output in graph.outputs:
        levels[_stage_name(graph, output)].add(graph.nodes[output].strides)
    return [
        _stage(graph, name, own[-1], tuple(sorted(levels[name] or {graph.nodes[own[-1]].strides}, key=_coarseness)))
        for name, own in positions.items()
    ]


def _stage(graph: Graph, name: str, last: int, levels: tuple[Axes, ...]) -> Stage:
    node = graph.nodes[last]
    channels = f"{node.channels} channel{'s' if node.channels > 1 else ''}"
    if last == 0:
        return Stage(name, "", ("Image", channels, _sizes(graph, node.strides)), levels)
    kind = graph.scopes[name].kind if name in graph.scopes else type(node.operation).__name__
    parts = {path[len(name) + 1 :]: scope.kind for path, scope in graph.scopes.items() if path.startswith(f"{name}.")}
    block = parts.get("block")
    around = [parts[step] for step in ("down", "up", "skip") if step in parts]
    if block and "." not in name:
        around.append(kind)
    prefix = f"{name}.block."
    layers = {node.name[len(prefix) :].split(".")[0] for node in graph.nodes if node.name.startswith(prefix)}
    count = sum(layer.isdigit() for layer in layers)
    heading = f"{block or kind} × {count}" if block and count > 1 else block or kind
    lines = (
        heading,
        f"{channels}, stride {_times(levels[-1])}",
        " + ".join(around),
        f"{_short(graph.parameters_of(name))} parameters",
    )
    return Stage(name, block or kind, lines, levels)


def _coarseness(level: Axes) -> tuple[bool, int, Axes]:
    # What is pooled over all positions has no strides.
    return not level, prod(level), level


def _times(level: Axes) -> str:
    return "all" if not level else str(level[0]) if len(set(level)) == 1 else "×".join(map(str, level))


def _sizes(graph: Graph, level: Axes) -> str:
    sizes = [size // step for size, step in zip(graph.task.patch, level, strict=False)]
    return " × ".join(map(str, sizes)) or "pooled"


def _short(number: int) -> str:
    """Three figures and a unit."""
    for unit, size in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= size:
            return f"{number / size:#.3g}".removesuffix(".") + f" {unit}"
    return str(number)


# Where it stands ----------------------------------------------------------------------------------------------------


def _place(stages: Sequence[Stage], links: Sequence[Link], rows: Sequence[Axes]) -> dict[str, Cell]:
    """The cell of each stage: a U that goes down column by column, along its bottom, and up again.

    What leads to no other stage, such as a head, stands on the right of all that do.
    """
    before = {link.target: link.source for link in links if link.is_main}
    leading_on = {link.source for link in links}
    deepest = len(rows) - 1
    cells: dict[str, Cell] = {}
    for stage in sorted(stages, key=lambda stage: stage.name not in leading_on):
        top, bottom = rows.index(stage.levels[0]), rows.index(stage.levels[-1])
        last = cells.get(before.get(stage.name, ""))
        column = 0
        if last is not None:
            is_beside = top <= last.bottom and bottom >= last.top
            column = last.column + (is_beside or deepest in (bottom, last.bottom))
            if is_beside and stage.name not in leading_on:
                column = 1 + max(cell.column for name, cell in cells.items() if name in leading_on)
        taken = {(cell.column, row) for cell in cells.values() for row in range(cell.top, cell.bottom + 1)}
        while any((column, row) in taken for row in range(top, bottom + 1)):
            column += 1
        cells[stage.name] = Cell(column, top, bottom)
    return cells


# How it is drawn ----------------------------------------------------------------------------------------------------


class _Sheet:
    def __init__(self, graph: Graph, title: str, stages: Sequence[Stage], links: Sequence[Link], rows: Sequence[Axes]):
        self.graph, self.title, self.stages, self.links, self.rows = graph, title, stages, links, rows
        self.cells = _place(stages, links, rows)
        self.colours = _colours(dict.fromkeys(stage.kind for stage in stages if stage.kind))
        self.labels = [(f"stride {_times(level)}", _sizes(graph, level)) for level in rows]
        widths = [0.0] * (1 + max(cell.column for cell in self.cells.values()))
        for stage in stages:
            column = self.cells[stage.name].column
            needed = max(_width(stage.lines[0], 14), *(_width(line, 12) for line in stage.lines[1:])) + 20
            widths[column] = max(widths[column], needed)
        self.widths = widths
        labels = max(_width(line, 12) for label in self.labels for line in label)
        self.lefts = list(accumulate((width + _COLUMN_GAP for width in widths), initial=_MARGIN + labels + 16))
        legend = sum(_width(kind, 12) + 40 for kind in [*self.colours, "skip connection"])
        self.width = max(self.lefts[-1] - _COLUMN_GAP, _MARGIN + max(legend, _width(self._facts(), 13))) + _MARGIN
        self.height = _HEADER + len(rows) * (_BOX + _ROW_GAP) + _LEGEND + _MARGIN

    def svg(self) -> str:
        """The file."""
        body = [*self._head(), *self._bands(), *self._arrows(), *self._boxes(), *self._legend()]
        size = f'width="{self.width:.0f}" height="{self.height}" viewBox="0 0 {self.width:.0f} {self.height}"'
        start = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family={quoteattr(_FONT)}>'
        return "\n".join([start, *body, "</svg>", ""])

    def _head(self) -> Iterator[str]:
        yield f"<title>{escape(self.title)}</title>"
        yield "<defs>"
        for name, colour in (("flow", _FLOW), ("skip", _SKIP)):
            yield (
                f'<marker id="{name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7"'
                f' orient="auto"><path d="M0 1 L9 5 L0 9 z" fill="{colour}"/></marker>'
            )
        yield "</defs>"
        yield f'<rect width="100%" height="100%" rx="8" fill="{_PAPER}"/>'
        yield _text(_MARGIN, 34, self.title, 19, weight=600)
        yield _text(_MARGIN, 56, self._facts(), 13, colour=_MUTED)

    def _facts(self) -> str:
        graph, patch = self.graph, " × ".join(map(str, self.graph.task.patch))
        return f"{_short(graph.parameters)} parameters, {_short(graph.macs)} multiply-accumulates for {patch}"

    def _bands(self) -> Iterator[str]:
        """A band for each resolution, and what it is."""
        for row, (stride, sizes) in enumerate(self.labels):
            y = self._middle(row)
            yield (
                f'<rect x="{_MARGIN / 2}" y="{y - _BOX / 2 - 10}" width="{self.width - _MARGIN:.0f}"'
                f' height="{_BOX + 20}" rx="6" fill="{_BAND}"/>'
            )
            yield _text(_MARGIN, y - 2, stride, 12, weight=600)
            yield _text(_MARGIN, y + 15, sizes, 12, colour=_MUTED)

    def _boxes(self) -> Iterator[str]:
        for stage in self.stages:
            cell = self.cells[stage.name]
            fill, stroke = self.colours.get(stage.kind, (_PAPER, _MUTED))
            left, top, bottom = (
                self._left(cell),
                self._middle(cell.top) - _BOX / 2,
                self._middle(cell.bottom) + _BOX / 2,
            )
            width = self.widths[cell.column]
            yield f"<g><title>{escape(stage.name)}</title>"
            yield (
                f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{bottom - top}" rx="7"'
                f' fill="{fill}" stroke="{stroke}" stroke-width="1.5"/>'
            )
            lines = [line for line in stage.lines if line]
            y = (top + bottom) / 2 - 9 * (len(lines) - 1) + 5
            for index, line in enumerate(lines):
                size, weight = (14, 600) if index == 0 else (12, 400)
                colour = _INK if index < 2 else _MUTED
                yield _text(left + width / 2, y + 18 * index, line, size, colour, weight, "middle")
            yield "</g>"

    def _arrows(self) -> Iterator[str]:
        lanes: Counter[int] = Counter()
        for link in self.links:
            source, target = self.cells[link.source], self.cells[link.target]
            row = source.bottom if link.is_main else self.rows.index(link.level)
            if target.top <= row <= target.bottom and self._is_free(row, source, target):
                points = [(self._right(source), self._middle(row)), (self._left(target), self._middle(row))]
            elif link.is_main and not target.top <= row <= target.bottom:
                points = self._turn(source, target)
            else:
                points = self._around(row, source, target, lanes[row])
                lanes[row] += 1
            path = " L".join(f"{x:.1f} {y:.1f}" for x, y in points)
            look = f'stroke="{_FLOW}" stroke-width="1.8" marker-end="url(#flow)"' if link.is_main else _SKIPPING
            yield f'<path d="M{path}" fill="none" stroke-linejoin="round" {look}/>'

    def _is_free(self, row: int, source: Cell, target: Cell) -> bool:
        """Whether no box stands between two in a row."""
        between = range(source.column + 1, target.column)
        return target.column > source.column and not any(
            cell.column in between and cell.top <= row <= cell.bottom for cell in self.cells.values()
        )

    def _turn(self, source: Cell, target: Cell) -> list[tuple[float, float]]:
        """Down and then to the right, or to the right and then up."""
        side = 1 if target.top > source.bottom else -1
        leave = self._middle(source.bottom if side > 0 else source.top) + side * _BOX / 2
        enter = self._middle(target.top if side > 0 else target.bottom) - side * _BOX / 2
        if source.column == target.column:
            return [(self._centre(source), leave), (self._centre(source), enter)]
        if side > 0:
            y = self._middle(target.bottom)
            return [(self._centre(source), leave), (self._centre(source), y), (self._left(target), y)]
        y = self._middle(source.bottom)
        return [(self._right(source), y), (self._centre(target), y), (self._centre(target), enter)]

    def _around(self, row: int, source: Cell, target: Cell, lane: int) -> list[tuple[float, float]]:
        """Above the row, where boxes are in the way: each such arrow on a lane of its own."""
        start, end = self._middle(row) - _BOX / 4, self._middle(target.bottom) - _BOX / 4
        above = self._middle(row) - _BOX / 2 - 6 - 5 * lane
        out, back = self._right(source) + _COLUMN_GAP / 3, self._left(target) - _COLUMN_GAP / 3
        points = [(self._right(source), start), (out, start), (out, above)]
        return [*points, (back, above), (back, end), (self._left(target), end)]

    def _legend(self) -> Iterator[str]:
        x, y = float(_MARGIN), self.height - _MARGIN
        for kind, (fill, stroke) in self.colours.items():
            yield f'<rect x="{x:.1f}" y="{y - 11}" width="14" height="14" rx="3" fill="{fill}" stroke="{stroke}"/>'
            yield _text(x + 20, y, kind, 12)
            x += _width(kind, 12) + 40
        if any(not link.is_main for link in self.links):
            yield f'<path d="M{x:.1f} {y - 4} h28" fill="none" {_SKIPPING}/>'
            yield _text(x + 34, y, "skip connection", 12)

    def _middle(self, row: int) -> float:
        return _HEADER + row * (_BOX + _ROW_GAP) + (_BOX + _ROW_GAP) / 2

    def _left(self, cell: Cell) -> float:
        return self.lefts[cell.column]

    def _right(self, cell: Cell) -> float:
        return self.lefts[cell.column] + self.widths[cell.column]

    def _centre(self, cell: Cell) -> float:
        return self.lefts[cell.column] + self.widths[cell.column] / 2


def _colours(kinds: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Fill and line of each kind: in most pictures the same, and in one picture as different as can be."""
    found: dict[str, int] = {}
    for kind in kinds:
        wanted = [(crc32(kind.encode()) + shift) % len(_PALETTE) for shift in range(len(_PALETTE))]
        found[kind] = min(wanted, key=lambda index: sum(taken == index for taken in found.values()))
    return {kind: _PALETTE[index] for kind, index in found.items()}


def _text(
    x: float, y: float, text: str, size: int, colour: str = _INK, weight: int = 400, anchor: str = "start"
) -> str:
    look = f'font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" fill="{colour}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {look}>{escape(text)}</text>'


def _width(text: str, size: int) -> float:
    """How wide a text is, roughly: a file has no way to ask."""
    return 0.6 * size * len(text)
