"""Blocks that look further with each convolution."""

from dataclasses import dataclass

from nas.architecture.part import Site
from nas.graph import Ops, Tensor
from nas.space import knob


@dataclass(frozen=True)
class Dilated:
    """3x3 convolutions whose dilation grows from one to the next.

    It multiplies by `base`: 1, 2, 4, ...

    Multi-scale context by dilated convolutions (Yu and Koltun 2016, arXiv:1511.07122). `convs` is how many there
    are.
    """

    convs: int = knob(3, low=1, high=10)
    base: int = knob(2, low=1, high=10)

    def __call__(self, x: Tensor, ops: Ops, site: Site) -> Tensor:
        """Write the block."""
        for index in range(self.convs):
            stride = site.stride if index == 0 else 1
            with ops.scope(index):
                x = ops.conv_norm_act(x, site.width, stride=stride, dilation=site.dilation * self.base**index)
                x = ops.dropout(x)
        return x
