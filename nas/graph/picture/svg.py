"""A sheet as SVG: no scripts, no references, no ids, so that many can stand in one page.

Colours stand in attributes, which a page's style sheet overrides by class; `DARK` does so for dark pages.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from xml.sax.saxutils import escape, quoteattr
from zlib import crc32

from nas.graph.picture.columns import slab
from nas.graph.picture.shapes import Block, Line, Point, Sheet, Sign, Word

PALETTE = (
    ("#77aadd", "#2f5f8f"),
    ("#44bb99", "#1c7058"),
    ("#eedd88", "#8f7a14"),
    ("#bbcc33", "#68740f"),
    ("#ffaabb", "#b0506a"),
    ("#aaaa00", "#5f5f00"),
    ("#99ddff", "#2d7ea6"),
    ("#c3a5dc", "#6c4390"),
    ("#ee8866", "#a2452a"),
)
"""Fill and line. Paul Tol's light scheme and a violet: told apart by most people with colour blindness."""
_SALT = "119244"
"""A number with which the kinds that often stand in one network get different colours at once."""
_PLAIN = ("#dddddd", "#666666")
_INK, _MUTED, _FLOW, _SKIP, _PAPER, _BAND, _MARK = (
    "#1a1a1a",
    "#5c5c5c",
    "#4a4a4a",
    "#00687a",
    "#ffffff",
    "#f5f6f7",
    "#b5006a",
)
_FONT = "Helvetica, Arial, 'DejaVu Sans', sans-serif"
DARK = (
    ".nas-net .ink,.nas-net .flow{fill:#e8e8e8}.nas-net .muted{fill:#a9a9a9}.nas-net .paper{fill:#17191c}"
    ".nas-net .band{fill:#202327}.nas-net .skip{fill:#4fc3d9}.nas-net .mark{fill:#ff79c0}"
    ".nas-net .flow-line{stroke:#c4c4c4}.nas-net .flow-head{fill:#c4c4c4}"
    ".nas-net .skip-line{stroke:#4fc3d9}.nas-net .skip-head{fill:#4fc3d9}"
    ".nas-net .sign{fill:#17191c;stroke:#e8e8e8}.nas-net .sign-line{stroke:#e8e8e8}.nas-net .mark-line{stroke:#ff79c0}"
)
"""The rules of a style sheet for pictures that stand in a dark page."""


def svg(sheet: Sheet, *, tooltips: bool = True) -> str:
    """The text of the file; without tooltips, what each block is stands in the description alone."""
    width, height = _number(sheet.width), _number(sheet.height)
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    start = f'<svg xmlns="http://www.w3.org/2000/svg" class="nas-net" {size} role="img" font-family={quoteattr(_FONT)}>'
    body = [
        f"<title>{_text(sheet.title)}</title>",
        f"<desc>{_text(sheet.description)}</desc>",
        f'<rect class="paper" width="{width}" height="{height}" fill="{_PAPER}"/>',
        *_bands(sheet),
        *_lines(sheet.lines),
        *_blocks(sheet.blocks, colours_of(sheet.kinds), tooltips),
        *_signs(sheet.signs),
        *_words(sheet.words),
    ]
    return "\n".join([start, *body, "</svg>", ""])


