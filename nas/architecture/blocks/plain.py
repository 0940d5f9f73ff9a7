"""Convolutions one after the other."""

from dataclasses import dataclass

from nas.architecture.part import Site
from nas.graph import Ops, Tensor
from nas.space import knob


@dataclass(frozen=True)
class Plain:
    """Convolution, norm and activation, repeated (Ronneberger et al. 2015, arXiv:1505.04597).

    `gradual` gives all but the last convolution half the width (Çiçek et al. 2016, arXiv:1606.06650); `separable`
    splits each into a depthwise and a pointwise one (Chollet 2017, arXiv:1610.02357). `convs` is how many there
    are.
    """

    convs: int = knob(2, low=1, high=100)
    gradual: bool = False
    separable: bool = False

    def __call__(self, x: Tensor, ops: Ops, site: Site) -> Tensor:
        """Write the block."""
        for index in range(self.convs):
            last = index == self.convs - 1
            channels = site.width if last or not self.gradual else max(site.width // 2, 1)
            stride = site.stride if index == 0 else 1
            with ops.scope(index):
                if self.separable:
                    x = ops.separable_conv(x, channels, stride=stride, dilation=site.dilation)
                else:
                    x = ops.conv(x, channels, stride=stride, dilation=site.dilation)
                x = ops.dropout(ops.act(ops.norm(x)))
        return x


@dataclass(frozen=True)
class Merge:
    """One convolution with plain instance norm and PReLU, as MONAI's AttentionUnet joins a skip.

    Oktay et al. 2018, arXiv:1804.03999, in the form of `monai.networks.nets.AttentionUnet`.
    """

    def __call__(self, x: Tensor, ops: Ops, site: Site) -> Tensor:
        """Write the block."""
        x = ops.conv(x, site.width, stride=site.stride, dilation=site.dilation, bias=True)
        return ops.act(ops.norm(x, kind="instance_plain"), "shared_prelu")
