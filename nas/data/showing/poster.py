"""A sheet as one picture, for a slide or a mail."""

from collections.abc import Iterator, Sequence
from typing import Any

from nas.data.drawing.picture import MARGIN, SIDE, font, sample
from nas.data.showing.sheet import Amount, CaseView, Panel, Sheet, figure

WIDTH = 3 * (SIDE + 2 * MARGIN) + 80
EDGE, GAP = 24, 12
INK, FAINT, PAPER = (26, 26, 26), (85, 85, 85), (255, 255, 255)
TITLE, HEADING, TEXT, CAPTION = 24, 18, 14, 12
BAR = 200

Block = Any
"""A Pillow picture as wide as the sheet."""


def poster(sheet: Sheet) -> Any:
    """The sheet as a Pillow picture."""
    from PIL import Image

    blocks = [*_head(sheet), *(block for case in sheet.cases for block in _case(case))]
    height = sum(block.height for block in blocks) + 2 * EDGE
    canvas = Image.new("RGB", (WIDTH + 2 * EDGE, height), PAPER)
    top = EDGE
    for block in blocks:
        canvas.paste(block, (EDGE, top))
        top += block.height
    return canvas


def _head(sheet: Sheet) -> Iterator[Block]:
    yield _text(sheet.title, TITLE)
    yield _text(sheet.facts, TEXT, FAINT)
    for style in sheet.classes:
        row = _text(f"{style.number:>3}  {style.name}", TEXT, left=52)
        row.paste(sample(style), (0, 4))
        yield row
    yield from _warnings(sheet.warnings)


def _warnings(warnings: tuple[str, ...]) -> Iterator[Block]:
    for warning in warnings:
        yield _text(f"warning: {warning}", TEXT, bar=True)


def _case(case: CaseView) -> Iterator[Block]:
    yield _space(GAP, line=True)
    yield _text(case.name, HEADING)
    yield _text(f"{case.reason}: {case.facts}", TEXT, FAINT)
    yield from _warnings(case.warnings)
    yield from _rows(case.panels)
    for amount in case.amounts:
        yield _amount(amount, case.unit)
    if case.absent:
        yield _text(f"not in this case: {', '.join(case.absent)}", TEXT, FAINT)


def _rows(panels: Sequence[Panel]) -> Iterator[Block]:
    """The panels side by side, as many as fit."""
    row: list[Panel] = []
    for panel in panels:
        if row and sum(_width(other) + GAP for other in [*row, panel]) > WIDTH + GAP:
            yield _row(row)
            row = []
        row.append(panel)
    yield _row(row)


def _width(panel: Panel) -> int:
    return max(int(panel.picture.width), int(font(CAPTION).getlength(_readable(panel.caption))))


def _row(panels: Sequence[Panel]) -> Block:
    from PIL import Image, ImageDraw

    height = max(panel.picture.height for panel in panels)
    row = Image.new("RGB", (WIDTH, height + TEXT + GAP), PAPER)
    pen, left = ImageDraw.Draw(row), 0
    for panel in panels:
        row.paste(panel.picture, (left, height - panel.picture.height))
        pen.text((left, height + 2), _readable(panel.caption), fill=FAINT, font=font(CAPTION))
        left += _width(panel) + GAP
    return row


def _amount(amount: Amount, unit: str) -> Block:
    from PIL import ImageDraw

    row = _text(f"{amount.style.number:>3}  {amount.style.name}: {figure(amount.amount)} {unit}", TEXT, left=BAR + GAP)
    pen = ImageDraw.Draw(row)
    pen.rectangle((0, 4, BAR, 15), outline=FAINT)
    if amount.most:
        pen.rectangle((0, 4, BAR * min(amount.amount / amount.most, 1), 15), fill=FAINT)
        middle = BAR * min(amount.median / amount.most, 1)
        pen.rectangle((middle - 2, 1, middle + 1, 18), fill=INK, outline=PAPER)
    return row


def _text(text: str, size: int, ink: tuple[int, int, int] = INK, left: int = 0, bar: bool = False) -> Block:
    """Lines that are broken where they are wider than the sheet; a bar marks a warning."""
    from PIL import Image, ImageDraw

    letters, lines = font(size), [""]
    indent = left + (GAP if bar else 0)
    for word in _readable(text).split(" "):
        for piece in _pieces(word, letters, WIDTH - indent):
            joined = f"{lines[-1]} {piece}" if lines[-1] else piece
            if letters.getlength(joined) <= WIDTH - indent:
                lines[-1] = joined
            else:
                lines.append(piece)
    height = int(size * 1.4)
    block = Image.new("RGB", (WIDTH, height * len(lines) + 2), PAPER)
    pen = ImageDraw.Draw(block)
    for number, line in enumerate(lines):
        pen.text((indent, number * height), line, fill=ink, font=letters)
    if bar:
        pen.rectangle((0, 1, 4, block.height - 3), fill=INK)
    return block


def _pieces(word: str, letters: Any, width: int) -> Iterator[str]:
    """A word, in pieces that fit where it is longer than a line."""
    while letters.getlength(word) > width:
        count = max(int(len(word) * width / letters.getlength(word)) - 1, 1)
        yield word[:count]
        word = word[count:]
    yield word


def _space(height: int, line: bool = False) -> Block:
    from PIL import Image, ImageDraw

    block = Image.new("RGB", (WIDTH, 2 * height), PAPER)
    if line:
        ImageDraw.Draw(block).line((0, height, WIDTH, height), fill=(187, 187, 187))
    return block


def _readable(text: str) -> str:
    """Without what would break a line."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
