"""What a network of this patch would carry for nothing, read off its graph before it is trained."""

from math import prod

from nas.graph.graph import Graph
from nas.graph.nodes import Node
from nas.graph.operations import Convolution, Normalisation
from nas.graph.task import Axes


def dead_weight(graph: Graph) -> str:
    """Why a network wastes weights on patches of its task; nothing if it does not.

    It never goes down, though its task has coarser levels; a convolution is dilated so far that all but the middle of
    its kernel only ever sees padding; or an instance norm has a single voxel to normalise, and makes a constant of it.
    """
    task = graph.task
    if max(graph.total_stride) == 1 and max(task.stride(0)) > 1:
        return "it never goes down to a coarser resolution"
    for node in graph.nodes[1:]:
        strides = graph.nodes[node.inputs[0]].strides
        size = tuple(length // stride for length, stride in zip(task.patch, strides, strict=True)) if strides else ()
        reason = _wasted(node, size)
        if reason:
            return f"{node.name}: {reason}; take a larger patch, fewer levels or a smaller dilation"
    return ""


def _wasted(node: Node, size: Axes) -> str:
    operation = node.operation
    if isinstance(operation, Convolution):
        reaches = zip(operation.kernel, operation.dilation, size, strict=False)
        if any(kernel > 1 and dilation > 1 and dilation >= length for kernel, dilation, length in reaches):
            return f"a dilation of {'x'.join(map(str, operation.dilation))} over a map of {'x'.join(map(str, size))}"
    if isinstance(operation, Normalisation) and operation.kind.startswith("instance") and size and prod(size) == 1:
        return "a norm over a single voxel, which leaves a constant"
    return ""
