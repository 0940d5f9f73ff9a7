"""What residual and split-attention units add to their branch."""

from nas.architecture.part import Site, is_strided, window
from nas.graph import Ops, Tensor


def shortcut(x: Tensor, ops: Ops, site: Site, average: bool) -> Tensor:
    """The identity where shapes allow it, else a 1x1 convolution and a norm, pooled first if `average`."""
    if x.channels == site.width and not is_strided(site.stride):
        return x
    with ops.scope("shortcut"):
        if average and is_strided(site.stride):
            x = ops.average_pool(x, window(2, site.stride), site.stride)
            return ops.norm(ops.conv(x, site.width, 1))
        return ops.norm(ops.conv(x, site.width, 1, stride=site.stride))
