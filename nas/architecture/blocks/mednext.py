"""ConvNeXt units for volumes: each channel filtered alone, widened, and narrowed again."""

from dataclasses import dataclass

from nas.architecture.part import Site, depth_field, in_a_row, is_strided
from nas.graph import Ops, Tensor
from nas.space import knob


@dataclass(frozen=True)
class MedNext:
    """Units of a depthwise convolution, a norm, and two 1x1 that widen and narrow again, around a shortcut.

    MedNeXt (Roy et al. 2023, arXiv:2303.09975). The 1x1 in between have `expansion` times the channels. Where
    resolution or channels change, the first unit is the one that MedNeXt goes down by. `units` is how many there
    are, `kernel` how large the depthwise convolution is.
    """

    units: int = depth_field(2)
    expansion: int = knob(2, low=1, high=100)
    kernel: int = knob(3, low=1, high=99)

    def __call__(self, x: Tensor, ops: Ops, site: Site) -> Tensor:
        """Write the block."""
        return in_a_row(self.units, self._unit, x, ops, site)

    def _unit(self, x: Tensor, ops: Ops, site: Site) -> Tensor:
        if x.channels != site.width or is_strided(site.stride):
            return resampled(x, ops, site, self.expansion, self.kernel)
        return ops.add(_branch(x, ops, site, self.expansion, self.kernel), x)


def resampled(x: Tensor, ops: Ops, site: Site, expansion: int, kernel: int) -> Tensor:
    """A unit that takes a stride and makes another number of channels, with a 1x1 convolution as its shortcut."""
    with ops.scope("shortcut"):
        shortcut = ops.conv(x, site.width, 1, stride=site.stride, bias=True)
    return ops.add(_branch(x, ops, site, expansion, kernel), shortcut)


def squeezed(x: Tensor, ops: Ops, width: int, expansion: int) -> Tensor:
    """What follows the depthwise convolution of a unit: norm, `expansion` times the channels, and `width` of them."""
    x = ops.conv(ops.norm(x), x.channels * expansion, 1, bias=True, name="widen")
    return ops.dropout(ops.conv(ops.act(x), width, 1, bias=True, name="narrow"))


def _branch(x: Tensor, ops: Ops, site: Site, expansion: int, kernel: int) -> Tensor:
    x = ops.conv(
        x,
        x.channels,
        kernel,
        stride=site.stride,
        dilation=site.dilation,
        groups=x.channels,
        bias=True,
        name="depthwise",
    )
    return squeezed(x, ops, site.width, expansion)
