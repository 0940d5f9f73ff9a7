"""The values that occur in a label, and whether they can be classes."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

CHUNK = 1 << 20
"""Voxels that are looked at at a time, so that no copy of the whole is made."""
SCATTERED_VALUES, SCATTERED_SHARE = 4, 0.5
"""So many values, and such a share of all, without a place of their own make a label one that was spoilt."""
_FEW, _WIDE = 2, 16


def values_of(label: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The different values in an array, sorted."""
    if label.dtype.kind not in "bui" or label.dtype.itemsize > 2:
        parts = [np.unique(chunk) for chunk in _chunks(label)]
        return np.unique(np.concatenate(parts))
    bits = np.dtype(f"u{label.dtype.itemsize}")
    present = np.zeros(1 << (8 * bits.itemsize), bool)
    for chunk in _chunks(label):
        present[chunk.view(bits)] = True
    return np.sort(np.flatnonzero(present).astype(bits).view(label.dtype))


def scattered_values(label: npt.NDArray[Any]) -> list[int]:
    """Values that lie here and there at edges, as of a mask that was compressed as JPEG or smoothly resized.

    Empty where most values have places of their own, as classes and instances do. Of a volume, (*spatial), the middle
    slice is looked at.
    """
    label = label[..., label.shape[2] // 2] if label.ndim == 3 else label
    values = values_of(label)
    if len(values) <= SCATTERED_VALUES:
        return []
    places = np.searchsorted(values, label)
    counts = np.bincount(places.ravel(), minlength=len(values))
    inner = np.bincount(places[_inside(label)], minlength=len(values))
    scattered = [
        int(values[index]) for index in np.flatnonzero(inner == 0) if _is_scattered(places == index, int(counts[index]))
    ]
    many = len(scattered) >= max(SCATTERED_VALUES, SCATTERED_SHARE * len(values))
    return scattered if many else []


def some(values: npt.NDArray[Any]) -> str:
    """The first few of many values."""
    return ", ".join(f"{value:g}" for value in values[:5]) + (", ..." if len(values) > 5 else "")


def _chunks(array: npt.NDArray[Any]) -> Iterator[npt.NDArray[Any]]:
    flat = array.ravel(order="K")
    return (flat[start : start + CHUNK] for start in range(0, flat.size, CHUNK))


def _inside(label: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Where all direct neighbours have a voxel's own value."""
    inside = np.ones(label.shape, bool)
    for axis in range(label.ndim):
        same = np.diff(label.astype(np.int64), axis=axis) == 0
        first, last = [slice(None)] * label.ndim, [slice(None)] * label.ndim
        first[axis], last[axis] = slice(None, -1), slice(1, None)
        inside[tuple(first)] &= same
        inside[tuple(last)] &= same
    return inside


def _is_scattered(where: npt.NDArray[np.bool_], count: int) -> bool:
    """Whether so many voxels are too few for a thing, or too far apart for one."""
    extent = np.prod([np.ptp(along) + 1 for along in np.nonzero(where)])
    return count <= _FEW or bool(extent > _WIDE * count)
