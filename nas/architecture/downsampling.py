"""How a stage comes to its resolution. Each returns the tensor and where the stage's block then stands."""

from dataclasses import dataclass, replace
from typing import ClassVar, Protocol

from nas.architecture.blocks.mednext import resampled
from nas.architecture.part import Site, is_strided, window
from nas.graph import Ops, Tensor
from nas.space import knob


class Downsampling(Protocol):
    """How a stage comes to its resolution, `levels` levels down (1, or 0 where it stays).

    It takes the stride of `site` or leaves it to the block, and returns the tensor and where the block then stands.
    """

    levels: ClassVar[int]

    def __call__(self, x: Tensor, ops: Ops, site: Site) -> tuple[Tensor, Site]: ...  # noqa: D102


@dataclass(frozen=True)
class MaxPool:
    """The maximum over windows of `kernel` voxels."""

    kernel: int = knob(2, low=1, high=99)
    levels: ClassVar[int] = 1

    def __call__(self, x: Tensor, ops: Ops, site: Site) -> tuple[Tensor, Site]:
        """Write the step."""
        if not is_strided(site.stride):
            return x, site
        return ops.max_pool(x, window(self.kernel, site.stride), site.stride), _unstrided(site)


@dataclass(frozen=True)
class AveragePool:
    """The mean over windows of two voxels."""

    levels: ClassVar[int] = 1

    def __call__(self, x: Tensor, ops: Ops, site: Site) -> tuple[Tensor, Site]:
        """Write the step."""
        if not is_strided(site.stride):
            return x, site
        return ops.average_pool(x, window(2, site.stride), site.stride), _unstrided(site)


@dataclass(frozen=True)
class Strided:
    """The block's own first convolution takes the stride."""

    levels: ClassVar[int] = 1

    def __call__(self, x: Tensor, ops: Ops, site: Site) -> tuple[Tensor, Site]:
        """Write the step: nothing, the block does it."""
        return x, site


@dataclass(frozen=True)
class Transition:
    """Norm, activation, 1x1 convolution, dropout and max-pool between dense blocks (Tiramisu, arXiv:1611.09326)."""

    levels: ClassVar[int] = 1

    def __call__(self, x: Tensor, ops: Ops, site: Site) -> tuple[Tensor, Site]:
        """Write the step."""
        x = ops.dropout(ops.conv(ops.act(ops.norm(x)), x.channels, 1))
        return MaxPool()(x, ops, site)


@dataclass(frozen=True)
class Dilate:
    """Keeps the resolution and doubles the dilation instead (DeepLab, Chen et al. 2017, arXiv:1706.05587)."""

    levels: ClassVar[int] = 0

    def __call__(self, x: Tensor, ops: Ops, site: Site) -> tuple[Tensor, Site]:
        """Write the step: nothing but a change of the block's stride and dilation."""
        return x, replace(_unstrided(site), dilation=site.dilation * 2)


@dataclass(frozen=True)
class StridedConv:
    """A strided convolution of its own before the block, to the stage's width.

    Bare as in SegResNet (Myronenko 2018, arXiv:1810.11654), or with norm and activation and of kernel 2 as in V-Net
    (Milletari et al. 2016, arXiv:1606.04797). `kernel` is how large it is, and `norm_act` adds both.
    """

    kernel: int = knob(3, low=1, high=99)
    norm_act: bool = False
    levels: ClassVar[int] = 1

    def __call__(self, x: Tensor, ops: Ops, site: Site) -> tuple[Tensor, Site]:
        """Write the step."""
        x = ops.conv(x, site.width, window(self.kernel, site.stride), stride=site.stride)
        return ops.act(ops.norm(x)) if self.norm_act else x, _unstrided(site)


@dataclass(frozen=True)
class MedNextDown:
    """A MedNeXt unit whose first convolution is strided, with a strided 1x1 as its shortcut.

    Roy et al. 2023, arXiv:2303.09975. `expansion` and `kernel` as in `MedNext`.
    """

    expansion: int = knob(2, low=1, high=100)
    kernel: int = knob(3, low=1, high=99)
    levels: ClassVar[int] = 1

    def __call__(self, x: Tensor, ops: Ops, site: Site) -> tuple[Tensor, Site]:
        """Write the step."""
        return resampled(x, ops, site, self.expansion, self.kernel), _unstrided(site)


def _unstrided(site: Site) -> Site:
    return replace(site, stride=(1,) * len(site.stride))
