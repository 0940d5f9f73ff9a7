"""Slices through a case as radiologists look at them: the patient's right on the left, head and front up."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from nas.data.labelled import Labelled

Voxel = TypeVar("Voxel", bound=np.generic)
Letters = tuple[str, str, str, str]
"""What lies to the left, right, top and bottom; empty where the file does not say."""

AXIAL, CORONAL, SAGITTAL = 2, 1, 0
NAMES = {SAGITTAL: "sagittal", CORONAL: "coronal", AXIAL: "axial"}
LETTERS: dict[int, Letters] = {
    SAGITTAL: ("A", "P", "S", "I"),
    CORONAL: ("R", "L", "S", "I"),
    AXIAL: ("R", "L", "A", "P"),
}
CLOSE = 0.6
"""Of a plane's sides, what the structures and some ground around them take at most where they are shown closer."""
UNKNOWN: Letters = ("", "", "", "")


@dataclass(frozen=True, eq=False)
class Plane:
    """A slice: intensities (channels, rows, columns) and class indices (rows, columns), as they are to be shown.

    spacing: mm between rows and between columns, or 1 where unknown. caption: which slice it is.
    """

    image: npt.NDArray[np.float32]
    label: npt.NDArray[np.uint8]
    spacing: tuple[float, float]
    letters: Letters
    caption: str


def planes(volume: Labelled) -> list[Plane]:
    """A picture itself; of a volume a middle slice across each axis, where its classes are."""
    return [_picture(volume)] if volume.label.ndim == 2 else list(_slices(volume))


def _picture(volume: Labelled) -> Plane:
    rows, columns = volume.geometry.spacing
    return Plane(volume.image, volume.label, (rows, columns), UNKNOWN, "")


def _slices(volume: Labelled) -> Iterator[Plane]:
    turned = volume.geometry.orientation
    image, label = turned.apply(volume.image), turned.apply(volume.label)  # right, anterior, superior
    spacing, known = (
        turned.sort(volume.geometry.spacing),
        volume.geometry.oriented and volume.geometry.affine is not None,
    )
    for axis in (AXIAL, CORONAL, SAGITTAL):
        number = _fullest(label, axis)
        across = [other for other in range(3) if other != axis]  # columns, rows
        name = NAMES[axis] if known else f"across axis {axis + 1}"
        yield Plane(
            image=np.stack([_upright(channel.take(number, axis)) for channel in image]),
            label=_upright(label.take(number, axis)),
            spacing=(spacing[across[1]], spacing[across[0]]),
            letters=LETTERS[axis] if known else UNKNOWN,
            caption=f"{name}, slice {number + 1} of {label.shape[axis]}",
        )


def _upright(plane: npt.NDArray[Voxel]) -> npt.NDArray[Voxel]:
    """From (right or anterior, anterior or superior) to rows from the top and columns from right or from the front."""
    return plane.T[::-1, ::-1]


def _fullest(label: npt.NDArray[np.uint8], axis: int) -> int:
    """The middle one of the slices with the most classes; of all where there are none."""
    slices = np.moveaxis(label, axis, 0)
    classes = [np.count_nonzero(np.bincount(piece.ravel(), minlength=2)[1:]) for piece in slices]
    fullest = np.flatnonzero(np.array(classes) == max(classes))
    return int(fullest[len(fullest) // 2])


def close_up(plane: Plane) -> Plane | None:
    """What lies around the structures, None where they fill the plane."""
    rows, columns = (np.flatnonzero((plane.label > 0).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    places = [_around(at, size) for at, size in zip((rows, columns), plane.label.shape, strict=True)]
    if any(place.stop - place.start > CLOSE * size for place, size in zip(places, plane.label.shape, strict=True)):
        return None
    box = tuple(places)
    caption = f"{plane.caption}, closer" if plane.caption else "closer"
    return replace(plane, image=plane.image[:, *box], label=plane.label[box], caption=caption)


def _around(at: npt.NDArray[np.intp], size: int) -> slice:
    low, high = int(at[0]), int(at[-1]) + 1
    more = max((high - low) // 4, 4)
    return slice(max(low - more, 0), min(high + more, size))
