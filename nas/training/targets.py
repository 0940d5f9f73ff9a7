"""What overlap is asked of, in losses and in metrics alike: each class by itself, or regions that classes make."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Targets:
    """What is trained and scored by overlap.

    `regions` are sets of class indices, and may overlap; where there are none, each foreground class is a target. A
    network's classes exclude each other, so a region's probability, target and voxels are the sums of its classes'.
    """

    regions: tuple[tuple[int, ...], ...] = ()

    def sets(self, classes: int) -> tuple[tuple[int, ...], ...]:
        """The class indices of each target, of so many classes, background included."""
        return self.regions or tuple((index,) for index in range(1, classes))

    def of(self, values: "Tensor", axis: int = 1, *, background: bool = False) -> "Tensor":
        """Values of targets from those of classes along an axis; the background's first, where it is wanted."""
        import torch

        if not self.regions:
            return values if background else values.narrow(axis, 1, values.shape[axis] - 1)
        wanted = ((0,), *self.regions) if background else self.regions
        # Added up one by one: on a GPU a list of indices would be copied there at every step.
        return torch.stack([_total([values.select(axis, index) for index in each]) for each in wanted], axis)


EACH_CLASS = Targets()
"""Each foreground class by itself, as is usual."""


def _total(parts: "list[Tensor]") -> "Tensor":
    return sum(parts[1:], start=parts[0])
