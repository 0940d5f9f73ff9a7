"""A plane as a picture: grey values, outlines of the classes that are told apart without colour, letters, a scale."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Any

import numpy as np
import numpy.typing as npt

from nas.data.drawing.planes import Letters, Plane
from nas.data.labelled import IGNORED

SIDE = 300
"""Pixels of the longest side of a volume's planes."""
PICTURE_SIDE = 480
"""Pixels of the longest side of a picture."""
MARGIN = 22
"""Pixels around a plane, for letters and scale."""
LINE = 2
NUMBER = 13
COLOURS = ((230, 159, 0), (86, 180, 233), (0, 190, 140), (240, 228, 66), (213, 94, 0), (204, 121, 167), (255, 255, 255))
"""Okabe and Ito's, told apart by most people with colour blindness, its green lighter, for black ground."""
DASHES = ((1, 0), (6, 4), (2, 3), (12, 3))
"""Pixels drawn and left out along an outline; the first is a whole line."""
NICE = (1, 2, 5)

Window = tuple[float, float]
"""The intensities that are shown black and white."""
_MOST = (0.5, 99.5)
"""Percentiles between which intensities are told apart, so that a few bright voxels do not darken all others."""
_SAMPLED = 100_000
"""About so many voxels are looked at."""


def window_of(intensities: npt.NDArray[np.float32]) -> Window:
    """What most voxels of a channel, (*spatial), have."""
    voxels = intensities.ravel()
    low, high = np.percentile(voxels[:: max(len(voxels) // _SAMPLED, 1)], _MOST)
    return float(low), float(high)


@dataclass(frozen=True)
class Style:
    """How a class is drawn: its number stands beside it."""

    number: int
    name: str
    colour: tuple[int, int, int]
    dash: tuple[int, int]


def styles(classes: Sequence[str]) -> list[Style]:
    """A style for each class but the background; lines of one colour and dash are many classes apart."""
    return [
        Style(number, name, COLOURS[(number - 1) % len(COLOURS)], DASHES[(number - 1) % len(DASHES)])
        for number, name in enumerate(classes[1:], start=1)
    ]


@dataclass(frozen=True)
class Scale:
    """Pixels of the picture for each millimetre, or for each voxel where their size is unknown.

    voxel: what one is called.
    """

    pixels: float
    unit: str
    voxel: str = "voxel"


def scale_of(planes: Sequence[Plane], unit: str, voxel: str = "voxel") -> Scale:
    """One scale for all planes, so that their proportions are the patient's."""
    longest = max(size * step for plane in planes for size, step in zip(plane.label.shape, plane.spacing, strict=True))
    return Scale((SIDE if len(planes) > 1 else PICTURE_SIDE) / longest, unit, voxel)


def draw(plane: Plane, channels: Sequence[int], windows: Sequence[Window], scale: Scale, among: Sequence[Style]) -> Any:
    """A Pillow picture of one channel, or of three as red, green and blue, with the outlines of these classes."""
    from PIL import Image

    steps = zip(plane.label.shape, plane.spacing, strict=True)
    size = tuple(max(round(count * step * scale.pixels), 1) for count, step in steps)
    shown = [_grey(plane.image[channel], window) for channel, window in zip(channels, windows, strict=True)]
    layers = [Image.fromarray(layer).resize(size[::-1], Image.Resampling.BICUBIC) for layer in shown]
    picture = Image.merge("RGB", layers if len(layers) == 3 else layers * 3)
    label = np.asarray(Image.fromarray(np.ascontiguousarray(plane.label)).resize(size[::-1], Image.Resampling.NEAREST))
    pixels = np.array(picture)
    present = [style for style in among if (label == style.number).any()]
    for style in present:
        _outline(pixels, label == style.number, style)
    if (label == IGNORED).any():
        _hatch(pixels, label == IGNORED)
    canvas = Image.new("RGB", (size[1] + 2 * MARGIN, size[0] + 2 * MARGIN))
    canvas.paste(Image.fromarray(pixels), (MARGIN, MARGIN))
    _write_letters(canvas, plane.letters)
    _write_numbers(canvas, label, present)
    _write_scale(canvas, plane.spacing, scale)
    return canvas


def sample(style: Style) -> Any:
    """A short piece of a class's line, for a legend."""
    from PIL import Image

    pixels = np.zeros((11, 40, 3), np.uint8)
    pixels[4:7] = np.where(_drawn(style, np.arange(40))[None, :, None], style.colour, 0)
    return Image.fromarray(pixels)


def font(size: int) -> Any:
    """A font that is there, with as many scripts as it has."""
    from PIL import ImageFont

    for name in ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "Arial Unicode.ttf", "arial.ttf"):
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)


def _grey(channel: npt.NDArray[np.float32], window: Window) -> npt.NDArray[np.uint8]:
    low, high = window
    return np.asarray(np.clip((channel - low) / max(high - low, 1e-12), 0, 1) * 255, np.uint8)


def _outline(pixels: npt.NDArray[np.uint8], inside: npt.NDArray[np.bool_], style: Style) -> None:
    """The rim of a structure, within it, with a dark seam that shows it on bright ground."""
    from scipy.ndimage import binary_erosion

    core = binary_erosion(inside, iterations=LINE)
    rim = inside & ~core
    seam = core & ~binary_erosion(core)
    rows, columns = np.nonzero(rim)
    kept = _drawn(style, rows + columns)
    pixels[seam] //= 2
    pixels[rows[~kept], columns[~kept]] //= 2
    pixels[rows[kept], columns[kept]] = style.colour


def _drawn(style: Style, along: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
    on, off = style.dash
    return np.asarray(along % (on + off) < on)


def _hatch(pixels: npt.NDArray[np.uint8], inside: npt.NDArray[np.bool_]) -> None:
    """Thin lines where nobody knows the class."""
    rows, columns = np.nonzero(inside)
    line = (rows + columns) % 8 == 0
    pixels[rows[line], columns[line]] = 255


def _write_letters(canvas: Any, letters: Letters) -> None:
    from PIL import ImageDraw

    pen, width, height = ImageDraw.Draw(canvas), canvas.width, canvas.height
    middle, edge = (width / 2, height / 2), MARGIN / 2
    places = ((edge, middle[1]), (width - edge, middle[1]), (middle[0], edge), (middle[0], height - edge))
    for letter, place in zip(letters, places, strict=True):
        pen.text(place, letter, fill="white", font=font(15), anchor="mm")


def _write_numbers(canvas: Any, label: npt.NDArray[np.uint8], present: Sequence[Style]) -> None:
    """The number of each class beside it, below the others where they would meet."""
    from PIL import ImageDraw

    pen, taken = ImageDraw.Draw(canvas), list[tuple[float, float]]()
    for style in present:
        left, top = _beside(label == style.number)
        while any(abs(left - x) < NUMBER * 1.2 and abs(top - y) < NUMBER for x, y in taken):
            top += NUMBER
        taken.append((left, top))
        pen.text(
            (left, top),
            str(style.number),
            _lighter(style.colour),
            font(NUMBER),
            "lm",
            stroke_width=1,
            stroke_fill="black",
        )


def _lighter(colour: tuple[int, int, int]) -> tuple[int, int, int]:
    red, green, blue = ((part + 255) // 2 for part in colour)
    return red, green, blue


def _write_scale(canvas: Any, spacing: tuple[float, float], scale: Scale) -> None:
    """A length at the bottom left; at the right, one voxel as large as the plane shows it."""
    from PIL import ImageDraw

    pen, bottom = ImageDraw.Draw(canvas), canvas.height - 5
    length = _nice(SIDE / 4 / scale.pixels)
    pen.line([(4, bottom), (4 + length * scale.pixels, bottom)], fill="white", width=3)
    pen.text((8 + length * scale.pixels, bottom - 1), f"{length:g} {scale.unit}", "white", font(11), "lm")
    rows, columns = (max(step * scale.pixels, 1) for step in spacing)
    if rows <= MARGIN - 6 and columns <= 2 * MARGIN:
        right = canvas.width - 5
        pen.rectangle((right - columns, bottom - rows + 2, right, bottom + 2), fill="white")
        pen.text((right - columns - 4, bottom - 1), scale.voxel, "white", font(11), "rm")


def _beside(inside: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """A place just right of a structure, where a number hides little of it."""
    rows, columns = np.nonzero(inside)
    right = int(columns.argmax())
    return float(min(columns[right] + 4, inside.shape[1] - 8) + MARGIN), float(rows[right] + MARGIN)


def _nice(length: float) -> float:
    """The longest of 1, 2, 5, 10, 20 ... that is not longer."""
    power = 10.0 ** floor(log10(length))
    return max(step for step in NICE if step * power <= length * (1 + 1e-9)) * power
