"""How patches are varied: each kind of change with its probability per patch."""

from dataclasses import dataclass, fields
from typing import Literal

from nas.training.checking import check_fields

Flips = bool | Literal["x", "y", "z", "xy", "xz", "yz", "xyz"]


@dataclass(frozen=True)
class Augmentation:
    """Random changes to training patches. Numbers from 0 to 1 are probabilities per patch unless said otherwise.

    Args:
        strength: multiplies the size of every change; 0 leaves patches as they are, mirroring aside.
        flips: axes along which patches are mirrored, each half of the time: true for all, false for none, or letters.
            x is the first axis (in volumes from left to right), y the second (back to front), z the third.
        affine: rotation and scaling, in millimetres.
        rotation: largest rotation in degrees about each axis.
        scaling: largest relative change of size.
        elastic: a smooth random displacement.
        displacement: its deviation in millimetres.
        noise: Gaussian noise, of up to a tenth of the image's deviation.
        blur: Gaussian blur, of up to one voxel.
        brightness: all values times one factor, up to 1.3 or down to 1 / 1.3.
        contrast: values stretched about their mean, by up to 1.5 or down to 1 / 1.5.
        gamma: values raised to a power between 1 / 1.5 and 1.5, within their range.
        low_resolution: simulated low resolution, of down to half. The patches of a batch that draw it share the factor.
        cutout: one box of up to a third of each axis set to the patch's mean, its label kept.

    Raises:
        InputError: a number out of range.
    """

    strength: float = 1.0
    flips: Flips = True
    affine: float = 0.3
    rotation: float = 15.0
    scaling: float = 0.15
    elastic: float = 0.0
    displacement: float = 1.5
    noise: float = 0.1
    blur: float = 0.1
    brightness: float = 0.15
    contrast: float = 0.15
    gamma: float = 0.15
    low_resolution: float = 0.1
    cutout: float = 0.0

    def __post_init__(self) -> None:
        probabilities = {field.name: (0, 1) for field in fields(self) if field.name not in _SIZES}
        check_fields(self, **{**probabilities, **_SIZES})

    def mirrored_axes(self, axes: int) -> tuple[int, ...]:
        """The axes of `flips` as numbers, for data with so many; a letter beyond them counts for nothing."""
        if isinstance(self.flips, bool):
            return tuple(range(axes)) if self.flips else ()
        return tuple(axis for axis in range(axes) if "xyz"[axis] in self.flips)


_SIZES: dict[str, tuple[float, float]] = {
    "strength": (0, 3),
    "rotation": (0, 180),
    "scaling": (0, 0.9),
    "displacement": (0, 1000),
}
