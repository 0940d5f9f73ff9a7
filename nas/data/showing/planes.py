"""Slices through a case as radiologists look at them: the patient's right on the left, head and front up."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nas.data.dataset import Volume

Letters = tuple[str, str, str, str]
"""What lies to the left, right, top and bottom; empty where the file does not say."""

AXIAL, CORONAL, SAGITTAL = 2, 1, 0
NAMES = {SAGITTAL: "sagittal", CORONAL: "coronal", AXIAL: "axial"}
LETTERS: dict[int, Letters] = {
    SAGITTAL: ("A", "P", "S", "I"),
    CORONAL: ("R", "L", "S", "I"),
    AXIAL: ("R", "L", "A", "P"),
}
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


def planes(volume: Volume) -> list[Plane]:
    """A picture itself; of a volume the slice across each axis that shows most of the structures."""
    return [_picture(volume)] if volume.label.ndim == 2 else list(_slices(volume))


def _picture(volume: Volume) -> Plane:
    rows, columns = volume.geometry.spacing
    return Plane(volume.image, volume.label, (rows, columns), UNKNOWN, "")


def _slices(volume: Volume) -> Iterator[Plane]:
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


def _upright(plane: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """From (right or anterior, anterior or superior) to rows from the top and columns from right or from the front."""
    return plane.T[::-1, ::-1]


def _fullest(label: npt.NDArray[np.uint8], axis: int) -> int:
    """The slice with the most classes, of those the one with the most of them; the middle where there are none."""
    slices = np.moveaxis(label, axis, 0)
    classes = np.array([np.count_nonzero(np.bincount(piece.ravel(), minlength=2)[1:]) for piece in slices])
    areas = np.count_nonzero(slices, axis=(1, 2))
    return int(np.lexsort((areas, classes))[-1]) if areas.any() else len(slices) // 2
