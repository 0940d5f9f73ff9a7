"""Where the voxels of an image lie: their spacing, and the way from the file's axes to the patient's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Value = TypeVar("Value")


@dataclass(frozen=True, eq=False)
class Geometry:
    """Spacing and place of an image on its own grid.

    spacing: the size of a voxel along each axis of the file in mm; 1 stands for a pixel where it is not `measured`.
    affine: from voxels to millimetres in the patient, (4, 4), where the format has one. oriented: whether the file
    says how its axes lie in the patient; an affine without that is the format's convention, not knowledge.
    """

    spacing: tuple[float, ...]
    affine: npt.NDArray[np.float64] | None = None
    measured: bool = True
    oriented: bool = True

    @property
    def orientation(self) -> "Orientation":
        """From the axes of the file to right, anterior, superior."""
        return orientation_of(self.affine, len(self.spacing))


@dataclass(frozen=True)
class Orientation:
    """From the axes in a file to right, anterior, superior.

    Axis number i of the turned array is axis `axes[i]` of the file, mirrored where `mirrored[i]`. `code` names the
    directions in which the file's axes point, such as LPS; it is empty where the file does not say.
    """

    axes: tuple[int, ...]
    mirrored: tuple[bool, ...]
    code: str = ""

    @property
    def unchanged(self) -> bool:
        """Whether the axes of the file are the canonical ones."""
        return self.axes == tuple(range(len(self.axes))) and not any(self.mirrored)

    def apply(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """A view of an array (*file) as (*canonical), or with channels before both."""
        places = np.argsort(self.axes)
        return _turned(array, np.stack([places, self._signs[places]], axis=1))

    def undo(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """A view of an array (*canonical) as (*file), or with channels before both."""
        return _turned(array, np.stack([self.axes, self._signs], axis=1))

    def sort(self, values: Sequence[Value]) -> tuple[Value, ...]:
        """A value for each axis of the file, such as the spacing, in the order of the canonical axes."""
        return tuple(values[axis] for axis in self.axes)

    @property
    def _signs(self) -> npt.NDArray[np.int64]:
        return np.where(self.mirrored, -1, 1)


def _turned(array: npt.NDArray[Any], directions: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """nibabel turns the first axes of an array, so that channels wait behind them."""
    from nibabel import orientations

    nibabel: Any = orientations  # without types of its own
    channels = range(array.ndim - len(directions))
    behind = range(-len(channels), 0)
    turned = nibabel.apply_orientation(np.moveaxis(array, channels, behind), directions)
    return np.moveaxis(turned, behind, channels)


def orientation_of(affine: npt.NDArray[np.float64] | None, axes: int) -> Orientation:
    """The orientation that an affine tells, that of the nearest axes where it is oblique; of pictures, as they are."""
    if affine is None or axes != 3:
        return Orientation(tuple(range(axes)), (False,) * axes)
    from nibabel import orientations

    nibabel: Any = orientations  # without types of its own
    directions = nibabel.io_orientation(affine)
    order = tuple(int(axis) for axis in np.argsort(directions[:, 0]))
    code = "".join(letter or "?" for letter in nibabel.aff2axcodes(affine))
    return Orientation(order, tuple(bool(directions[axis, 1] < 0) for axis in order), code)
