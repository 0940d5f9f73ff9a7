"""JPEG, through Pillow: grey or colour images. Labels are refused, because its compression changes their values."""

from pathlib import Path

from nas.data.files import StoredImage
from nas.data.files.png import axes
from nas.data.pictures import lossy_label, read_picture

SUFFIXES = (".jpg", ".jpeg")

__all__ = ["SUFFIXES", "axes", "read_image", "read_label"]


def read_image(path: Path) -> StoredImage:
    """The intensities."""
    return read_picture(path, colours=True)


def read_label(path: Path) -> StoredImage:
    """Always an InputError."""
    raise lossy_label(path, "JPEG")
