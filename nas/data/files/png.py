"""PNG, through Pillow: grey or colour, a channel each, of up to 16 bits. The axes are rows, then columns."""

from pathlib import Path
from typing import Any

import numpy.typing as npt

from nas.data.files import StoredImage
from nas.data.geometry import Geometry
from nas.data.pictures import read_picture

SUFFIXES = (".png",)

__all__ = ["SUFFIXES", "axes", "read_image", "read_label", "read_picture", "write_label"]


def axes(path: Path) -> int:
    """Always 2."""
    return 2


def read_image(path: Path) -> StoredImage:
    """The intensities; a picture with a palette is read as the colours it shows."""
    return read_picture(path, colours=True)


def read_label(path: Path) -> StoredImage:
    """The label values; in a picture with a palette they are its indices, whatever colours they are shown in."""
    return read_picture(path, colours=False)


def write_label(path: Path, label: npt.NDArray[Any], geometry: Geometry, like: Path | None) -> None:
    """Write label values (rows, columns) as grey, of 8 or 16 bits."""
    from PIL import Image

    Image.fromarray(label).save(path)
