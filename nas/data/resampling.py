"""Arrays on a finer or coarser grid of the same extent.

A grid is resampled one axis after the other, each by a small matrix whose rows are the interpolation weights: splines
are separable, so this is scipy's and MONAI's result, without their grid of coordinates, which takes several times the
image's own memory.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

NEAREST, LINEAR, CUBIC = 0, 1, 3
ANISOTROPIC = 3
"""Slices are this much thicker than wide before they count as thick (nnU-Net, Isensee et al. 2021)."""


def resample_image(
    image: npt.NDArray[np.float32], size: Sequence[int], coarse: int | None = None
) -> npt.NDArray[np.float32]:
    """Intensities (channels, *old) as (channels, *size), by cubic splines, within the range of each channel.

    Along the axis `coarse`, whose slices are thick, the nearest slice is taken.
    """
    resampled = np.empty((len(image), *size), np.float32)
    for channel, original in zip(resampled, image, strict=True):
        channel[...] = _resample(original, size, _orders(len(size), CUBIC, coarse))
        np.clip(channel, original.min(), original.max(), out=channel)  # splines swing over at edges
    return resampled


def resample_linearly(
    values: npt.NDArray[np.float32], size: Sequence[int], coarse: int | None = None
) -> npt.NDArray[np.float32]:
    """Values (channels, *old) as (channels, *size), between their neighbours; along `coarse` the nearest slice's."""
    resampled = np.empty((len(values), *size), np.float32)
    for channel, old in zip(resampled, values, strict=True):
        channel[...] = _resample(old, size, _orders(len(size), LINEAR, coarse))
    return resampled


def resample_classes(
    classes: npt.NDArray[np.uint8], size: Sequence[int], coarse: int | None = None
) -> npt.NDArray[np.uint8]:
    """Class indices on a grid of another size: in each voxel the class whose share of it is largest.

    Shares are interpolated linearly, along the axis `coarse` from the nearest slice. One class is held at a time.
    """
    present = np.unique(classes)
    chosen = np.full(tuple(size), present[0], np.uint8)
    largest = np.zeros(tuple(size), np.float32)
    for index in present:
        share = _resample((classes == index).astype(np.float32), size, _orders(len(size), LINEAR, coarse))
        chosen[share > largest] = index
        np.maximum(largest, share, out=largest)
    return chosen


def coarse_axis(spacing: Sequence[float]) -> int | None:
    """The axis along which slices are thick, None where voxels are about as long as wide."""
    if len(spacing) < 3:
        return None
    largest = int(np.argmax(spacing))
    others = [step for axis, step in enumerate(spacing) if axis != largest]
    # Two thick axes are no slices.
    return largest if spacing[largest] > ANISOTROPIC * min(others) and spacing[largest] > max(others) * 1.01 else None


def _orders(axes: int, order: int, coarse: int | None) -> list[int]:
    return [NEAREST if axis == coarse else order for axis in range(axes)]


def _resample(array: npt.NDArray[np.float32], size: Sequence[int], orders: Sequence[int]) -> npt.NDArray[np.float32]:
    # What shrinks goes first, so that the rest has less to do.
    for axis in sorted(range(array.ndim), key=lambda axis: size[axis] / array.shape[axis]):
        old, new = array.shape[axis], size[axis]
        if old == new:
            continue
        weights = _weights(old, new, orders[axis])
        if orders[axis] == NEAREST:
            array = array.take(weights.argmax(axis=1), axis=axis)
        else:
            array = np.moveaxis(np.tensordot(weights, array, (1, axis)), 0, axis)
    return np.ascontiguousarray(array)


@lru_cache(maxsize=64)
def _weights(old: int, new: int, order: int) -> npt.NDArray[np.float32]:
    """The share of each old voxel in each new one, (new, old): the spline through every unit impulse."""
    from scipy.ndimage import zoom

    impulses = zoom(np.eye(old), (new / old, 1), order=order, mode="nearest", grid_mode=True)
    return np.asarray(impulses, np.float32)
