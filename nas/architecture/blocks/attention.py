"""Attention between channels: squeeze-and-excite and split attention."""

from dataclasses import dataclass

from nas.architecture.blocks.shortcut import shortcut
from nas.architecture.part import Site, depth_field, in_a_row, is_strided, window
from nas.graph import Ops, Tensor
from nas.space import knob


@dataclass(frozen=True)
class SqueezeExcite:
    """Weighs channels by what the whole image holds (Hu et al. 2018, arXiv:1709.01507).

    Pooled, brought to 1 / `reduction` of the channels and back, and through a sigmoid.
    """

    reduction: int = knob(16, low=1)

    def __call__(self, x: Tensor, ops: Ops) -> Tensor:
        """Write the reweighing of `x`."""
        weights = ops.conv(ops.global_pool(x), max(x.channels // self.reduction, 1), 1, bias=True, name="squeeze")
        weights = ops.conv(ops.act(weights, "relu"), x.channels, 1, bias=True, name="excite")
        return ops.multiply(x, ops.act(weights, "sigmoid"))


@dataclass(frozen=True)
class SplitAttention:
    """Bottleneck units whose 3x3 convolution attends to splits of its channels (ResNeSt, Zhang et al. 2022).

    arXiv:2004.08955, of `radix` splits. Of cardinality 1, downsampled by average pooling in the branch and in the
    shortcut. `units` is how many there are.
    """

    units: int = depth_field(3)
    radix: int = knob(2, low=1, high=100)

    def __call__(self, x: Tensor, ops: Ops, site: Site) -> Tensor:
        """Write the block."""
        return in_a_row(self.units, self._unit, x, ops, site)

    def _unit(self, x: Tensor, ops: Ops, site: Site) -> Tensor:
        identity = shortcut(x, ops, site, average=True)
        x = self._branch(x, ops, site)
        return ops.dropout(ops.act(ops.add(x, identity)))

    def _branch(self, x: Tensor, ops: Ops, site: Site) -> Tensor:
        # A multiple of the radix, since the splits share the channels out evenly.
        inside = max(site.width // 4 // self.radix, 1) * self.radix
        x = ops.conv_norm_act(x, inside, 1)
        x = self._split(x, ops, inside, site.dilation)
        if is_strided(site.stride):
            x = ops.average_pool(x, window(3, site.stride), site.stride)
        return ops.norm(ops.conv(x, site.width, 1))

    def _split(self, x: Tensor, ops: Ops, channels: int, dilation: int) -> Tensor:
        squeezed = max(x.channels * self.radix // 4, min(32, channels * self.radix))
        with ops.scope("split"):
            splits = ops.conv_norm_act(x, channels * self.radix, dilation=dilation, groups=self.radix)
            pooled = ops.global_pool(ops.sum_splits(splits, self.radix))
            weights = ops.act(ops.norm(ops.conv(pooled, squeezed, 1, bias=True, name="squeeze")))
            weights = ops.conv(weights, channels * self.radix, 1, bias=True, name="excite")
            weights = ops.softmax_splits(weights, self.radix)
            return ops.sum_splits(ops.multiply(splits, weights), self.radix)
