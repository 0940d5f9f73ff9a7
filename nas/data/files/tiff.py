"""TIFF, through tifffile: 2D, or pages that make 3D; channels as samples (RGB) or as pages that are marked so.

The axes keep their order in the file: pages, rows, columns. The spacing is that of OME's or ImageJ's metadata where
there is any, else that of the resolution tags, unless that is one for printing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt

from nas.data.dataset import Palette
from nas.data.files import StoredImage
from nas.data.geometry import Geometry
from nas.data.memory import expect_memory
from nas.data.notes import Note
from nas.data.pictures import ORIENTATION, grey, opaque, swaps, upright
from nas.data.spacings import in_words
from nas.data.units import is_no_length, is_printed, millimetres
from nas.errors import InputError

SUFFIXES = (".tif", ".tiff")

CHANNELS = "SC"
SPACE = "ZIQYX"  # I and Q are pages of unknown meaning
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _YCBCR, _RAW = 0, 1, 2, 3, 6, 34892
"""Photometric interpretations of TIFF that are read; YCbCr where it is JPEG, which is decoded to RGB."""
_ALPHA = (1, 2)
"""Extra samples that are the opacity, multiplied into the colours or not."""
_MILLIMETRES = {2: 25.4, 3: 10.0}
"""Of the resolution unit: inch, centimetre."""


def axes(path: Path) -> int:
    """The number of spatial axes, read without the voxels."""
    with _opened(path) as file:
        return len(_order(path, file.series[0].axes)[1])


def read_image(path: Path) -> StoredImage:
    """The intensities, a channel for each sample or channel page; a palette as the colours that it shows."""
    return _read(path, colours=True)


def read_label(path: Path) -> StoredImage:
    """The label values; with a palette they are its indices."""
    return _read(path, colours=False)


def write_label(path: Path, label: npt.NDArray[Any], geometry: Geometry, like: Path | None) -> None:
    """Write label values (*spatial), with ImageJ's metadata where the spacing is known."""
    import tifffile

    if not geometry.measured:
        tifffile.imwrite(path, label, photometric="minisblack")
        return
    *between, rows, columns = geometry.spacing
    metadata = {"unit": "mm", **({"spacing": between[0]} if between else {})}
    tifffile.imwrite(path, label, imagej=True, resolution=(1 / columns, 1 / rows), metadata=metadata)


def _opened(path: Path) -> Any:
    import tifffile

    return tifffile.TiffFile(path, _multifile=False)  # a file speaks for itself, not for others beside it


def _read(path: Path, colours: bool) -> StoredImage:
    with _opened(path) as file:
        series, page = file.series[0], file.series[0].keyframe
        channels, space = _order(path, series.axes)
        expect_memory(path, series.shape)
        interpretation = _interpretation(path, page)
        spacing = _spacing(file, len(space))
        notes = spacing.notes + _left_out(file)
        orientation = int(page.tags[ORIENTATION].value) if ORIENTATION in page.tags else 1
        voxels = np.transpose(series.asarray(), [*channels, *space])
        voxels = voxels.reshape(-1, *voxels.shape[len(channels) :])
        palette = page.colormap if interpretation == _PALETTE else None
    if interpretation == _WHITE_IS_ZERO:
        voxels = _inverted(path, voxels, page.bitspersample)
    shown = None if palette is None else _used(palette, voxels)
    if palette is not None and colours:
        voxels, shown = _coloured(palette, voxels), None
    if any(sample in _ALPHA for sample in page.extrasamples):
        voxels = _channels_last(opaque, path, voxels)
    if not colours and interpretation in (_RGB, _YCBCR) and len(voxels) == 3:
        voxels = _channels_last(grey, path, voxels)
    steps = (*spacing.steps[:-2], *spacing.steps[-2:][:: -1 if swaps(orientation) else 1])
    return StoredImage(upright(voxels, orientation), steps, measured=spacing.measured, notes=notes, palette=shown)


def _order(path: Path, letters: str) -> tuple[list[int], list[int]]:
    """The places of the channel axes and of the spatial axes among the file's own."""
    channels = [place for place, letter in enumerate(letters) if letter in CHANNELS]
    space = [place for place, letter in enumerate(letters) if letter in SPACE]
    if len(channels) + len(space) < len(letters) or not 2 <= len(space) <= 3:
        raise InputError(f"{path}: axes {letters}; expected YX or ZYX, with channels as C or S, in one file a case")
    return channels, space


def _interpretation(path: Path, page: Any) -> int:
    """What the numbers of the pixels mean, as TIFF numbers it; InputError where that is not grey or RGB."""
    from tifffile import COMPRESSION

    kind = int(page.photometric if page.photometric is not None else _BLACK_IS_ZERO)
    jpeg = page.compression in (COMPRESSION.JPEG, COMPRESSION.OJPEG)
    if kind not in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _RAW) and not (kind == _YCBCR and jpeg):
        name = getattr(page.photometric, "name", kind)
        raise InputError(
            f"{path}: its photometric interpretation is {name}; expected grey or RGB, so export it again as such"
        )
    return kind


def _inverted(path: Path, voxels: npt.NDArray[Any], bits: int) -> npt.NDArray[Any]:
    """What is stored as 0 is white: as a viewer shows it, where the numbers have a largest one."""
    if voxels.dtype.kind not in "bu":
        raise InputError(
            f"{path}: its photometric interpretation is MINISWHITE, with voxels of type {voxels.dtype}, for which no "
            "number is black; export it again as MINISBLACK"
        )
    return ~voxels if voxels.dtype.kind == "b" else (2**bits - 1) - voxels


