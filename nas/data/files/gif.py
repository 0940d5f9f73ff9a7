"""GIF, through Pillow: one picture of greys, or of colours with a channel each. The axes are rows, then columns.

Its numbers are places in a palette, in an order that means nothing. A label's values are the greys that it shows, as
in the masks of DRIVE; one that shows colours is refused.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nas.data.files import StoredImage
from nas.errors import InputError

SUFFIXES = (".gif",)


def axes(path: Path) -> int:
    """Always 2."""
    return 2


def read_image(path: Path) -> StoredImage:
    """The intensities: one channel where all that the picture shows is grey, else three."""
    colours = _shown(path)
    return _stored(colours[:1] if _grey(colours) else colours)


def read_label(path: Path) -> StoredImage:
    """The greys that the picture shows; InputError where it shows colours."""
    colours = _shown(path)
    if not _grey(colours):
        raise InputError(f"{path}: a label in colours, which are no values; export it as PNG with a value a class")
    return _stored(colours[:1])


def _stored(voxels: npt.NDArray[np.uint8]) -> StoredImage:
    """A picture that does not say how large its pixels are."""
    return StoredImage(voxels, (1.0, 1.0), measured=False, oriented=False)


def _shown(path: Path) -> npt.NDArray[np.uint8]:
    """Red, green and blue, (3, rows, columns)."""
    from PIL import Image

    with Image.open(path) as picture:
        frames: Any = getattr(picture, "n_frames", 1)
        if frames != 1:
            raise InputError(f"{path}: {frames} pictures in one file; expected one, so export each by itself")
        return np.moveaxis(np.asarray(picture.convert("RGB")), -1, 0)


def _grey(colours: npt.NDArray[np.uint8]) -> bool:
    return bool((colours == colours[:1]).all())
