"""Instance and batch norm, made to be fast on CPUs with channels last."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

_FEW_CHANNELS = 16
"""Below so many, torch's batch norm with channels last takes longer than what is written out here."""


class InstanceNorm(nn.GroupNorm):
    """Instance norm as group norm with a channel a group, which torch computes faster on CPUs.

    With channels last on a CPU the backward pass is not torch's, which takes many times as long there. Of a map of one
    voxel only the learned shift is left, whatever the batch; torch's own refuses it for a batch of one.
    """

    def __init__(self, channels: int, affine: bool):
        super().__init__(channels, channels, affine=affine)

    def forward(self, input: Tensor) -> Tensor:
        """Normalise (batch, channels, *size)."""
        if input[0, 0].numel() == 1:
            input = input - input  # else rounding would leave another rest for every size of the batch
        if not _is_slow(input):
            return torch.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)
        return _normalise(input, self.weight, self.bias, self.eps)[0]


class BatchNorm(nn.modules.batchnorm._BatchNorm):
    """torch's batch norm in 2D and 3D.

    With few channels that are last, on a CPU, a batch in training is normalised as one instance that holds all of it.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Normalise (batch, channels, *size)."""
        if not self.training or self.num_features >= _FEW_CHANNELS or not _is_slow(input):
            return super().forward(input)
        rows = input.movedim(1, -1)
        whole = rows.flatten(0, 1)[None].movedim(-1, 1)
        normalised, mean, scale = _normalise(whole, self.weight, self.bias, self.eps)
        self._follow(mean[0], scale[0], whole[0, 0].numel())
        return normalised.movedim(1, -1).view(rows.shape).movedim(-1, 1)

    @torch.no_grad()
    def _follow(self, mean: Tensor, scale: Tensor, count: int) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        variance = (scale.square().reciprocal() - self.eps) * (count / (count - 1))
        self.num_batches_tracked.add_(1)
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)

    def _check_input_dim(self, input: Tensor) -> None:
        """Any number of axes will do."""


def _is_slow(x: Tensor) -> bool:
    if x.device.type != "cpu" or not torch.is_grad_enabled() or torch.compiler.is_compiling():
        return False
    last = not x.is_contiguous() and x.movedim(1, -1).is_contiguous()
    return last and x.dtype in (torch.float32, torch.bfloat16)


def _normalise(x: Tensor, weight: Tensor | None, bias: Tensor | None, epsilon: float) -> tuple[Tensor, Tensor, Tensor]:
    """Each channel of each image at mean 0 and deviation 1; with it the means and the inverse deviations."""
    normalised: tuple[Tensor, Tensor, Tensor] = _Normalise.apply(x, weight, bias, epsilon)  # type: ignore[no-untyped-call]
    return normalised


class _Normalise(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor | None, bias: Tensor | None, epsilon: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        batch, channels = x.shape[:2]
        voxels = x[0, 0].numel()
        # Means come in the kind of the weights, so without any they would be as coarse as the image.
        gain = x.new_ones(channels, dtype=torch.float32) if weight is None else weight
        shift = x.new_zeros(channels, dtype=torch.float32) if bias is None else bias
        normalised, mean, scale = torch.native_group_norm(x, gain, shift, batch, channels, voxels, channels, epsilon)
        ctx.save_for_backward(x, mean, scale, weight)
        ctx.mark_non_differentiable(mean, scale)
        return normalised, mean, scale

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        x, mean, scale, weight = ctx.saved_tensors
        few = x.shape[1] < _FEW_CHANNELS
        inner, slope, shift = (_by_hand if few else _image_by_image)(gradient, x, mean, scale, weight)
        return (inner, None, None, None) if weight is None else (inner, slope, shift, None)


def _by_hand(
    gradient: Tensor, x: Tensor, mean: Tensor, scale: Tensor, weight: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of the input, the weight and the bias."""
    outer = _rows(gradient).float()
    centred = _rows(x) - mean[:, None]
    shift = outer.sum(1)
    slope = (outer * centred).sum(1)
    gain = scale if weight is None else scale * weight
    inner = torch.addcmul(-(gain * shift / outer.shape[1])[:, None], outer, gain[:, None])
    inner.addcmul_(centred, -(gain * scale.square() * slope / outer.shape[1])[:, None])
    arranged = inner.to(x.dtype).view(x.movedim(1, -1).shape).movedim(-1, 1)
    return arranged, (slope * scale).sum(0), shift.sum(0)


def _image_by_image(
    gradient: Tensor, x: Tensor, mean: Tensor, scale: Tensor, weight: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """The same from torch's batch norm, for which each image is a batch of its own."""
    inner, slopes, shifts = torch.empty_like(x), [], []
    for image in range(len(x)):
        one = slice(image, image + 1)
        inner[one], slope, shift = torch.ops.aten.native_batch_norm_backward(
            gradient[one], x[one], weight, None, None, mean[image], scale[image], True, 0.0, [True, True, True]
        )
        slopes.append(slope)
        shifts.append(shift)
    return inner, torch.stack(slopes).sum(0), torch.stack(shifts).sum(0)


def _rows(x: Tensor) -> Tensor:
    """(batch, channels, *size) as (batch, voxels, channels), without a copy where channels are last."""
    return x.movedim(1, -1).flatten(1, -2)