def colours_of(kinds: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Fill and line of each kind: in most pictures the same, and in one picture as different as can be."""
    wanted = {kind: crc32(f"{_SALT}{kind}".encode()) % len(PALETTE) for kind in kinds}
    # Who asks first gets what it wants; the others what is left, so that they turn nobody away.
    taken = {index: kind for kind, index in reversed(wanted.items())}
    colours = {kind: index for index, kind in taken.items()}
    for kind in wanted:
        if kind not in colours:
            shifted = [(wanted[kind] + shift) % len(PALETTE) for shift in range(len(PALETTE))]
            colours[kind] = min(shifted, key=lambda index: list(colours.values()).count(index))
    return {kind: PALETTE[index] for kind, index in colours.items()}


def _bands(sheet: Sheet) -> Iterator[str]:
    for band in sheet.bands[::2]:
        size = f'x="6" width="{_number(sheet.width - 12)}" y="{_number(band.top)}" height="{_number(band.height)}"'
        yield f'<rect class="band" rx="4" {size} fill="{_BAND}"/>'


def _lines(lines: Sequence[Line]) -> Iterator[str]:
    for role, colour, dash in (("flow", _FLOW, ""), ("skip", _SKIP, "")):
        own = [line for line in lines if line.role == role]
        if own:
            path = "".join(map(_path, own))
            heads = "".join(_head(line.points[-2], line.points[-1]) for line in own if line.has_head)
            look = f'fill="none" stroke="{colour}" stroke-width="1.4"{dash}'
            yield f'<path class="{role}-line" {look} d="{path}"/>'
            yield f'<path class="{role}-head" fill="{colour}" d="{heads}"/>'


_CORNER = 6.0


def _path(line: Line) -> str:
    """Straight pieces with round corners."""
    points = line.points
    parts = [f"M{_point(points[0])}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        radius = min(_CORNER, _length(before, corner) / 2, _length(corner, after) / 2)
        parts.append(f"L{_point(_towards(corner, before, radius))}")
        parts.append(f"Q{_point(corner)} {_point(_towards(corner, after, radius))}")
    parts.append(f"L{_point(_towards(points[-1], points[-2], 4.0 if line.has_head else 0))}")
    return "".join(parts)


def _head(before: Point, tip: Point) -> str:
    x, y = _towards(tip, before, 6.5)
    length = _length(before, tip) or 1
    across = (tip[1] - before[1]) / length * 2.8, (before[0] - tip[0]) / length * 2.8
    return f"M{_point(tip)}L{_point((x + across[0], y + across[1]))}L{_point((x - across[0], y - across[1]))}Z"


def _length(first: Point, second: Point) -> float:
    return abs(first[0] - second[0]) + abs(first[1] - second[1])


def _towards(start: Point, end: Point, distance: float) -> Point:
    length = _length(start, end) or 1
    return start[0] + (end[0] - start[0]) * distance / length, start[1] + (end[1] - start[1]) * distance / length


def _blocks(blocks: Sequence[Block], colours: dict[str, tuple[str, str]], tooltips: bool) -> Iterator[str]:
    """Blocks, each with its text alternative; without those all of one colour at once."""
    shapes = [(block, colours[block.kind] if not block.is_plain else _PLAIN, "".join(_bars(block))) for block in blocks]
    if tooltips:
        for block, look, path in shapes:
            title = f"<title>{_text(block.told)}</title>" if block.told else ""
            yield f'<g {_filled(look)}>{title}<path d="{path}"/></g>'
    else:
        for look in dict.fromkeys(look for _, look, _ in shapes):
            path = "".join(path for _, other, path in shapes if other == look)
            yield f'<path {_filled(look)} d="{path}"/>'
    branches = "".join(text for block in blocks for text in _branch_words(block))
    if branches:
        yield f'<g font-size="8.5" text-anchor="middle" fill="{_INK}">{branches}</g>'
    marked = "".join(_bar(b.left - 3, b.top - 3, b.width + 6, b.height + 6) for b in blocks if b.is_marked)
    if marked:
        line = f'fill="none" stroke="{_MARK}" stroke-width="2" stroke-dasharray="5 3"'
        yield f'<path class="mark-line" {line} d="{marked}"/>'


def _filled(look: tuple[str, str]) -> str:
    return f'fill="{look[0]}" stroke="{look[1]}" stroke-linejoin="round"'


def _bars(block: Block) -> Iterator[str]:
    if block.branches:
        step = block.height / len(block.branches)
        for number in range(len(block.branches)):
            yield _bar(block.left, block.top + number * step + 0.75, block.width, step - 1.5)
        return
    thickness, gap = slab(block.units)
    if block.units == 1:
        thickness = block.width
    for number in range(block.units):
        yield _bar(block.left + number * (thickness + gap), block.top, thickness, block.height)


def _branch_words(block: Block) -> Iterator[str]:
    for number, text in enumerate(block.branches):
        middle = block.top + (number + 0.5) * block.height / len(block.branches) + 3
        yield f'<text x="{_number(block.left + block.width / 2)}" y="{_number(middle)}">{_text(text)}</text>'


def _bar(left: float, top: float, width: float, height: float) -> str:
    return f"M{_point((left, top))}h{_number(width)}v{_number(height)}h{_number(-width)}z"


def _signs(signs: Sequence[Sign]) -> Iterator[str]:
    if not signs:
        return
    circles = "".join(f'<circle cx="{_number(sign.x)}" cy="{_number(sign.y)}" r="7"/>' for sign in signs)
    strokes = {"add": "m-4 0h8m-4-4v8", "gate": "m-3-3l6 6m0-6l-6 6", "concatenate": "m-1.6-4v8m3.2-8v8"}
    path = "".join(f"M{_point((sign.x, sign.y))}{strokes.get(sign.kind, '')}" for sign in signs)
    yield (
        f'<g class="sign" fill="{_PAPER}" stroke="{_INK}" stroke-width="1.2">{circles}<path class="sign-line"'
        f' fill="none" d="{path}"/></g>'
    )


def _words(words: Sequence[Word]) -> Iterator[str]:
    def look(word: Word) -> tuple[str, float, str, bool]:
        return word.role, word.size, word.anchor, word.bold

    fills = {"ink": _INK, "muted": _MUTED, "mark": _MARK}
    for (role, size, anchor, bold), own in groupby(sorted(words, key=look), look):
        weight = ' font-weight="bold"' if bold else ""
        texts = "".join(f'<text x="{_number(word.x)}" y="{_number(word.y)}">{_text(word.text)}</text>' for word in own)
        attributes = f'class="{role}" fill="{fills[role]}" font-size="{_number(size)}" text-anchor="{anchor}"{weight}'
        yield f"<g {attributes}>{texts}</g>"


_NOT_IN_XML = re.compile(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _text(text: str) -> str:
    """A text as it may stand in XML, whatever is in it."""
    return escape(_NOT_IN_XML.sub("?", text))


def _point(point: Point) -> str:
    return f"{_number(point[0])} {_number(point[1])}"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
