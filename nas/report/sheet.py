"""Pictures of cases as one picture, for those who take no page."""

from collections.abc import Sequence
from io import BytesIO
from textwrap import wrap
from typing import Any

from nas.report.images import CaseImages, Images
from nas.wording import readable

_LETTERS, _LINE, _GAP, _NARROWEST = 70, 20, 6, 640
"""Letters in a line, pixels of its height, between pictures, and of the whole width at least."""


def sheet(images: Images) -> Any:
    """Cases below each other as one Pillow picture; where there are none, the reason."""
    from PIL import Image as Picture

    rows = [_row(case) for case in images.cases] or [_titled(images.missing, [])]
    canvas = Picture.new("RGB", (max(row.width for row in rows), sum(row.height for row in rows)), "white")
    top = 0
    for row in rows:
        canvas.paste(row, (0, top))
        top += row.height
    return canvas


def _row(case: CaseImages) -> Any:
    from PIL import Image as Picture

    return _titled(f"{case.title}. {case.words}", [Picture.open(BytesIO(image.png)) for image in case.images])


def _titled(words: str, pictures: Sequence[Any]) -> Any:
    from PIL import Image as Picture
    from PIL import ImageDraw

    from nas.data.drawing.picture import font

    lines = wrap(readable(words), _LETTERS)
    head, width = 8 + _LINE * len(lines), sum(picture.width + _GAP for picture in pictures)
    height = head + max((picture.height for picture in pictures), default=0) + _GAP
    row = Picture.new("RGB", (max(width, _NARROWEST), height), "white")
    ImageDraw.Draw(row).multiline_text((4, 4), "\n".join(lines), fill="black", font=font(_LINE - 6))
    left = 0
    for picture in pictures:
        row.paste(picture, (left, head))
        left += picture.width + _GAP
    return row
