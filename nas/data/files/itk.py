"""NRRD and MetaImage (MHA, MHD), through SimpleITK: `pip install 'nas[itk]'`.

Volumes keep the order of axes that the file has, x, y, z, as NIfTI does, and are placed by its affine, turned from
left, posterior, superior to right, anterior, superior. Pictures have rows, then columns. Channels are the components of
a voxel, or a fourth axis. What SimpleITK keeps silent about (units, and whether there is a spacing or an orientation at
all) is read from the header, which is text. A segmentation of 3D Slicer's (.seg.nrrd) is laid on the grid of its image.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nas.data.extras import needed
from nas.data.files import StoredImage
from nas.data.laying import laid_on
from nas.data.memory import expect_memory
from nas.data.units import is_no_length, millimetres
from nas.errors import InputError, did_you_mean

SUFFIXES = (".nrrd", ".nhdr", ".mha", ".mhd")
LONGEST_HEADER = 10_000  # lines; a header of a few thousand lists the slices of a volume
TURNED = np.diag([-1.0, -1.0, 1.0, 1.0])
"""From left, posterior, superior, in which ITK and DICOM place voxels, to right, anterior, superior."""


def axes(path: Path) -> int:
    """The number of spatial axes, from the header."""
    return _spatial_axes(path, _reader(path).GetDimension())


def read_image(path: Path) -> StoredImage:
    """The voxels, a channel for each component or along the fourth axis, with spacing and affine."""
    reader, header = _reader(path), _header(path)
    spatial = _spatial_axes(path, reader.GetDimension())
    expect_memory(path, (*reader.GetSize(), reader.GetNumberOfComponents()))
    return stored_image(executed(reader), spatial, _unit(path, header), _has_spacing(header), _has_orientation(header))


read_label = read_image


def grid(path: Path) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """The spatial shape and the spacing, from the header."""
    reader, unit = _reader(path), _unit(path, _header(path))
    spatial = _spatial_axes(path, reader.GetDimension())
    size = tuple(int(along) for along in reader.GetSize()[:spatial])
    spacing = tuple(unit * float(step) for step in reader.GetSpacing()[:spatial])
    return (size, spacing) if spatial == 3 else (size[::-1], spacing[::-1])


def read_label_on(path: Path, image: StoredImage) -> StoredImage:
    """The label; one of 3D Slicer's, which is stored without the empty ground around it, on the image's grid."""
    stored = read_label(path)
    if not _segments(path) or stored.affine is None or len(stored.voxels) > 1:
        return stored  # several layers are refused as channels, unless a layout names the segments
    return replace(image, voxels=laid_on(path, stored.voxels[0], stored.affine, image)[None], notes=(), palette=None)


def read_structure(path: Path, names: tuple[str, ...], image: StoredImage) -> StoredImage:
    """Where 3D Slicer's segment of one of these names is, booleans (1, *spatial) on the image's grid."""
    segments, stored = _segments(path), read_label(path)
    chosen = [segment for segment in segments if segment.name in names]
    if not chosen or stored.affine is None:
        known = [segment.name for segment in segments]
        advice = did_you_mean(names[0], known) if known else "expected a segmentation of 3D Slicer, .seg.nrrd"
        raise InputError(f"{path}: no segment is called {names[0]!r}; {advice}")
    inside = np.any([stored.voxels[segment.layer] == segment.value for segment in chosen], axis=0)
    return replace(image, voxels=laid_on(path, inside, stored.affine, image)[None], notes=(), palette=None)


@dataclass(frozen=True)
class _Segment:
    name: str
    value: int
    layer: int


def _segments(path: Path) -> list[_Segment]:
    """What the fields Segment0_Name, Segment0_LabelValue and Segment0_Layer say."""
    header = {name.lower(): value for name, value in _header(path).items()}
    numbers = sorted({int(match[1]) for name in header if (match := re.fullmatch(r"segment(\d+)_name", name))})
    return [
        _Segment(
            header[f"segment{number}_name"],
            int(header.get(f"segment{number}_labelvalue", 1)),
            int(header.get(f"segment{number}_layer", 0)),
        )
        for number in numbers
    ]


def parts(path: Path) -> tuple[Path, ...]:
    """The file, and those with the voxels that its header names."""
    header = _header(path)
    named = header.get("elementdatafile") or header.get("data file") or header.get("datafile") or "local"
    first, *others = named.split("\n")
    if first.lower() == "local":
        return (path,)
    if first.lower().startswith("list"):
        return (path, *(path.parent / other for other in others if other))
    if "%" in first:  # a pattern, and the numbers that it is filled with
        return (path, *sorted(path.parent.glob(re.sub(r"%\d*d", "*", first.split()[0]))))
    return (path, path.parent / first)


def informed(reader: Any) -> None:
    """Let a reader read all but the voxels; ValueError says why it cannot."""
    _in_short(reader.ReadImageInformation)


def executed(reader: Any) -> Any:
    """What a reader reads; ValueError says why it cannot."""
    return _in_short(reader.Execute)


def _in_short(read: Callable[[], Any]) -> Any:
    """Without the places in ITK's source that its errors begin with."""
    try:
        return read()
    except RuntimeError as error:
        text = " ".join(str(error).split())
        raise ValueError(re.sub(r".*ERROR:\s*(\w+\(0x[0-9a-f]+\):)?\s*", "", text)) from error


