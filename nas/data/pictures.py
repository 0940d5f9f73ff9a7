"""Pictures through Pillow, as a viewer shows them: turned as they say, palettes in their colours, 16 bits kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nas.data.dataset import Palette
from nas.data.memory import expect_memory
from nas.data.stored import StoredImage
from nas.data.units import is_printed
from nas.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

ORIENTATION = 274
"""The tag of EXIF and TIFF that says how a picture is turned."""
OPAQUE = 255
MODES = {"1", "L", "LA", "P", "PA", "I", "I;16", "I;16B", "I;16L", "F", "RGB", "RGBA"}
LOSSY = {"JPEG", "MPO", "JPEG2000", "WEBP"}
_IHDR = slice(24, 26)  # of a PNG: bits a channel, and the kind of its colours
_GREY, _WITH_PALETTE = 0, 3


def read_picture(path: Path, colours: bool) -> StoredImage:
    """Any file that Pillow reads as one picture: an image where its colours count, else a label."""
    with _opened(path) as picture:
        _expect_known_colours(path, picture)
        if not colours and picture.format in LOSSY:
            raise lossy_label(path, str(picture.format))
        expect_memory(path, (*picture.size, len(picture.getbands())))
        orientation = picture.getexif().get(ORIENTATION, 1)
        spacing = _spacing(picture)
        palette = None if colours else _palette(picture)
        pixels = _pixels(path, picture, colours)
    channels = pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)
    steps = (spacing or (1.0, 1.0))[:: -1 if swaps(orientation) else 1]
    return StoredImage(upright(channels, orientation), steps, measured=spacing is not None, palette=palette)


def upright(array: npt.NDArray[Any], orientation: int) -> npt.NDArray[Any]:
    """A view of an array (..., rows, columns) as its EXIF orientation, 1 to 8, says that it is to be shown."""
    if orientation in (2, 3, 7, 8):
        array = array[..., ::-1]
    if orientation in (3, 4, 6, 7):
        array = array[..., ::-1, :]
    return array.swapaxes(-1, -2) if swaps(orientation) else array


def swaps(orientation: int) -> bool:
    """Whether an orientation makes columns of rows."""
    return orientation in (5, 6, 7, 8)


def opaque(path: Path, pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Pixels (..., channels) without their last channel, how opaque they are; InputError where some are not."""
    most = np.iinfo(pixels.dtype).max if pixels.dtype.kind == "u" else 1
    if not (pixels[..., -1] == most).all():
        raise InputError(
            f"{path}: has transparent pixels (an alpha channel), which no two viewers show alike; export it without "
            "transparency"
        )
    return pixels[..., 0] if pixels.shape[-1] == 2 else pixels[..., :-1]


def grey(path: Path, pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A label in colours (..., channels) as one in grey; InputError where it is really coloured."""
    if not (pixels == pixels[..., :1]).all():
        raise InputError(
            f"{path}: channels: found {pixels.shape[-1]}, a label in colours; expected one, with a class's value in "
            "every voxel"
        )
    return pixels[..., 0]


def lossy_label(path: Path, kind: str) -> InputError:
    """The error that a label in a lossy format deserves."""
    return InputError(
        f"{path}: a label in {kind}, whose lossy compression changes class values near every edge; "
        "export it again as PNG or TIFF"
    )


@contextmanager
def _opened(path: Path) -> Iterator["Image"]:
    """A picture of any size: Pillow's own limit is for web servers, and ours is the memory."""
    from PIL import Image

    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        with Image.open(path) as picture:
            yield picture
    finally:
        Image.MAX_IMAGE_PIXELS = before


def _expect_known_colours(path: Path, picture: "Image") -> None:
    if picture.format == "TIFF":
        raise InputError(f"{path}: is a TIFF by its content; expected what its name says, so call it .tif")
    if picture.mode not in MODES:
        raise InputError(
            f"{path}: colours of the kind {picture.mode}; expected grey or RGB, so export it again as such"
        )
    frames: int = getattr(picture, "n_frames", 1)
    if frames > 1 and picture.format != "MPO":  # MPO: a photograph and its previews
        raise InputError(f"{path}: holds {frames} pictures; expected one, or a TIFF whose pages are slices")


def _pixels(path: Path, picture: "Image", colours: bool) -> npt.NDArray[Any]:
    if _has_wide_colours(path, picture):
        pixels = _wide_pixels(path)
        pixels = opaque(path, pixels) if pixels.shape[-1] in (2, 4) else pixels
    elif picture.mode in ("P", "PA") and not colours:
        return np.asarray(picture)[..., 0] if picture.mode == "PA" else np.asarray(picture)
    elif picture.mode in ("P", "PA"):
        return opaque(path, np.asarray(picture.convert("RGBA")))
    elif picture.mode in ("LA", "RGBA"):
        pixels = opaque(path, np.asarray(picture))
    elif colours and picture.mode in ("L", "RGB") and "transparency" in picture.info:
        pixels = opaque(path, np.asarray(picture.convert("RGBA")))
        return pixels[..., 0] if picture.mode == "L" else pixels
    else:
        pixels = np.asarray(picture)
    return pixels if colours or pixels.ndim == 2 else grey(path, pixels)


def _has_wide_colours(path: Path, picture: "Image") -> bool:
    """Whether it is a PNG of 16 bits a channel and more than one channel, of which Pillow drops 8 bits."""
    if picture.format != "PNG":
        return False
    with path.open("rb") as file:
        bits, kind = file.read(_IHDR.stop)[_IHDR]
    return bits == 16 and kind not in (_GREY, _WITH_PALETTE)


def _wide_pixels(path: Path) -> npt.NDArray[Any]:
    from imagecodecs import png_decode

    return np.asarray(png_decode(path.read_bytes()))


def _palette(picture: "Image") -> Palette | None:
    """The colour of each index that occurs."""
    if picture.mode != "P":
        return None
    colours = np.array(picture.getpalette("RGB"), np.uint8).reshape(-1, 3)
    used = [index for index, count in enumerate(picture.histogram()) if count and index < len(colours)]
    return tuple((index, tuple(int(part) for part in colours[index])) for index in used)


def _spacing(picture: "Image") -> tuple[float, float] | None:
    """Of rows and of columns in mm, where the file gives them; the density in a JPEG is the camera's, for printing."""
    across, down = picture.info.get("dpi", (0, 0)) if picture.format not in LOSSY else (0, 0)
    if not (across > 0 and down > 0) or (is_printed(across) and is_printed(down)):
        return None
    return 25.4 / float(down), 25.4 / float(across)
