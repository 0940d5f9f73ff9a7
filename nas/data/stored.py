"""What a file of an image or a label holds."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from nas.data.dataset import Palette
from nas.data.geometry import Geometry
from nas.data.notes import Note


@dataclass(frozen=True, eq=False)
class StoredImage:
    """What a file holds: voxels (channels, *spatial), their spacing in mm and, where the format has one, the affine.

    measured and oriented: whether spacing and orientation are the file's, as in `Geometry`. notes: what was decided
    in reading it. palette: of a label that is shown in colours.
    """

    voxels: npt.NDArray[Any]
    spacing: tuple[float, ...]
    affine: npt.NDArray[np.float64] | None = None
    measured: bool = True
    oriented: bool = True
    notes: tuple[Note, ...] = ()
    palette: Palette | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The spatial shape."""
        return self.voxels.shape[1:]

    @property
    def geometry(self) -> Geometry:
        """Where the voxels lie."""
        return Geometry(self.spacing, self.affine, self.measured, self.oriented)


def as_slice(stored: StoredImage) -> StoredImage:
    """A volume of a single slice, its last axis, as a picture; any other as it is."""
    if len(stored.spacing) != 3 or stored.shape[2] != 1:
        return stored
    return replace(stored, voxels=stored.voxels[..., 0], spacing=stored.spacing[:2])
