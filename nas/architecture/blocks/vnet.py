"""Residual blocks of large kernels for volumes."""

from dataclasses import dataclass, replace

from nas.architecture.blocks.shortcut import shortcut
from nas.architecture.part import Site, depth_field, is_strided
from nas.graph import Ops, Tensor
from nas.space import knob


@dataclass(frozen=True)
class VNet:
    """Large convolutions, each with norm and activation, around one shortcut (Milletari et al. 2016).

    V-Net, arXiv:1606.04797, in the form of `monai.networks.nets.VNet`. `keep` makes as many channels as it is
    given, as V-Net's decoder does after its concatenation. `convs` is how many there are, `kernel` how large.
    """

    convs: int = depth_field(2)
    kernel: int = knob(5, low=1, high=99)
    keep: bool = False

    def __call__(self, x: Tensor, ops: Ops, site: Site) -> Tensor:
        """Write the block."""
        site = replace(site, width=x.channels) if self.keep else site
        identity = shortcut(x, ops, site)
        x = ops.dropout(x)
        for index in range(self.convs):
            stride = site.stride if index == 0 else 1
            with ops.scope(index):
                x = ops.conv_norm_act(x, site.width, self.kernel, stride=stride, dilation=site.dilation)
        return ops.act(ops.add(x, identity))


@dataclass(frozen=True)
class VNetInput:
    """V-Net's first block: one large convolution, to which the image is added, repeated until it is as wide.

    Milletari et al. 2016, arXiv:1606.04797, in the form of `monai.networks.nets.VNet`.
    """

    kernel: int = knob(5, low=1, high=99)

    def __call__(self, x: Tensor, ops: Ops, site: Site) -> Tensor:
        """Write the block."""
        times, rest = divmod(site.width, x.channels)
        repeats = not rest and not is_strided(site.stride)
        identity = ops.concat(*[x] * times) if repeats else shortcut(x, ops, site)
        x = ops.norm(ops.conv(x, site.width, self.kernel, stride=site.stride, dilation=site.dilation))
        return ops.act(ops.add(x, identity))
