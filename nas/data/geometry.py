"""How a prepared case lies in the image it was made from: turned, cropped, resampled, and all of that undone."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from nas.data.resampling import resample_classes

Value = TypeVar("Value")

SMALLEST = 16
"""Voxels that a crop leaves along an axis that had them, so that networks can halve it."""


@dataclass(frozen=True)
class Orientation:
    """From the axes in a file to right, anterior, superior.

    Axis number i of the turned array is axis `axes[i]` of the file, mirrored where `mirrored[i]`. `code` names the
    directions in which the file's axes point, such as LPS; it is empty where the file does not say.
    """

    axes: tuple[int, ...]
    mirrored: tuple[bool, ...]
    code: str = ""

    def apply(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """A view of an array (*file) as (*canonical), or with channels before both."""
        before = array.ndim - len(self.axes)
        turned = array.transpose(*range(before), *(before + axis for axis in self.axes))
        return self._mirror(turned, before)

    def undo(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """A view of an array (*canonical) as (*file)."""
        return self._mirror(array, 0).transpose(np.argsort(self.axes))

    def sort(self, values: Sequence[Value]) -> tuple[Value, ...]:
        """A value for each axis of the file, such as the spacing, in the order of the canonical axes."""
        return tuple(values[axis] for axis in self.axes)

    def _mirror(self, array: npt.NDArray[Any], before: int) -> npt.NDArray[Any]:
        turns = tuple(before + axis for axis, mirrored in enumerate(self.mirrored) if mirrored)
        return np.flip(array, turns) if turns else array


def orientation_of(affine: npt.NDArray[np.float64] | None, axes: int) -> Orientation:
    """The orientation that an affine tells, that of the nearest axes where it is oblique; of pictures, as they are."""
    if affine is None or axes != 3:
        return Orientation(tuple(range(axes)), (False,) * axes)
    from nibabel import orientations

    nibabel: Any = orientations  # without types of its own
    found = nibabel.io_orientation(affine)
    order = tuple(int(axis) for axis in np.argsort(found[:, 0]))
    code = "".join(letter or "?" for letter in nibabel.aff2axcodes(affine))
    return Orientation(order, tuple(bool(found[axis, 1] < 0) for axis in order), code)


@dataclass(frozen=True)
class Geometry:
    """The way from an original grid to the prepared one and back.

    original and spacing: voxels along each axis of the file, and their size in mm. box: from and to along each
    canonical axis, what was cut out. size: voxels of the prepared grid. coarse: the axis that was resampled slice by
    slice, if one was.
    """

    original: tuple[int, ...]
    orientation: Orientation
    box: tuple[tuple[int, int], ...]
    size: tuple[int, ...]
    spacing: tuple[float, ...]
    coarse: int | None = None

    @property
    def unchanged(self) -> bool:
        """Whether the prepared grid is the original one."""
        as_it_was = Orientation(tuple(range(len(self.size))), (False,) * len(self.size), self.orientation.code)
        return self.orientation == as_it_was and self.size == self.original == self.cropped

    @property
    def cropped(self) -> tuple[int, ...]:
        """The size of the box."""
        return tuple(stop - start for start, stop in self.box)

    def restore(self, classes: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Class indices (*size) on the original grid, (*original); background outside the box."""
        inside = classes if self.size == self.cropped else resample_classes(classes, self.cropped, self.coarse)
        canvas = np.zeros(self.orientation.sort(self.original), np.uint8)
        canvas[tuple(slice(start, stop) for start, stop in self.box)] = inside
        return np.ascontiguousarray(self.orientation.undo(canvas))

    def to_json(self) -> dict[str, Any]:
        """Everything, as values that JSON has."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Geometry":
        """What `to_json` gave."""
        turned = document["orientation"]
        return cls(
            original=tuple(document["original"]),
            orientation=Orientation(tuple(turned["axes"]), tuple(turned["mirrored"]), turned["code"]),
            box=tuple((start, stop) for start, stop in document["box"]),
            size=tuple(document["size"]),
            spacing=tuple(document["spacing"]),
            coarse=document["coarse"],
        )


def box_of(inside: npt.NDArray[np.bool_]) -> tuple[tuple[int, int], ...]:
    """The smallest box around all that is inside, at least `SMALLEST` voxels wide; everything where nothing is."""
    box = []
    for axis, size in enumerate(inside.shape):
        others = tuple(other for other in range(inside.ndim) if other != axis)
        places = np.flatnonzero(inside.any(axis=others))
        start, stop = (int(places[0]), int(places[-1]) + 1) if len(places) else (0, size)
        missing = max(min(SMALLEST, size) - (stop - start), 0)
        start = min(max(start - missing // 2, 0), max(size - (stop - start) - missing, 0))
        box.append((start, max(stop, min(start + SMALLEST, size))))
    return tuple(box)
