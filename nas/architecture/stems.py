"""What stands before the first stage."""

from dataclasses import dataclass
from typing import ClassVar, Protocol

from nas.architecture.part import width_field, window
from nas.graph import Axes, Ops, Tensor
from nas.space import knob


class Stem(Protocol):
    """What stands before the first stage and comes down `levels` levels, by the strides it is given.

    It returns the tensor of each level it has one of, finest first; the last goes on to the encoder.
    """

    levels: ClassVar[int]

    def __call__(self, x: Tensor, ops: Ops, strides: tuple[Axes, ...]) -> tuple[Tensor, ...]: ...  # noqa: D102


@dataclass(frozen=True)
class ConvStem:
    """One convolution at full resolution, bare (Tiramisu, arXiv:1611.09326) or with norm and activation.

    Of kernel 1 in MedNeXt (arXiv:2303.09975); where none is set, of that which the task plans. It makes `width`
    channels; `norm_act` adds both. Its `kernel` is the task's where none is set.
    """

    width: int = width_field(48)
    norm_act: bool = False
    kernel: int | None = knob(None, low=1, high=99)
    levels: ClassVar[int] = 0

    def __call__(self, x: Tensor, ops: Ops, strides: tuple[Axes, ...]) -> tuple[Tensor, ...]:
        """Write the stem; returns one feature for each level it passes, and the last."""
        x = ops.conv(x, self.width, self.kernel)
        return (ops.act(ops.norm(x)),) if self.norm_act else (x,)


@dataclass(frozen=True)
class ResNetStem:
    """A strided 7x7 convolution and a 3x3 max-pool: two halvings (He et al. 2016, arXiv:1512.03385).

    `deep` replaces the 7x7 by three 3x3, the first two half as wide (He et al. 2019, arXiv:1812.01187). It makes
    `width` channels.
    """

    width: int = width_field(64)
    deep: bool = False
    levels: ClassVar[int] = 2

    def __call__(self, x: Tensor, ops: Ops, strides: tuple[Axes, ...]) -> tuple[Tensor, ...]:
        """Write the stem; returns its feature at half resolution and the pooled one."""
        if self.deep:
            half = max(self.width // 2, 1)
            x = ops.conv_norm_act(x, half, stride=strides[0])
            x = ops.conv_norm_act(x, half)
            x = ops.conv_norm_act(x, self.width)
        else:
            x = ops.conv_norm_act(x, self.width, 7, stride=strides[0])
        return x, ops.max_pool(x, window(3, strides[1]), strides[1])
