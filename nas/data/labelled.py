"""What is known of the voxels of an image: intensities, a class, and where they lie."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nas.data.geometry import Geometry

IGNORED = 255
"""The label of a voxel whose class nobody knows: it neither trains nor counts."""


@dataclass(frozen=True, eq=False)
class Labelled:
    """An image with its label.

    image: float32 intensities, (channels, *spatial). label: uint8 class indices, (*spatial), 0 is background and
    IGNORED (255) unknown. geometry: where its voxels lie.
    """

    image: npt.NDArray[np.float32]
    label: npt.NDArray[np.uint8]
    geometry: Geometry
