"""Blocks that concatenate all they have made."""

from dataclasses import dataclass

from nas.architecture.part import Site, depth_field, is_strided, width_field
from nas.graph import Ops, Tensor


@dataclass(frozen=True)
class Dense:
    """Every layer sees all earlier ones and adds a few channels (Huang et al. 2017, arXiv:1608.06993).

    It adds `growth` of them. A layer is norm, activation, 3x3 convolution and dropout. The block hands on its input
    with all new channels, or, unless `carry`, the new ones alone, as Tiramisu's bottleneck and decoder do (Jégou et
    al. 2017, arXiv:1611.09326). Its width follows from its layers, not from the site. `layers` is how many there
    are.
    """

    layers: int = depth_field(4, fewest=2)
    growth: int = width_field(16, smallest=2)
    carry: bool = True

    def __call__(self, x: Tensor, ops: Ops, site: Site) -> Tensor:
        """Write the block."""
        if is_strided(site.stride):
            with ops.scope("reduce"):
                x = ops.conv(ops.act(ops.norm(x)), x.channels, stride=site.stride)
        stack, features = x, []
        for index in range(self.layers):
            with ops.scope(index):
                new = ops.conv(ops.act(ops.norm(stack)), self.growth, dilation=site.dilation)
                features.append(ops.dropout(new))
                if index < self.layers - 1 or self.carry:
                    stack = ops.concat(stack, features[-1])
        return stack if self.carry else ops.concat(*features)
