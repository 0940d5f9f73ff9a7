"""How a decoder stage joins the encoder's feature of its resolution.

Each is given that `feature`, the stage's input before upsampling (`coarse`) and after (`x`).
"""

from dataclasses import dataclass
from typing import Protocol

from nas.architecture.part import width_field
from nas.graph import Ops, Tensor


class Skip(Protocol):
    """How a decoder stage joins the encoder's feature: `x` is the stage's input after upsampling, `coarse` before."""

    def __call__(self, feature: Tensor, coarse: Tensor, x: Tensor, ops: Ops) -> Tensor: ...  # noqa: D102


@dataclass(frozen=True)
class Concatenate:
    """Side by side (U-Net, arXiv:1505.04597)."""

    def __call__(self, feature: Tensor, coarse: Tensor, x: Tensor, ops: Ops) -> Tensor:
        """Write the join."""
        return ops.concat(feature, x)


@dataclass(frozen=True)
class Add:
    """Added, through a 1x1 convolution where the channels differ (LinkNet, arXiv:1707.03718)."""

    def __call__(self, feature: Tensor, coarse: Tensor, x: Tensor, ops: Ops) -> Tensor:
        """Write the join."""
        if feature.channels != x.channels:
            feature = ops.norm(ops.conv(feature, x.channels, 1))
        return ops.add(feature, x)


@dataclass(frozen=True)
class Project:
    """Brought to few channels by a 1x1 convolution, then side by side (DeepLabv3+, arXiv:1802.02611).

    It makes `width` channels.
    """

    width: int = width_field(48)

    def __call__(self, feature: Tensor, coarse: Tensor, x: Tensor, ops: Ops) -> Tensor:
        """Write the join."""
        return ops.concat(ops.conv_norm_act(feature, self.width, 1), x)


@dataclass(frozen=True)
class Gate:
    """Weighed voxel by voxel by an additive gate at full resolution, then side by side.

    Attention U-Net (Oktay et al. 2018, arXiv:1804.03999) in MONAI's form: a batch norm on each 1x1 convolution.
    """

    def __call__(self, feature: Tensor, coarse: Tensor, x: Tensor, ops: Ops) -> Tensor:
        """Write the join."""
        inside = max(feature.channels // 2, 1)
        gating = ops.norm(ops.conv(x, inside, 1, bias=True, name="gating"), name="gating_norm")
        skipped = ops.norm(ops.conv(feature, inside, 1, bias=True, name="feature"), name="feature_norm")
        weights = ops.conv(ops.act(ops.add(gating, skipped), "relu"), 1, 1, bias=True, name="weights")
        weights = ops.act(ops.norm(weights, name="weights_norm"), "sigmoid")
        return ops.concat(ops.multiply(feature, weights), x)


@dataclass(frozen=True)
class GridGate:
    """Weighed by an additive gate computed at the coarse resolution, then side by side.

    Attention U-Net (Oktay et al. 2018, arXiv:1804.03999) in the authors' own form: the feature is sampled with
    the stride between the two levels, the weights are interpolated back, and a 1x1 convolution and norm follow.
    """

    def __call__(self, feature: Tensor, coarse: Tensor, x: Tensor, ops: Ops) -> Tensor:
        """Write the join."""
        step = ops.factor(coarse, feature.strides)
        inside = max(feature.channels // 2, 1)
        sampled = ops.conv(feature, inside, step, stride=step, bias=False, name="feature")
        gating = ops.conv(coarse, inside, 1, bias=True, name="gating")
        weights = ops.conv(ops.act(ops.add(sampled, gating), "relu"), 1, 1, bias=True, name="weights")
        weights = ops.resize(ops.act(weights, "sigmoid"), feature.strides)
        gated = ops.norm(ops.conv(ops.multiply(feature, weights), feature.channels, 1, bias=True, name="output"))
        return ops.concat(gated, x)
