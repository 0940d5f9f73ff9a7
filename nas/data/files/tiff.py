"""TIFF, through tifffile: 2D, or pages that make 3D; channels as samples (RGB) or as pages that are marked so.

The axes keep their order in the file: pages, rows, columns. The spacing is that of ImageJ's metadata where there is
any in known units, else 1: a plain TIFF's resolution is one for printing.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nas.data.files import StoredImage
from nas.data.geometry import Geometry
from nas.errors import InputError

SUFFIXES = (".tif", ".tiff")

CHANNELS = "SC"
SPACE = "ZIQYX"  # I and Q are pages of unknown meaning
MILLIMETRES = {"mm": 1.0, "millimeter": 1.0, "um": 1e-3, "micron": 1e-3, "µm": 1e-3, "\\u00B5m": 1e-3, "nm": 1e-6}


def axes(path: Path) -> int:
    """The number of spatial axes, read without the voxels."""
    import tifffile

    with tifffile.TiffFile(path) as file:
        return len(_order(path, file.series[0].axes)[1])


def read_image(path: Path) -> StoredImage:
    """The intensities, a channel for each sample or channel page."""
    import tifffile

    with tifffile.TiffFile(path) as file:
        series = file.series[0]
        channels, space = _order(path, series.axes)
        voxels = series.asarray()
        spacing = _spacing(file, len(space))
    voxels = np.transpose(voxels, [*channels, *space])
    return StoredImage(voxels.reshape(-1, *voxels.shape[len(channels) :]), spacing)


read_label = read_image


def _order(path: Path, letters: str) -> tuple[list[int], list[int]]:
    """The places of the channel axes and of the spatial axes among the file's own."""
    channels = [place for place, letter in enumerate(letters) if letter in CHANNELS]
    space = [place for place, letter in enumerate(letters) if letter in SPACE]
    if len(channels) + len(space) < len(letters) or not 2 <= len(space) <= 3:
        raise InputError(f"{path}: axes {letters}; expected YX or ZYX, with channels as C or S, in one file a case")
    return channels, space


def _spacing(file: Any, number: int) -> tuple[float, ...]:
    ones = (1.0,) * number
    about = file.imagej_metadata
    unit = MILLIMETRES.get(str((about or {}).get("unit", "")).lower())
    tags = file.pages[0].tags
    if unit is None or "XResolution" not in tags or "YResolution" not in tags:
        return ones
    pixels = [tags[name].value for name in ("YResolution", "XResolution")]  # pixels a unit, as fractions
    if not all(above > 0 and below > 0 for above, below in pixels):
        return ones
    inside = tuple(unit * below / above for above, below in pixels)
    return (unit * float(about.get("spacing", 1.0)), *inside)[-number:]


def write_label(path: Path, label: npt.NDArray[Any], geometry: Geometry, like: Path | None) -> None:
    """Write label values (*spatial), with ImageJ's metadata where the spacing is known."""
    import tifffile

    if not geometry.measured:
        tifffile.imwrite(path, label, photometric="minisblack")
        return
    *between, rows, columns = geometry.spacing
    metadata = {"unit": "mm", **({"spacing": between[0]} if between else {})}
    tifffile.imwrite(path, label, imagej=True, resolution=(1 / columns, 1 / rows), metadata=metadata)
