"""How a prepared case lies in the image it was made from: turned, cropped, resampled, and all of that undone."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nas.data.geometry import Orientation
from nas.data.resampling import resample_classes, resample_linearly

SMALLEST = 16
"""Voxels that a crop leaves along an axis that had them, so that networks can halve it."""


@dataclass(frozen=True)
class Placement:
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
        return self.orientation.unchanged and self.size == self.original == self.cropped

    @property
    def cropped(self) -> tuple[int, ...]:
        """The size of the box."""
        return tuple(stop - start for start, stop in self.box)

    def apply(self, classes: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Class indices (*original) on the prepared grid, (*size)."""
        inside = self.orientation.apply(classes)[self._within]
        return inside if self.size == self.cropped else resample_classes(inside, self.size, self.coarse)

    def restore(self, classes: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Class indices (*size) on the original grid, (*original); background outside the box."""
        inside = classes if self.size == self.cropped else resample_classes(classes, self.cropped, self.coarse)
        canvas = np.zeros(self.orientation.sort(self.original), np.uint8)
        canvas[self._within] = inside
        return np.ascontiguousarray(self.orientation.undo(canvas))

    def restore_values(self, values: npt.NDArray[np.float32], outside: Sequence[float]) -> npt.NDArray[np.float32]:
        """Values such as probabilities, (channels, *size), on the original grid, (channels, *original).

        Between voxels they are interpolated linearly, along the axis `coarse` taken from the nearest slice, as the
        classes are. `outside` is the value of each channel outside the box, such as 1 for the background's probability.
        """
        inside = values if self.size == self.cropped else resample_linearly(values, self.cropped, self.coarse)
        canvas = np.empty((len(values), *self.orientation.sort(self.original)), np.float32)
        canvas[...] = np.reshape(outside, (-1, *[1] * len(self.size)))
        canvas[(slice(None), *self._within)] = inside
        return np.ascontiguousarray(self.orientation.undo(canvas))

    @property
    def _within(self) -> tuple[slice, ...]:
        return tuple(slice(start, stop) for start, stop in self.box)

    def to_json(self) -> dict[str, Any]:
        """Everything, as values that JSON has."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Placement":
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
