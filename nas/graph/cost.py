"""What a network costs, read off its graph: parameters, multiply-accumulates, memory and receptive field."""

from collections.abc import Iterator
from dataclasses import replace
from math import prod
from typing import Any

from nas.graph.nodes import Traced
from nas.graph.operations import (
    Attend,
    AveragePool,
    Convolution,
    GlobalPool,
    MaxPool,
    Operation,
    Pad,
    Resize,
    TransposedConvolution,
)
from nas.graph.task import Axes

FLOAT_BYTES = 4
_BLOCK = 16
"""Channels that a processor computes at once, so that convolutions of fewer take about as long (Zen 4, bfloat16)."""
_FEW = 4
"""Channels in, as of an image, that are not brought into blocks."""


def parameters(graph: Traced, scopes: tuple[str, ...] = ("",)) -> int:
    """The number of trainable parameters, of the whole or below the given paths."""
    prefixes = tuple(f"{scope}." if scope else "" for scope in scopes)
    return sum(
        prod(shape)
        for node in graph.nodes
        if node.name.startswith(prefixes)
        for shape in node.operation.shapes(tuple(graph.nodes[i].channels for i in node.inputs)).values()
    )


def macs(graph: Traced) -> int:
    """Multiply-accumulates of one forward pass over one patch."""
    return sum(operation.macs(inputs, *positions) for operation, inputs, positions in _computed(graph))


def blocked_macs(graph: Traced) -> int:
    """Multiply-accumulates of one forward pass over one patch where channels are computed in whole blocks."""
    return sum(_in_blocks(*computed) for computed in _computed(graph))


def _computed(graph: Traced) -> Iterator[tuple[Operation, Axes, tuple[int, int]]]:
    """Each operation with the channels of its inputs, and how many positions its first input and its output have."""
    for position, node in enumerate(graph.nodes):
        if node.inputs:
            channels = tuple(graph.nodes[i].channels for i in node.inputs)
            yield node.operation, channels, (graph.voxels[node.inputs[0]], graph.voxels[position])


def _in_blocks(operation: Operation, inputs: Axes, positions: tuple[int, int]) -> int:
    """Multiply-accumulates of an operation as a processor makes them."""
    if isinstance(operation, Convolution | TransposedConvolution) and operation.groups == 1:
        inputs = (inputs[0] if inputs[0] <= _FEW else _whole(inputs[0]), *inputs[1:])
        operation = replace(operation, channels=_whole(operation.channels))
    return operation.macs(inputs, *positions)


def _whole(channels: int) -> int:
    return -(-channels // _BLOCK) * _BLOCK


def training_bytes(graph: Traced) -> int:
    """Bytes that autograd holds between forward and backward over one patch in float32, parameters aside.

    A tensor that several operations keep is held once.
    """
    voxels = graph.voxels
    nodes = graph.nodes
    kept: set[int] = set()
    extra = 0
    for position, node in enumerate(nodes):
        if not node.inputs:
            continue
        if node.operation.keeps == "inputs":
            kept.update(node.inputs)
        elif node.operation.keeps == "output":
            kept.add(position)
        extra += node.operation.extra_bytes(node.channels, voxels[node.inputs[0]], voxels[position])
    return extra + FLOAT_BYTES * sum(nodes[position].channels * voxels[position] for position in kept)


def receptive_field(graph: Traced) -> Axes:
    """Voxels per axis that can influence one voxel of the first output, found by walking the graph backwards."""
    whole = any(isinstance(node.operation, GlobalPool | Attend) for node in graph.nodes)
    if whole:
        return graph.task.patch
    return tuple(_receptive_field(graph, axis) for axis in range(graph.task.axes))


def _receptive_field(graph: Traced, axis: int) -> int:
    import numpy as np  # here, for what is not needed to list spaces

    # Outputs at different offsets within the coarsest stride see different amounts: all at once, the largest counts.
    offsets = np.arange(graph.total_stride[axis])
    needed: dict[int, tuple[Any, Any]] = {graph.outputs[0]: (offsets, offsets)}
    for index in range(graph.outputs[0], 0, -1):
        if index not in needed:
            continue
        node = graph.nodes[index]
        size = graph.task.patch[axis] // node.strides[axis]
        low, high = _window(node.operation, axis, size, *needed[index])
        for source in node.inputs:
            known = needed.get(source, (low, high))
            needed[source] = (np.minimum(low, known[0]), np.maximum(high, known[1]))
    low, high = needed[0]
    return int((high - low).max()) + 1


def _window(operation: object, axis: int, size: int, low: Any, high: Any) -> tuple[Any, Any]:
    """The positions of the input that positions `low` to `high` of the output need along one axis; arrays of them.

    `size` is how many positions the output has over one patch.
    """
    if isinstance(operation, Convolution):
        reach = operation.dilation[axis] * (operation.kernel[axis] - 1)
        start = low * operation.stride[axis] - operation.padding[axis]
        return start, high * operation.stride[axis] - operation.padding[axis] + reach
    if isinstance(operation, MaxPool | AveragePool):
        start = low * operation.stride[axis] - operation.padding[axis]
        return start, high * operation.stride[axis] - operation.padding[axis] + operation.kernel[axis] - 1
    if isinstance(operation, TransposedConvolution):
        stride, pad = operation.stride[axis], operation.padding[axis]
        return -((operation.kernel[axis] - 1 - low - pad) // stride), (high + pad) // stride
    if isinstance(operation, Pad):
        return low - operation.before[axis], high - operation.before[axis]
    if isinstance(operation, Resize) and operation.factor[axis] > 1:
        factor = operation.factor[axis]
        if operation.mode == "nearest":
            return low // factor, high // factor
        if operation.mode == "aligned":
            # The first and last positions of both lie on each other.
            return low * (size // factor - 1) // (size - 1), -(-high * (size // factor - 1) // (size - 1))
        # Position p of the output lies at (p + 1/2) / factor - 1/2 of the input, between two of its positions.
        return (2 * low + 1 - factor) // (2 * factor), -((factor - 2 * high - 1) // (2 * factor))
    return low, high