def _used(palette: npt.NDArray[np.uint16], voxels: npt.NDArray[Any]) -> Palette:
    """The colour of each index that occurs, in 8 bits a channel."""
    return tuple((int(index), tuple(int(part) >> 8 for part in palette[:, index])) for index in np.unique(voxels))


def _coloured(palette: npt.NDArray[np.uint16], voxels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Indices (1, *spatial) as their colours in 8 bits, (3, *spatial)."""
    return (palette >> 8).astype(np.uint8)[:, voxels[0]]


def _channels_last(
    change: Callable[[Path, npt.NDArray[Any]], npt.NDArray[Any]], path: Path, voxels: npt.NDArray[Any]
) -> npt.NDArray[Any]:
    changed = change(path, np.moveaxis(voxels, 0, -1))
    return changed[None] if changed.ndim < voxels.ndim else np.moveaxis(changed, -1, 0)


def _left_out(file: Any) -> tuple[Note, ...]:
    """A word on further pages that are no part of the image, nor smaller copies of it."""
    others = [series for series in file.series[1:] if not series.keyframe.is_reduced]
    if not others:
        return ()
    sizes = ", ".join(str(tuple(series.shape)) for series in others)
    return (Note("the TIFF has further pages of another size, which are left out", f"of shape {sizes}"),)


@dataclass(frozen=True)
class _Spacing:
    steps: tuple[float, ...]
    measured: bool = True
    notes: tuple[Note, ...] = ()


def _spacing(file: Any, axes: int) -> _Spacing:
    if file.is_ome:
        return _spacing_of_ome(file.ome_metadata, axes)
    if file.imagej_metadata and not is_no_length(str(file.imagej_metadata.get("unit", ""))):
        return _spacing_of_imagej(file, axes)
    return _spacing_of_tags(file.series[0].keyframe.tags, axes)


def _unmeasured(axes: int, *notes: Note) -> _Spacing:
    return _Spacing((1.0,) * axes, measured=False, notes=notes)


def _unknown(unit: str, axes: int) -> _Spacing:
    return _unmeasured(
        axes, Note("the unit of the spacing is not known: the spacing is taken as unknown", f"unit {unit!r}")
    )


def _spacing_of_ome(metadata: str, axes: int) -> _Spacing:
    pixels = next(element for element in ElementTree.fromstring(metadata).iter() if element.tag.endswith("}Pixels"))
    names = [name for name in "ZYX"[-axes:] if f"PhysicalSize{name}" in pixels.attrib]
    if not {"Y", "X"} <= set(names):
        return _unmeasured(axes)
    units = [pixels.attrib.get(f"PhysicalSize{name}Unit", "µm") for name in names]
    factors = [millimetres(unit) for unit in units]
    for unit, factor in zip(units, factors, strict=True):
        if factor is None:
            return _unmeasured(axes) if is_no_length(unit) else _unknown(unit, axes)
    sizes = [float(pixels.attrib[f"PhysicalSize{name}"]) for name in names]
    steps = tuple(size * factor for size, factor in zip(sizes, factors, strict=True) if factor is not None)
    return _Spacing(steps) if len(steps) == axes else _of_pixels_alone(steps)


def _spacing_of_imagej(file: Any, axes: int) -> _Spacing:
    about, tags = file.imagej_metadata, file.pages[0].tags
    unit = str(about["unit"])
    factor = millimetres(unit)
    if factor is None:
        return _unknown(unit, axes)
    resolution = _resolution(tags)
    if resolution is None:
        return _unmeasured(axes)
    inside = tuple(factor / per_unit for per_unit in resolution)
    return _Spacing((factor * float(about.get("spacing", 1.0)), *inside)[-axes:])


def _spacing_of_tags(tags: Mapping[str, Any], axes: int) -> _Spacing:
    unit = int(tags["ResolutionUnit"].value) if "ResolutionUnit" in tags else 2
    resolution = _resolution(tags)
    if resolution is None or unit not in _MILLIMETRES:
        return _unmeasured(axes)
    steps = tuple(_MILLIMETRES[unit] / per_unit for per_unit in resolution)
    if all(is_printed(25.4 / step) for step in steps):
        return _unmeasured(axes)
    return _Spacing(steps) if axes == 2 else _of_pixels_alone(steps)


def _of_pixels_alone(steps: tuple[float, ...]) -> _Spacing:
    return _unmeasured(
        3,
        Note(
            "the TIFF tells the spacing of its pixels and not that of its pages: all of it is taken as unknown, unless "
            'NAME.json beside it says {"spacing": [pages, rows, columns]} in mm',
            f"pixels {in_words(steps)} mm",
        ),
    )


def _resolution(tags: Mapping[str, Any]) -> tuple[float, float] | None:
    """Pixels a unit along rows and columns, where the file gives them."""
    if "XResolution" not in tags or "YResolution" not in tags:
        return None
    fractions: Sequence[tuple[int, int]] = [tags[name].value for name in ("YResolution", "XResolution")]
    if not all(above > 0 and below > 0 for above, below in fractions):
        return None
    down, across = (above / below for above, below in fractions)
    return down, across
