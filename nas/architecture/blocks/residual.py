"""Blocks that add to what they are given."""

from dataclasses import dataclass

from nas.architecture.blocks.attention import SqueezeExcite
from nas.architecture.blocks.shortcut import shortcut
from nas.architecture.part import Site, depth_field, in_a_row, is_strided
from nas.graph import Ops, Tensor


@dataclass(frozen=True)
class Basic:
    """Units of two 3x3 convolutions around a shortcut (He et al. 2016, arXiv:1512.03385).

    `attention` reweighs the branch before the addition; `average_shortcut` pools before the shortcut's 1x1 instead
    of striding it (He et al. 2019, arXiv:1812.01187). `lean_shortcut` gives that 1x1 no bias and leaves it out
    where only the resolution changes, as nnU-Net's residual encoders do (Isensee et al. 2024, arXiv:2404.09556).
    `units` is how many there are.
    """

    units: int = depth_field(2)
    attention: SqueezeExcite | None = None
    average_shortcut: bool = False
    lean_shortcut: bool = False

    def __call__(self, x: Tensor, ops: Ops, site: Site) -> Tensor:
        """Write the block."""
        return in_a_row(self.units, self._unit, x, ops, site)

    def _unit(self, x: Tensor, ops: Ops, site: Site) -> Tensor:
        identity = shortcut(x, ops, site, self.average_shortcut, self.lean_shortcut)
        x = ops.conv_norm_act(x, site.width, stride=site.stride, dilation=site.dilation)
        x = ops.norm(ops.conv(x, site.width, dilation=site.dilation))
        return ops.dropout(ops.act(ops.add(reweigh(x, ops, self.attention), identity)))


@dataclass(frozen=True)
class Bottleneck:
    """Units of 1x1, 3x3 and 1x1 convolutions around a shortcut, a quarter as wide inside (He et al. 2016).

    arXiv:1512.03385, with the stride in the 3x3 convolution. `attention` reweighs the branch before the addition
    (Hu et al. 2018, arXiv:1709.01507); `average_shortcut` as in `Basic`. `units` is how many there are.
    """

    units: int = depth_field(3)
    attention: SqueezeExcite | None = None
    average_shortcut: bool = False

    def __call__(self, x: Tensor, ops: Ops, site: Site) -> Tensor:
        """Write the block."""
        return in_a_row(self.units, self._unit, x, ops, site)

    def _unit(self, x: Tensor, ops: Ops, site: Site) -> Tensor:
        inside = max(site.width // 4, 1)
        identity = shortcut(x, ops, site, self.average_shortcut)
        x = ops.conv_norm_act(x, inside, 1)
        x = ops.conv_norm_act(x, inside, stride=site.stride, dilation=site.dilation)
        x = ops.norm(ops.conv(x, site.width, 1))
        return ops.dropout(ops.act(ops.add(reweigh(x, ops, self.attention), identity)))


@dataclass(frozen=True)
class PreActivation:
    """Units of norm, activation and 3x3 convolution, twice, around a clean shortcut (He et al. 2016b).

    arXiv:1603.05027; the unit of the deep residual U-Net (Zhang et al. 2018, arXiv:1711.10684). `units` is how many
    there are.
    """

    units: int = depth_field(1)

    def __call__(self, x: Tensor, ops: Ops, site: Site) -> Tensor:
        """Write the block."""
        return in_a_row(self.units, self._unit, x, ops, site)

    def _unit(self, x: Tensor, ops: Ops, site: Site) -> Tensor:
        branch = ops.conv(ops.act(ops.norm(x)), site.width, stride=site.stride, dilation=site.dilation)
        branch = ops.conv(ops.dropout(ops.act(ops.norm(branch))), site.width, dilation=site.dilation)
        if x.channels != site.width or is_strided(site.stride):
            with ops.scope("shortcut"):
                x = ops.conv(x, site.width, 1, stride=site.stride)
        return ops.add(branch, x)


def reweigh(x: Tensor, ops: Ops, attention: SqueezeExcite | None) -> Tensor:
    """The branch, its channels weighed by `attention` if there is one."""
    if attention is None:
        return x
    with ops.scope("attention", attention):
        return attention(x, ops)
