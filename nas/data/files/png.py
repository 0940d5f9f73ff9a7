"""PNG, through Pillow: grey or colour, a channel each, of up to 16 bits. The axes are rows, then columns."""

from pathlib import Path

from nas.data.files import StoredImage
from nas.data.pictures import read_picture

SUFFIXES = (".png",)

__all__ = ["SUFFIXES", "axes", "read_image", "read_label", "read_picture"]


def axes(path: Path) -> int:
    """Always 2."""
    return 2


def read_image(path: Path) -> StoredImage:
    """The intensities; a picture with a palette is read as the colours it shows."""
    return read_picture(path, colours=True)


def read_label(path: Path) -> StoredImage:
    """The label values; in a picture with a palette they are its indices, whatever colours they are shown in."""
    return read_picture(path, colours=False)
