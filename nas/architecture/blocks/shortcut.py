"""What residual and split-attention units add to their branch."""

from nas.architecture.part import Site, is_strided, window
from nas.graph import Ops, Tensor


def shortcut(x: Tensor, ops: Ops, site: Site, average: bool = False, lean: bool = False) -> Tensor:
    """The identity where shapes allow it, else a 1x1 convolution and a norm, pooled first if `average`.

    With `lean` the convolution has no bias, and after pooling it stands only where the channels change.
    """
    if x.channels == site.width and not is_strided(site.stride):
        return x
    bias = False if lean else None
    with ops.scope("shortcut"):
        if average and is_strided(site.stride):
            x = ops.average_pool(x, window(2, site.stride), site.stride)
            return x if lean and x.channels == site.width else ops.norm(ops.conv(x, site.width, 1, bias=bias))
        return ops.norm(ops.conv(x, site.width, 1, stride=site.stride, bias=bias))
