"""What a network sees of an image at once when whole images are segmented, and what that costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from nas.graph import Axes, Task
from nas.training.inference import windows
from nas.training.samples import Sample


@dataclass(frozen=True)
class Window:
    """Windows of one size that overlap by a share of it; without a size, each image is seen at once."""

    size: Axes | None = None
    overlap: float = 0.5

    def over(self, image: Axes, task: Task) -> Axes:
        """The window over an image of a size; one that covers it is as large as the network's strides ask for."""
        if self.size is not None:
            return self.size
        total = [prod(stride[axis] for stride in task.strides or ()) for axis in range(task.axes)]
        return tuple(-(-along // step) * step for along, step in zip(image, total, strict=True))

    def positions(self, samples: Sequence[Sample], task: Task) -> int:
        """How many voxels a network looks at to segment samples, each as often as windows overlap there."""
        return sum(self._positions(sample, task) for sample in samples)

    def _positions(self, sample: Sample, task: Task) -> int:
        size = list(sample.label.shape)
        slices = size.pop(sample.slicing.axis) if sample.slicing else 1
        window = self.over(tuple(size), task)
        return slices * windows(tuple(size), window, self.overlap) * prod(window)

    def to_json(self) -> dict[str, Any]:
        """The window as plain JSON."""
        return {"size": None if self.size is None else list(self.size), "overlap": self.overlap}

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> "Window":
        """The window that `to_json` wrote."""
        size = document["size"]
        return Window(None if size is None else tuple(size), document["overlap"])


def largest_image(samples: Sequence[Sample]) -> int:
    """Voxels of the largest image that samples are segmented as: of a volume that is cut into slices, one of them."""
    return max(
        prod(
            along for axis, along in enumerate(sample.label.shape) if not sample.slicing or axis != sample.slicing.axis
        )
        for sample in samples
    )