def stored_image(image: Any, spatial: int, unit: float, measured: bool, oriented: bool) -> StoredImage:
    """An image of SimpleITK's; unit: millimetres in the unit of its spacing."""
    import SimpleITK

    voxels = SimpleITK.GetArrayViewFromImage(image)  # z, y, x, components
    components = image.GetNumberOfComponentsPerPixel() > 1
    voxels = np.moveaxis(voxels, -1, 0) if components else voxels if voxels.ndim > spatial else voxels[None]
    if spatial == 3:
        voxels = voxels.transpose(0, 3, 2, 1)
    spacing = tuple(unit * step for step in image.GetSpacing()[:spatial])
    affine = scaled(affine_of(image), unit) if spatial == 3 and oriented else None
    return StoredImage(
        np.array(voxels), spacing if spatial == 3 else spacing[::-1], affine, measured=measured, oriented=oriented
    )


def affine_of(image: Any) -> npt.NDArray[np.float64]:
    """From voxels to millimetres right, anterior, superior, (4, 4), of an image or a reader of SimpleITK's."""
    size = image.GetDimension()
    direction = np.reshape(image.GetDirection(), (size, size))[:3, :3]
    affine = np.eye(4)
    affine[:3, :3] = direction * np.array(image.GetSpacing()[:3])
    affine[:3, 3] = image.GetOrigin()[:3]
    return TURNED @ affine


def scaled(affine: npt.NDArray[np.float64], unit: float) -> npt.NDArray[np.float64]:
    """The affine of places in another unit of so many millimetres, in millimetres."""
    return np.diag([unit, unit, unit, 1.0]) @ affine


def _reader(path: Path) -> Any:
    itk = needed("SimpleITK", "itk", path)
    itk.ProcessObject.SetGlobalWarningDisplay(False)  # it writes to the screen by itself
    reader = itk.ImageFileReader()
    reader.SetFileName(str(path))
    for part in parts(path)[1:]:
        if not part.exists():  # MetaImage writes of it to the screen by itself
            raise InputError(f"{path}: its voxels are in {part.name}, which is not there; put it beside it")
    informed(reader)
    return reader


def _spatial_axes(path: Path, dimension: int) -> int:
    if not 2 <= dimension <= 4:
        raise InputError(f"{path}: {dimension} axes; expected 2 or 3 in space, with channels as a fourth")
    return min(dimension, 3)


def _header(path: Path) -> dict[str, str]:
    """The fields of the text before the voxels; the last keeps the lines after it, which list files."""
    fields: dict[str, str] = {}
    name = ""
    with path.open("rb") as file:
        for line in islice(file, LONGEST_HEADER):
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            if not text:
                break
            match = re.match(r"\s*([A-Za-z][\w ]*?)\s*(?::=?|=)\s*(.*)", text)
            if match:
                name = match[1].lower()
                fields[name] = match[2].strip()
                if name == "elementdatafile" and fields[name].lower() == "local":
                    break
            elif name in ("data file", "datafile", "elementdatafile"):
                fields[name] += f"\n{text.strip()}"
    return fields


def _unit(path: Path, header: dict[str, str]) -> float:
    """Millimetres in the unit of the spacing."""
    units = {unit for name in ("space units", "units") for unit in re.findall(r'"([^"]*)"', header.get(name, ""))}
    units = {unit for unit in units if not is_no_length(unit)}
    known = {millimetres(unit) for unit in units}
    if len(known) > 1 or None in known:
        raise InputError(f"{path}: units {', '.join(sorted(units))}; expected one unit of length; correct the header")
    return next((unit for unit in known if unit is not None), 1.0)


def _has_spacing(header: dict[str, str]) -> bool:
    return bool({"spacings", "space directions", "elementspacing", "elementsize"} & header.keys())


def _has_orientation(header: dict[str, str]) -> bool:
    return bool({"space", "transformmatrix", "rotation", "orientation"} & header.keys())
