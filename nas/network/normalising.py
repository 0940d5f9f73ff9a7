"""Instance norm, made to be fast on CPUs."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable


class InstanceNorm(nn.GroupNorm):
    """Instance norm as group norm with a channel a group, which torch computes faster on CPUs.

    With channels last on a CPU the backward pass is written out here: torch's own takes many times as long there.
    """

    def __init__(self, channels: int, affine: bool):
        super().__init__(channels, channels, affine=affine)

    def forward(self, input: Tensor) -> Tensor:
        """Normalise (batch, channels, *size)."""
        if not self._is_slow(input):
            return super().forward(input)
        normalised: Tensor = _Normalise.apply(input, self.weight, self.bias, self.eps)  # type: ignore[no-untyped-call]
        return normalised

    def _is_slow(self, x: Tensor) -> bool:
        if x.device.type != "cpu" or not torch.is_grad_enabled() or torch.compiler.is_compiling():
            return False
        last = not x.is_contiguous() and x.movedim(1, -1).is_contiguous()
        return last and x.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")


class _Normalise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor | None, bias: Tensor | None, epsilon: float) -> Tensor:
        batch, channels = x.shape[:2]
        voxels = x[0, 0].numel()
        normalised, mean, scale = torch.native_group_norm(x, weight, bias, batch, channels, voxels, channels, epsilon)
        ctx.save_for_backward(x, mean, scale, weight)
        return normalised

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, mean, scale, weight = ctx.saved_tensors
        outer = _rows(gradient)
        centred = _rows(x) - mean[:, None]
        shift = outer.sum(1)
        slope = (outer * centred).sum(1)
        gain = scale if weight is None else scale * weight
        inner = torch.addcmul(-(gain * shift / outer.shape[1])[:, None], outer, gain[:, None])
        inner.addcmul_(centred, -(gain * scale.square() * slope / outer.shape[1])[:, None])
        arranged = inner.view(x.movedim(1, -1).shape).movedim(-1, 1)
        if weight is None:
            return arranged, None, None, None
        return arranged, (slope * scale).sum(0), shift.sum(0), None


def _rows(x: Tensor) -> Tensor:
    """(batch, channels, *size) as (batch, voxels, channels), without a copy where channels are last."""
    return x.movedim(1, -1).flatten(1, -2)
