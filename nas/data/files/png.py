"""PNG, through Pillow: grey of 8 or 16 bits, or colour with a channel each. The axes are rows, then columns."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nas.data.files import StoredImage
from nas.data.geometry import Geometry

SUFFIXES = (".png",)
SPACING = (1.0, 1.0)  # a picture does not say how large its pixels are


def axes(path: Path) -> int:
    """Always 2."""
    return 2


def read_image(path: Path) -> StoredImage:
    """The intensities; a picture with a palette is read as the colours it shows."""
    return read_picture(path, colours=True)


def read_label(path: Path) -> StoredImage:
    """The label values; in a picture with a palette they are its indices, whatever colours they are shown in."""
    return read_picture(path, colours=False)


def read_picture(path: Path, colours: bool) -> StoredImage:
    """Any file that Pillow reads as one picture."""
    from PIL import Image

    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB") if colours and picture.mode == "P" else picture)
    channels = pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)
    return StoredImage(channels, SPACING)


def write_label(path: Path, label: npt.NDArray[Any], geometry: Geometry, like: Path | None) -> None:
    """Write label values (rows, columns) as grey, of 8 or 16 bits."""
    from PIL import Image

    Image.fromarray(label).save(path)
