"""What training minimises. A loss is a frozen value; `function` makes it callable. One file a loss."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nas.training.targets import EACH_CLASS, Targets

if TYPE_CHECKING:
    from torch import Tensor

Single = Callable[["Tensor", "Tensor"], "Tensor"]
"""From float scores (batch, classes, *size) and class indices (batch, 1, *size) of one resolution to a scalar."""


@dataclass(frozen=True)
class Loss:
    """What every loss has.

    Voxels labelled `IGNORED` are left out: where cross-entropy or a focal term averages over voxels, exactly; in the
    overlap terms they count as background that was predicted for certain, which adds nothing to any structure.

    Terms of overlap and of boundaries look at targets: at regions where the data declare such. Cross-entropy and focal
    terms look at the classes, which exclude each other.
    """

    def function(self, targets: Targets = EACH_CLASS) -> Single:
        """The loss of one output; MONAI's wherever it has it."""
        raise NotImplementedError


def supervised(
    loss: Loss, decay: float, targets: Targets = EACH_CLASS
) -> "Callable[[Tensor | tuple[Tensor, ...], Tensor], Tensor]":
    """A loss of one or of several outputs.

    The result takes class scores (batch, classes, *size), or several of falling resolution for deep supervision,
    and class indices (batch, 1, *size) of any type. Each coarser output weighs `decay` times the one before; one that
    weighs nothing costs nothing.
    """
    single = loss.function(targets)

    def total(scores: "Tensor | tuple[Tensor, ...]", label: "Tensor") -> "Tensor":
        outputs = scores if isinstance(scores, tuple) else (scores,)
        weights = [decay**index for index in range(len(outputs))]
        parts = [
            weight / sum(weights) * single(output.float(), _at(label, output))
            for output, weight in zip(outputs, weights, strict=True)
            if weight > 0
        ]
        return sum(parts[1:], start=parts[0])

    return total


def _at(label: "Tensor", output: "Tensor") -> "Tensor":
    """The label at an output's resolution."""
    from torch.nn.functional import interpolate

    size = output.shape[2:]
    return label if label.shape[2:] == size else interpolate(label, size=size, mode="nearest-exact")
