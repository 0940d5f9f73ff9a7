"""How a decoder climbs to a finer resolution."""

from dataclasses import dataclass
from typing import Protocol

from nas.architecture.blocks.mednext import squeezed
from nas.architecture.part import is_strided, window
from nas.graph import Axes, Ops, Tensor
from nas.space import knob


class Upsampling(Protocol):
    """How a decoder stage comes to the finer resolution that has these strides; `width` is the stage's."""

    def __call__(self, x: Tensor, ops: Ops, width: int, strides: Axes) -> Tensor: ...  # noqa: D102


@dataclass(frozen=True)
class Transposed:
    """A transposed convolution to the stage's width.

    With `keep`, to the channels it is given. Kernel 2 as in U-Net (arXiv:1505.04597), 3 as in Tiramisu
    (arXiv:1611.09326); `norm_act` adds both. `cropped` takes the voxel that an odd kernel makes too much from the
    far end of each axis, as Tiramisu's published code does, instead of from the near end. Its `kernel` is at least
    the step.
    """

    kernel: int = knob(2, low=1, high=99)
    keep: bool = False
    norm_act: bool = False
    cropped: bool = False

    def __call__(self, x: Tensor, ops: Ops, width: int, strides: Axes) -> Tensor:
        """Write the step up to the resolution that has these strides."""
        factor = ops.factor(x, strides)
        # A kernel smaller than the step would leave voxels that no value of `x` reaches.
        kernel = tuple(max(size, step) for size, step in zip(window(self.kernel, factor), factor, strict=True))
        channels = x.channels if self.keep else width
        if self.cropped:
            x = _cropped(x, channels, kernel, factor, ops)
        else:
            x = ops.transposed_conv(x, channels, kernel, stride=factor)
        return ops.act(ops.norm(x)) if self.norm_act else x


@dataclass(frozen=True)
class Linear:
    """Linear interpolation, channels as they are.

    `aligned` lays the corner voxels of both resolutions on each other; `project` brings the channels to the stage's
    width first, by a 1x1 convolution (SegResNet, Myronenko 2018, arXiv:1810.11654).
    """

    aligned: bool = False
    project: bool = False

    def __call__(self, x: Tensor, ops: Ops, width: int, strides: Axes) -> Tensor:
        """Write the step up to the resolution that has these strides."""
        if self.project:
            x = ops.conv(x, width, 1)
        return ops.resize(x, strides, "aligned" if self.aligned else "linear")


@dataclass(frozen=True)
class Nearest:
    """The value of the nearest voxel, channels as they are."""

    def __call__(self, x: Tensor, ops: Ops, width: int, strides: Axes) -> Tensor:
        """Write the step up to the resolution that has these strides."""
        return ops.resize(x, strides, "nearest")


@dataclass(frozen=True)
class MedNextUp:
    """A MedNeXt unit whose first convolution is transposed, with a transposed 1x1 as its shortcut.

    Roy et al. 2023, arXiv:2303.09975. Both make one voxel less than the finer image has, and zeros stand in its
    place at the near end of each axis. `expansion` and `kernel` as in `MedNext`.
    """

    expansion: int = knob(2, low=1, high=100)
    kernel: int = knob(3, low=1, high=99)

    def __call__(self, x: Tensor, ops: Ops, width: int, strides: Axes) -> Tensor:
        """Write the step up to the resolution that has these strides."""
        factor = ops.factor(x, strides)
        with ops.scope("shortcut"):
            shortcut = _filled(ops.transposed_conv(x, width, 1, stride=factor, cut=0), factor, ops)
        branch = ops.transposed_conv(
            x, x.channels, self.kernel, stride=factor, groups=x.channels, cut=self.kernel // 2, name="depthwise"
        )
        return ops.add(_filled(squeezed(branch, ops, width, self.expansion), factor, ops), shortcut)


def _cropped(x: Tensor, channels: int, kernel: Axes, factor: Axes, ops: Ops) -> Tensor:
    """An up-convolution of which the same is cut from both ends, and what is left over from the far one."""
    surplus = [size - step for size, step in zip(kernel, factor, strict=True)]
    if not any(more % 2 for more in surplus):
        return ops.transposed_conv(x, channels, kernel, stride=factor)
    x = ops.transposed_conv(x, channels, kernel, stride=factor, cut=tuple(more // 2 for more in surplus))
    return ops.pad(x, after=tuple(-(more % 2) for more in surplus))


def _filled(x: Tensor, factor: Axes, ops: Ops) -> Tensor:
    """Zeros at the near end of each axis that grows, for the voxels that an odd kernel does not reach."""
    return ops.pad(x, before=tuple(step - 1 for step in factor)) if is_strided(factor) else x
