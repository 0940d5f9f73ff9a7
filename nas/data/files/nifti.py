"""NIfTI, through nibabel: 2D or 3D, or 4D with the channels last. The axes keep their order in the file: x, y, z."""

from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nas.data.files import StoredImage
from nas.data.geometry import Geometry
from nas.errors import InputError

SUFFIXES = (".nii", ".nii.gz")


def axes(path: Path) -> int:
    """The number of spatial axes, from the header."""
    return _spatial_axes(path, _open(path).shape)


def shape(path: Path) -> tuple[int, ...]:
    """The spatial shape, from the header."""
    stored: tuple[int, ...] = _open(path).shape
    return stored[: _spatial_axes(path, stored)]


def read_image(path: Path) -> StoredImage:
    """The voxels, scaled as the header says, with spacing and affine."""
    file = _open(path)
    spatial = _spatial_axes(path, file.shape)
    _expect_memory(path, file.shape)
    voxels = np.asanyarray(file.dataobj)
    voxels = np.moveaxis(voxels, -1, 0) if voxels.ndim > spatial else voxels[None]
    spacing = tuple(float(step) for step in file.header.get_zooms()[:spatial])
    return StoredImage(voxels, spacing, file.affine)


read_label = read_image


def _open(path: Path) -> Any:  # nibabel types what every format has, and NIfTI has more
    import nibabel

    return nibabel.load(path)


def _spatial_axes(path: Path, shape: tuple[int, ...]) -> int:
    if not 2 <= len(shape) <= 4:
        raise InputError(f"{path}: shape {shape}; expected 2 or 3 spatial axes, with channels as a fourth")
    return min(len(shape), 3)


def _expect_memory(path: Path, shape: tuple[int, ...]) -> None:
    """Refuse what cannot be held before the machine tries, and is lost in its swap space."""
    import psutil

    needed, there = 4 * prod(int(size) for size in shape), psutil.virtual_memory().total
    if needed > there:
        raise InputError(
            f"{path}: shape {shape} takes {needed / 2**30:.1f} GiB, more than this machine's {there / 2**30:.1f} GiB "
            "of memory; crop or resample it, or correct the header if it is wrong"
        )


def write_label(path: Path, label: npt.NDArray[Any], geometry: Geometry, like: Path | None) -> None:
    """Write label values (*spatial) with the header of an image, or with nothing but its geometry."""
    import nibabel

    nifti: Any = nibabel
    if like is None:
        affine = np.diag([*geometry.spacing, 1.0]) if geometry.affine is None else geometry.affine
        image = nifti.Nifti1Image(label, affine, dtype=label.dtype)
    else:
        file = _open(like)
        image = type(file)(label.reshape(file.shape[:3]), file.affine, file.header, dtype=label.dtype)
        image.header.set_slope_inter(1, 0)  # the image's own would scale the labels
        image.header["cal_min"] = image.header["cal_max"] = 0
    nifti.save(image, path)
