"""What is taken out of a segmentation afterwards: small parts, and parts beside the largest."""

import numpy as np
import numpy.typing as npt

from nas.errors import InputError, did_you_mean


def keep_largest(classes: npt.NDArray[np.uint8], index: int) -> npt.NDArray[np.uint8]:
    """The segmentation with the largest part of a class alone; its other parts become background.

    Voxels that touch at a face, an edge or a corner belong together.
    """
    numbers, count = _parts(classes == index)
    if count < 2:
        return classes
    sizes = np.bincount(numbers.ravel())[1:]
    return np.where((classes == index) & (numbers != sizes.argmax() + 1), 0, classes).astype(np.uint8)


def drop_small(classes: npt.NDArray[np.uint8], index: int, least: float) -> npt.NDArray[np.uint8]:
    """The segmentation without the parts of a class that have fewer than `least` voxels."""
    numbers, _ = _parts(classes == index)
    small = np.flatnonzero(np.bincount(numbers.ravel()) < least)
    return np.where((classes == index) & np.isin(numbers, small), 0, classes).astype(np.uint8)


def class_index(name: str, classes: tuple[str, ...], option: str) -> int:
    """The index of a foreground class by its name.

    Raises:
        InputError: there is none of that name.
    """
    if name not in classes[1:]:
        raise InputError(f"{option}: class {name!r} is unknown; {did_you_mean(name, classes[1:])}")
    return classes.index(name)


def _parts(inside: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.int32], int]:
    from scipy.ndimage import generate_binary_structure, label

    numbers, count = label(inside, generate_binary_structure(inside.ndim, inside.ndim))
    return numbers, int(count)
