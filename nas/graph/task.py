"""What the data fixes before any architecture is chosen."""

from dataclasses import dataclass
from math import prod
from typing import Any

from nas.errors import InputError

Axes = tuple[int, ...]
"""One whole number per spatial axis."""


@dataclass(frozen=True)
class Task:
    """What the data fixes: a network is an architecture traced for a task.

    Args:
        axes: number of spatial axes, 2 or 3.
        channels: input channels.
        classes: output channels: one per class, background included (1 for a single sigmoid output).
        patch: voxels per axis that the network sees at once; 256 per axis in 2D and 64 in 3D unless given.
        strides: the stride per axis of each halving of resolution, outermost first, so that thick slices can be
            left whole while the others shrink: `((1, 2, 2), (2, 2, 2))`. Levels beyond the list halve nothing;
            None halves every axis at every level.
        spacing: voxel size per axis in millimetres, for information.
        kernels: the kernel per axis of each level's convolutions, full resolution first, where a part does not set its
            own, so that thick slices are not mixed before the others are as coarse: `((1, 3, 3), (3, 3, 3))`. Levels
            beyond the list, and all of them for None, have 3 along every axis.

    Raises:
        InputError: a number out of range or of the wrong length.
    """

    axes: int
    channels: int
    classes: int
    patch: Axes = ()
    strides: tuple[Axes, ...] | None = None
    spacing: tuple[float, ...] | None = None
    kernels: tuple[Axes, ...] | None = None

    def __post_init__(self) -> None:
        if self.axes not in (2, 3):
            raise InputError(f"task axes: found {self.axes}, expected 2 or 3")
        for name in ("channels", "classes"):
            if getattr(self, name) < 1:
                raise InputError(f"task {name}: found {getattr(self, name)}, expected at least 1")
        if not self.patch:
            object.__setattr__(self, "patch", (256 if self.axes == 2 else 64,) * self.axes)
        sizes = [("patch", self.patch), *(("strides", level) for level in self.strides or ())]
        sizes += [("kernels", level) for level in self.kernels or ()]
        for name, numbers in sizes:
            if len(numbers) != self.axes or min(numbers) < 1:
                raise InputError(
                    f"task {name}: found {list(numbers)}, expected {self.axes} whole numbers of at least 1"
                )

    def stride(self, level: int) -> Axes:
        """The stride per axis of the halving that leads to `level` + 1."""
        if self.strides is None:
            return (2,) * self.axes
        return self.strides[level] if level < len(self.strides) else (1,) * self.axes

    def kernel(self, strides: Axes) -> Axes:
        """The kernel of a convolution that makes a tensor of these strides, where its part does not set its own."""
        if not self.kernels or not strides:
            return (3,) * self.axes
        level = self._level(strides)
        return self.kernels[level] if level < len(self.kernels) else (3,) * self.axes

    def _level(self, strides: Axes) -> int:
        """The deepest level that is no coarser than a tensor of these strides."""
        level, reached = 0, (1,) * self.axes
        while max(self.stride(level)) > 1:
            reached = tuple(a * b for a, b in zip(reached, self.stride(level), strict=True))
            if any(ours < theirs for ours, theirs in zip(strides, reached, strict=True)):
                break
            level += 1
        return level

    def voxels(self, strides: Axes, surplus: Axes = ()) -> int:
        """How many positions a tensor of these strides has over one patch; no strides means one position.

        `surplus` is by how many positions each axis is longer than that; see `Tensor`.
        """
        sizes = zip(self.patch, strides, surplus or (0,) * self.axes, strict=True)
        return prod(size // stride + more for size, stride, more in sizes) if strides else 1

    def to_json(self) -> dict[str, Any]:
        """This task as plain JSON; `Task.from_json` reads it back."""
        return {
            "axes": self.axes,
            "channels": self.channels,
            "classes": self.classes,
            "patch": list(self.patch),
            "strides": None if self.strides is None else [list(level) for level in self.strides],
            "spacing": None if self.spacing is None else list(self.spacing),
            "kernels": None if self.kernels is None else [list(level) for level in self.kernels],
        }

    @staticmethod
    def from_json(document: dict[str, Any]) -> "Task":
        """The task that `to_json` wrote."""
        strides, spacing, kernels = document["strides"], document["spacing"], document.get("kernels")
        return Task(
            document["axes"],
            document["channels"],
            document["classes"],
            tuple(document["patch"]),
            None if strides is None else tuple(tuple(level) for level in strides),
            None if spacing is None else tuple(spacing),
            None if kernels is None else tuple(tuple(level) for level in kernels),
        )
