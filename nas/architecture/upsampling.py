"""How a decoder climbs to a finer resolution."""

from dataclasses import dataclass

from nas.architecture.part import window
from nas.graph import Axes, Ops, Tensor
from nas.space import knob


@dataclass(frozen=True)
class Transposed:
    """A transposed convolution to the stage's width, or, with `keep`, to the channels it is given.

    Kernel 2 as in U-Net (arXiv:1505.04597), 3 as in Tiramisu (arXiv:1611.09326); `norm_act` adds both.
    """

    kernel: int = knob(2, low=1, high=99)
    keep: bool = False
    norm_act: bool = False

    def __call__(self, x: Tensor, ops: Ops, width: int, strides: Axes) -> Tensor:
        """Write the step up to the resolution that has these strides."""
        factor = ops.factor(x, strides)
        # A kernel smaller than the step would leave voxels that no value of `x` reaches.
        kernel = tuple(max(size, step) for size, step in zip(window(self.kernel, factor), factor, strict=True))
        x = ops.transposed_conv(x, x.channels if self.keep else width, kernel, stride=factor)
        return ops.act(ops.norm(x)) if self.norm_act else x


@dataclass(frozen=True)
class Linear:
    """Linear interpolation, channels as they are."""

    def __call__(self, x: Tensor, ops: Ops, width: int, strides: Axes) -> Tensor:
        """Write the step up to the resolution that has these strides."""
        return ops.resize(x, strides)


Upsampling = Transposed | Linear
