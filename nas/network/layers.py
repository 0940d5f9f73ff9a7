"""The torch layer or function of each primitive operation."""

import sys
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from nas.errors import InputError
from nas.graph import Node
from nas.graph import operations as op
from nas.graph.operations import padding
from nas.network.normalising import BatchNorm, InstanceNorm

Layer = Callable[..., Tensor]


class _Picking2d(nn.Conv2d):
    """A strided convolution of kernel 1 that with channels last takes its positions first, then convolves at stride 1.

    On a CPU with channels last, the backward pass of torch's own writes beyond its memory (seen in torch 2.13).
    """

    def forward(self, input: Tensor) -> Tensor:
        if _is_channels_first(input, self.weight):
            return super().forward(input)
        return F.conv2d(_picked(input, self.stride), self.weight, self.bias, groups=self.groups)


class _Picking3d(nn.Conv3d):
    """The same in 3D."""

    def forward(self, input: Tensor) -> Tensor:
        if _is_channels_first(input, self.weight):
            return super().forward(input)
        return F.conv3d(_picked(input, self.stride), self.weight, self.bias, groups=self.groups)


_CONVOLUTIONS = {2: nn.Conv2d, 3: nn.Conv3d}
_PICKING = {2: _Picking2d, 3: _Picking3d}
_TRANSPOSED = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
_MAX_POOLS = {2: F.max_pool2d, 3: F.max_pool3d}
_AVERAGE_POOLS = {2: F.avg_pool2d, 3: F.avg_pool3d}
_ACTIVATIONS: dict[str, Layer] = {
    "relu": F.relu,
    "leaky_relu": partial(F.leaky_relu, negative_slope=0.01),
    "elu": F.elu,
    "gelu": F.gelu,
    "silu": F.silu,
    "mish": F.mish,
    "hardswish": F.hardswish,
    "sigmoid": torch.sigmoid,
}


def layer(node: Node, inputs: list[Node], axes: int) -> Layer:
    """What runs a node: an `nn.Module` where it has learned tensors or differs in training, else a function.

    Raises:
        InputError: a user's module whose file has not been loaded.
    """
    operation = node.operation
    channels = inputs[0].channels
    match operation:
        case op.Convolution():
            picks = all(size == 1 for size in operation.kernel) and any(step > 1 for step in operation.stride)
            return (_PICKING if picks else _CONVOLUTIONS)[axes](
                channels,
                operation.channels,
                cast(Any, operation.kernel),
                cast(Any, operation.stride),
                cast(Any, operation.padding),
                cast(Any, operation.dilation),
                operation.groups,
                operation.bias,
            )
        case op.TransposedConvolution():
            return _TRANSPOSED[axes](
                channels,
                operation.channels,
                cast(Any, operation.kernel),
                cast(Any, operation.stride),
                cast(Any, operation.padding),
                cast(Any, operation.output_padding),
                operation.groups,
                operation.bias,
            )
        case op.Normalisation():
            if operation.kind == "batch":
                return BatchNorm(channels)
            if operation.groups:
                return nn.GroupNorm(operation.groups, channels)
            return InstanceNorm(channels, affine=operation.kind == "instance")
        case op.Activation():
            return _prelu(operation, channels) if operation.kind == "prelu" else _ACTIVATIONS[operation.kind]
        case op.Dropout():
            return nn.Dropout(operation.rate)
        case op.MaxPool():
            return partial(
                _MAX_POOLS[axes], kernel_size=operation.kernel, stride=operation.stride, padding=operation.padding
            )
        case op.AveragePool():
            return partial(_average_pool, kernel=operation.kernel, stride=operation.stride, padding=operation.padding)
        case op.Resize():
            return partial(_resize, factor=tuple(map(float, operation.factor)), mode=operation.mode)
        case op.Pad():
            return partial(F.pad, pad=padding(operation))
        case op.SumSplits():
            return partial(_sum_splits, radix=operation.radix)
        case op.SoftmaxSplits():
            return partial(_softmax_splits, radix=operation.radix)
        case op.Foreign():
            return _foreign(operation)
    return _FUNCTIONS[type(operation)]


def _prelu(operation: op.Activation, channels: int) -> nn.Module:
    return nn.PReLU(channels if operation.per_channel else 1)


def _is_channels_first(x: Tensor, weight: Tensor) -> bool:
    # With one input channel the two layouts look alike, and torch may take either.
    return weight.shape[1] > 1 and x.is_contiguous() and weight.stride(-1) == 1


def _picked(x: Tensor, stride: tuple[int, ...]) -> Tensor:
    places: list[Any] = [slice(None, None, step) for step in stride]
    return x[(..., *places)]


def _resize(x: Tensor, factor: tuple[float, ...], mode: str) -> Tensor:
    if mode == "nearest":
        return F.interpolate(x, scale_factor=factor, mode="nearest")
    linear = "bilinear" if len(factor) == 2 else "trilinear"
    return F.interpolate(x, scale_factor=factor, mode=linear, align_corners=mode == "aligned")


def _average_pool(x: Tensor, kernel: op.Axes, stride: op.Axes, padding: op.Axes) -> Tensor:
    # avg_pool3d refuses an axis that is shorter than its kernel before padding, so such a one is padded by hand.
    if any(size < window for size, window in zip(x.shape[2:], kernel, strict=True)):
        x = F.pad(x, [size for size in reversed(padding) for _ in range(2)])
        padding = (0,) * len(padding)
    return _AVERAGE_POOLS[len(kernel)](x, cast(Any, kernel), cast(Any, stride), cast(Any, padding))


def _split(x: Tensor, radix: int) -> Tensor:
    return x.reshape(x.shape[0], radix, -1, *x.shape[2:])


def _sum_splits(x: Tensor, radix: int) -> Tensor:
    return _split(x, radix).sum(1)


def _softmax_splits(x: Tensor, radix: int) -> Tensor:
    return _split(x, radix).softmax(1).flatten(1, 2) if radix > 1 else torch.sigmoid(x)


def _global_pool(x: Tensor) -> Tensor:
    return x.mean(dim=tuple(range(2, x.ndim)), keepdim=True)


def _add(*tensors: Tensor) -> Tensor:
    total = tensors[0]
    for tensor in tensors[1:]:
        total = total + tensor
    return total


def _attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    weights = torch.softmax(query.flatten(2).transpose(1, 2) @ key.flatten(2), dim=-1)
    return (value.flatten(2) @ weights.transpose(1, 2)).reshape(*value.shape[:2], *query.shape[2:])


def _foreign(operation: op.Foreign) -> nn.Module:
    # Only what the user's own command has loaded is ever called: a study cannot name code to import.
    factory = getattr(sys.modules.get(operation.module), operation.name, None)
    if factory is None:
        raise InputError(
            f"the network holds {operation.module}.{operation.name}; give the file that defines it as --space FILE"
        )
    return cast(nn.Module, factory(**dict(operation.arguments)))


_FUNCTIONS: dict[type[op.Operation], Layer] = {
    op.GlobalPool: _global_pool,
    op.Expand: lambda x, like: x.expand(-1, -1, *like.shape[2:]),
    op.Add: _add,
    op.Multiply: torch.mul,
    op.Concatenate: lambda *tensors: torch.cat(tensors, 1),
    op.Attend: _attend,
}
