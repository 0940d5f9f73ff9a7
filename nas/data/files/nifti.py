"""NIfTI, through nibabel: 2D or 3D, with channels behind. The axes keep their order in the file: x, y, z.

Spacing stands there twice, in `pixdim` and in the affine, and programs often fill in only one of them. Where they
differ, along each axis the one is taken that was not left at 0 or 1, else the affine, which the standard and viewers
go by.
"""

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nas.data.files import StoredImage
from nas.data.geometry import Geometry
from nas.data.memory import expect_memory
from nas.data.notes import Note
from nas.data.spacings import SAME, in_words
from nas.errors import InputError

SUFFIXES = (".nii", ".nii.gz")

MILLIMETRES = {1: 1e3, 2: 1.0, 3: 1e-3}
"""In the units of `xyzt_units`: metre, millimetre, micron. Others, and 0 for unknown, mean millimetres to all."""
_SPATIAL_UNITS = 7
"""The bits of `xyzt_units` that are not about time."""
_GZIP = b"\x1f\x8b"
_SECOND_VERSION = 540
"""The size of a header of NIfTI-2, which begins with it."""


def axes(path: Path) -> int:
    """The number of spatial axes, from the header; 2 of a single slice."""
    with path.open("rb") as content:
        spatial = _spatial(path, _open(path, content).shape)
    return 3 if len(spatial) == 3 and spatial[2] > 1 else 2


def grid(path: Path) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """The spatial shape and the spacing, from the header."""
    with path.open("rb") as content:
        file = _open(path, content)
        spatial = _spatial(path, file.shape)
        return spatial, _place(path, file.header, len(spatial)).spacing


def read_image(path: Path) -> StoredImage:
    """The voxels, scaled as the header says, with spacing and affine."""
    with path.open("rb") as content:
        file = _open(path, content)
        spatial = _spatial(path, file.shape)
        expect_memory(path, file.shape)
        voxels = _channels_first(_scaled(file.dataobj), spatial)
        place = _place(path, file.header, len(spatial))
    return StoredImage(voxels, place.spacing, place.affine, oriented=place.oriented, notes=place.notes)


read_label = read_image


def write_label(path: Path, label: npt.NDArray[Any], geometry: Geometry, like: Path | None) -> None:
    """Write label values (*spatial) with the header of an image, or with nothing but its geometry."""
    import nibabel

    nifti: Any = nibabel
    if like is None:
        affine = np.diag([*geometry.spacing, 1.0]) if geometry.affine is None else geometry.affine
        nifti.save(nifti.Nifti1Image(label, affine, dtype=label.dtype), path)
        return
    with like.open("rb") as content:
        file = _open(like, content)
        image = type(file)(label.reshape(_spatial(like, file.shape)), file.affine, file.header, dtype=label.dtype)
    image.header.set_slope_inter(1, 0)  # the image's own would scale the labels
    image.header["cal_min"] = image.header["cal_max"] = 0
    nifti.save(image, path)


def _open(path: Path, content: Any) -> Any:  # nibabel types what every format has, and NIfTI has more
    """The file by what it is, whatever its name says of compression."""
    import nibabel

    packed = content.read(len(_GZIP)) == _GZIP
    if packed == path.name.lower().endswith(".gz"):
        return nibabel.load(path)
    content.seek(0)
    stream = gzip.GzipFile(fileobj=content) if packed else content
    size = int.from_bytes(stream.read(4), "little")
    stream.seek(0)
    second = _SECOND_VERSION in (size, int.from_bytes(size.to_bytes(4, "little"), "big"))
    kind: Any = nibabel.Nifti2Image if second else nibabel.Nifti1Image
    return kind.from_stream(stream)


def _spatial(path: Path, shape: Sequence[int]) -> tuple[int, ...]:
    """The sizes of the spatial axes: of (X, Y), (X, Y, Z), and of these with channels as fourth axis or as fifth."""
    sizes = tuple(int(size) for size in shape)
    more = [size for size in sizes[3:] if size != 1]
    if len(sizes) < 2 or len(more) > 1 or 0 in sizes:
        raise InputError(f"{path}: shape {sizes}; expected 2 or 3 spatial axes, with channels as a fourth")
    return sizes[:3]


