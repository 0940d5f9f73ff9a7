"""Volumes as stacks of slices: 2D training on 3D data, and 2.5D, where a slice's neighbours are further channels."""

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from nas.data.prepared import PreparedCase, PreparedDataset
from nas.errors import InputError

Value = TypeVar("Value")


@dataclass(frozen=True, eq=False)
class PreparedSlice(PreparedCase):
    """One slice of a prepared volume, a case of two axes. Its group is the volume, so that a split keeps it together.

    The image holds the channels of the slice `neighbours` before, to those of the one `neighbours` after (see
    `numbers_around`). It is read from the volume's files each time it is asked for, and not kept.
    """

    volume: PreparedCase
    axis: int
    number: int
    neighbours: int

    @property
    def image(self) -> npt.NDArray[np.float32]:
        """Normalised intensities, (channels x (2 neighbours + 1), *size)."""
        numbers = numbers_around(self.number, self.neighbours, self.volume.size[self.axis])
        return np.concatenate([self.volume.image.take(number, axis=1 + self.axis) for number in numbers])

    @property
    def label(self) -> npt.NDArray[np.uint8]:
        """Class indices, (*size)."""
        return np.ascontiguousarray(self.volume.label.take(self.number, axis=self.axis))

    @property
    def foreground(self) -> tuple[npt.NDArray[np.int32], ...]:
        """Those of the volume's listed voxels that lie in the slice."""
        inside = (voxels[voxels[:, self.axis] == self.number] for voxels in self.volume.foreground)
        return tuple(np.delete(voxels, self.axis, axis=1) for voxels in inside if len(voxels))

    def restore(self, classes: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Not for a slice: the original grid is the volume's."""
        raise TypeError(f"slice {self.name} has no original grid of its own; restore the volume")

    def original_label(self) -> npt.NDArray[np.uint8]:
        """Not for a slice, as `restore`."""
        raise TypeError(f"slice {self.name} has no original grid of its own; ask the volume for its original label")


def slices(dataset: PreparedDataset, axis: int = -1, neighbours: int = 0) -> PreparedDataset:
    """The slices of all volumes along an axis as cases of two axes, called VOLUME:0007.

    `dataset.cases` remain what is evaluated. Folds are those of the volumes.

    Args:
        dataset: of three axes.
        axis: the one that is cut across; the last is from feet to head.
        neighbours: slices on each side that become further channels (2.5D).

    Raises:
        InputError: the data are 2D, or the axis or number is out of range.
    """
    if dataset.axes != 3:
        raise InputError(f"{dataset.name}: is {dataset.axes}D; expected 3D data to cut into slices")
    if not -3 <= axis <= 2 or neighbours < 0:
        raise InputError(f"slices: found axis {axis} and {neighbours} neighbours; expected -3 to 2, and 0 or more")
    axis %= 3
    channels = [
        name if offset == 0 else f"{name} {offset:+d}"
        for offset in range(-neighbours, neighbours + 1)
        for name in dataset.channels
    ]
    cases = [
        PreparedSlice(
            name=f"{volume.name}:{number:04d}",
            folder=volume.folder,
            size=_without(volume.size, axis),
            spacing=_without(volume.spacing, axis),
            placement=volume.placement,
            group=volume.group,
            volume=volume,
            axis=axis,
            number=number,
            neighbours=neighbours,
        )
        for volume in dataset.cases
        for number in range(volume.size[axis])
    ]
    return replace(
        dataset,
        name=f"{dataset.name} (slices)",
        channels=tuple(channels),
        cases=tuple(cases),
        spacing=_without(dataset.spacing, axis),
    )


def numbers_around(number: int, neighbours: int, count: int) -> list[int]:
    """The numbers of a slice and its neighbours among so many; at the ends the last one stands for those missing."""
    return [min(max(at, 0), count - 1) for at in range(number - neighbours, number + neighbours + 1)]


def _without(values: tuple[Value, ...], axis: int) -> tuple[Value, ...]:
    return values[:axis] + values[axis + 1 :]
