"""How a decoder's tensors become scores."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from nas.graph import Axes, Ops, Tensor
from nas.space import knob


class Outputs(Protocol):
    """What ends an architecture: from all that its decoder returns, finest first, to the scores of each class.

    The first output has the resolution of the image, whose strides are `full`; further ones, each coarser than the
    one before, are trained beside it (deep supervision) and left out of a prediction.
    """

    def __call__(self, tensors: Sequence[Tensor], ops: Ops, full: Axes) -> tuple[Tensor, ...]: ...  # noqa: D102


@dataclass(frozen=True)
class Head:
    """A convolution to the classes; with `deep_supervision` one more at each coarser decoder stage.

    `norm_act` puts norm and activation before it (SegResNet, arXiv:1810.11654), `refined` a 5x5 convolution to as
    many channels with both (V-Net, arXiv:1606.04797). What remains to full resolution is interpolated linearly,
    with `aligned` corners as in segmentation-models-pytorch. The `kernel` is the convolution's.
    """

    deep_supervision: bool = False
    kernel: int = knob(1, low=1, high=99)
    norm_act: bool = False
    refined: bool = False
    aligned: bool = False

    def __call__(self, tensors: Sequence[Tensor], ops: Ops, full: Axes) -> tuple[Tensor, ...]:
        """Write the head; returns its outputs, full resolution first."""
        with ops.scope("head", self):
            main = ops.resize(self._scores(tensors[0], ops), full, "aligned" if self.aligned else "linear")
        coarser = tensors[1:] if self.deep_supervision else ()
        return main, *(self._auxiliary(tensor, index, ops) for index, tensor in enumerate(coarser))

    def _auxiliary(self, x: Tensor, index: int, ops: Ops) -> Tensor:
        with ops.scope(f"auxiliary.{index}", self):
            return self._scores(x, ops)

    def _scores(self, x: Tensor, ops: Ops) -> Tensor:
        if self.norm_act:
            x = ops.act(ops.norm(x))
        if self.refined:
            x = ops.conv_norm_act(x, ops.task.classes, 5)
        return ops.conv(x, ops.task.classes, self.kernel, bias=True)
