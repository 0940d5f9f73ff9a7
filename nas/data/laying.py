"""A label on a grid of its own, laid on the grid of its image, of which its voxels are some."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nas.data.stored import StoredImage
from nas.errors import InputError

SAME_GRID = 0.1
"""Voxels by which a label may lie beside the voxels of its image, as rounding in headers does."""


def laid_on(
    path: Path, label: npt.NDArray[Any], affine: npt.NDArray[np.float64], image: StoredImage
) -> npt.NDArray[Any]:
    """The label's values (*spatial of the image), 0 where it has no voxels.

    Args:
        path: of the label, for messages.
        label: values, (*spatial).
        affine: from its voxels to millimetres right, anterior, superior.
        image: what it labels.

    Raises:
        InputError: a voxel that is not 0 is none of the image's.
    """
    to_image = to_voxels(path, image) @ affine
    steps = np.linalg.norm(to_image[:3, :3], axis=0)[[size > 1 for size in label.shape]]
    at = np.nonzero(label)
    moved = np.transpose(at) @ to_image[:3, :3].T + to_image[:3, 3]
    places = np.rint(moved).astype(int)
    apart = max([0.0, *np.abs(moved - places).max(axis=0, initial=0), *np.abs(steps - 1)])
    if apart > SAME_GRID or (places < 0).any() or (places >= image.shape).any():
        raise InputError(f"{path}: its voxels are not those of the image; expected a segmentation of this very image")
    laid = np.zeros(image.shape, label.dtype)
    laid[tuple(places.T)] = label[at]
    return laid


def to_voxels(path: Path, image: StoredImage) -> npt.NDArray[np.float64]:
    """From millimetres in the patient to voxels of the image; InputError where it does not say where it lies."""
    if image.affine is None:
        raise InputError(f"{path}: lies in the patient, but its image does not say where; give one that does")
    return np.asarray(np.linalg.inv(image.affine))