def _channels_first(voxels: npt.NDArray[Any], spatial: tuple[int, ...]) -> npt.NDArray[Any]:
    if voxels.dtype.names:  # colours
        voxels = np.stack([voxels[name] for name in voxels.dtype.names], axis=-1)
    return np.moveaxis(voxels.reshape(*spatial, -1, order="A"), -1, 0)


def _scaled(proxy: Any) -> npt.NDArray[Any]:
    """The voxels; where the header scales them as float32, a slab at a time, because nibabel makes float64 of all."""
    slope, inter = (1.0 if proxy.slope is None else proxy.slope), (0.0 if proxy.inter is None else proxy.inter)
    if (slope, inter) == (1.0, 0.0):
        return np.asanyarray(proxy)
    from nibabel.volumeutils import apply_read_scaling

    unscaled = proxy.get_unscaled()
    scaled = np.empty(unscaled.shape, np.float32, order="F")
    for index in range(unscaled.shape[-1]):
        with np.errstate(over="ignore"):
            scaled[..., index] = apply_read_scaling(unscaled[..., index], slope, inter)
    return scaled


@dataclass(frozen=True, eq=False)
class _Place:
    spacing: tuple[float, ...]
    affine: npt.NDArray[np.float64]
    oriented: bool
    notes: tuple[Note, ...] = ()


def _place(path: Path, header: Any, axes: int) -> _Place:
    affine, oriented, notes = _affine(path, header)
    pixdim = np.abs(np.array(header["pixdim"][1 : 1 + axes], dtype=np.float64))
    columns = np.linalg.norm(affine[:3, :axes], axis=0)
    same = np.abs(pixdim - columns) <= SAME * columns
    spacing = np.where(same | ((columns == 1) & (pixdim > 0)), pixdim, columns)
    if not same.all():
        affine = affine.copy()
        affine[:3, :axes] *= spacing / columns
        notes.append(
            Note(
                "pixdim and affine (sform, qform) disagree about the spacing; taken is what was not left at 0 or 1, "
                "else the affine",
                f"pixdim {in_words(list(pixdim))}, affine {in_words(list(columns))}; taken {in_words(list(spacing))}",
            )
        )
    factor = MILLIMETRES.get(int(header["xyzt_units"]) & _SPATIAL_UNITS, 1.0)
    if factor != 1:
        affine = affine * np.array([factor, factor, factor, 1])[:, None]
    return _Place(tuple(float(step) * factor for step in spacing), affine, oriented, tuple(notes))


def _affine(path: Path, header: Any) -> tuple[npt.NDArray[np.float64], bool, list[Note]]:
    """From voxels to the file's units, whether the file says so itself, and what to say about it."""
    stated = {name: read() for name, read, code in _affines(header) if code > 0}
    usable = {name: affine for name, affine in stated.items() if _is_usable(affine)}
    if stated and not usable:
        name = next(iter(stated))
        raise InputError(f"{path}: its {name} is no affine with a direction for every axis; correct the header")
    if not stated:
        return np.asarray(header.get_base_affine(), np.float64), False, []
    name, affine = next(iter(usable.items()))
    if len(usable) < len(stated):
        broken = next(other for other in stated if other not in usable)
        return affine, True, [Note(f"the {broken} is no affine with a direction for every axis; the {name} is taken")]
    handed = {np.sign(np.linalg.det(other[:3, :3])) for other in usable.values()}
    if len(handed) > 1:
        return affine, True, [Note("sform and qform are mirror images of each other: the sform is taken")]
    return affine, True, []


def _affines(header: Any) -> list[tuple[str, Any, int]]:
    return [
        ("sform", header.get_sform, int(header["sform_code"])),
        ("qform", header.get_qform, int(header["qform_code"])),
    ]


def _is_usable(affine: npt.NDArray[np.float64]) -> bool:
    return bool(np.isfinite(affine).all()) and abs(np.linalg.det(affine[:3, :3])) > 0
