"""The inside of outlines that are drawn slice by slice, as structure sets for radiotherapy hold them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nas.errors import InputError

FLAT = 0.1
"""Voxels by which the points of one outline may lie out of its slice."""


@dataclass(frozen=True, eq=False)
class Contour:
    """A closed outline in one slice; points: (count, 3), in voxels, whole numbers at their centres."""

    points: npt.NDArray[np.float64]


def filled_contours(source: str, contours: Sequence[Contour], shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """The voxels whose centres lie inside an odd number of outlines, so that one inside another is a hole.

    Raises:
        InputError: an outline is not in a slice of the image.
    """
    inside = np.zeros(shape, bool)
    drawn = [contour for contour in contours if len(contour.points) >= 3]
    if not drawn:
        return inside
    axis = _slice_axis(drawn)
    for contour in drawn:
        heights, outline = contour.points[:, axis], np.delete(contour.points, axis, axis=1)
        place = round(float(heights.mean()))
        if np.ptp(heights) > FLAT or not 0 <= place < shape[axis] or abs(heights.mean() - place) > 0.5 - FLAT:
            raise InputError(
                f"{source}: an outline at slice {heights.mean():.3g} of {shape[axis]} lies in none; expected outlines "
                "of this very series"
            )
        layer = np.moveaxis(inside, axis, 0)[place]
        layer ^= _filled(outline, layer.shape)
    return inside


def _slice_axis(contours: Sequence[Contour]) -> int:
    """The axis along which no outline extends."""
    return int(np.max([np.ptp(contour.points, axis=0) for contour in contours], axis=0).argmin())


def _filled(outline: npt.NDArray[np.float64], shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Even-odd: from each voxel, a line along the second axis crosses the outline an odd number of times."""
    layer = np.zeros(shape, bool)
    starts, ends = outline, np.roll(outline, -1, axis=0)
    low, high = int(max(np.ceil(outline[:, 0].min()), 0)), int(min(np.floor(outline[:, 0].max()), shape[0] - 1))
    columns = np.arange(shape[1])
    for row in range(low, high + 1):
        crossing = (starts[:, 0] <= row) != (ends[:, 0] <= row)
        first, last = starts[crossing], ends[crossing]
        at = first[:, 1] + (row - first[:, 0]) / (last[:, 0] - first[:, 0]) * (last[:, 1] - first[:, 1])
        layer[row] = (at[:, None] > columns).sum(axis=0) % 2 == 1
    return layer
