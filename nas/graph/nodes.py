"""What a traced network is: its operations in the order they run, and at which resolution."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from nas.graph.operations import Operation, surplus_of
from nas.graph.task import Axes, Task


class Node(NamedTuple):
    """One operation in a graph.

    `inputs` are positions of earlier nodes; `name` is its path (`encoder.0.block.1.conv`), under which its learned
    tensors stand in the state dict; `strides` are input voxels per position and axis, `()` after global pooling.
    """

    operation: Operation
    inputs: tuple[int, ...]
    name: str
    channels: int
    strides: Axes


@dataclass(frozen=True)
class Scope:
    """What a path stands for: the class of the part that wrote it, and its docstring."""

    kind: str
    description: str


@dataclass(frozen=True)
class Traced:
    """A network as a tuple of nodes.

    `outputs` are positions of nodes, full resolution first; further ones are the coarser outputs of deep
    supervision. `scopes` maps paths to the parts that wrote them and is no part of the network's identity.
    """

    task: Task
    nodes: tuple[Node, ...]
    outputs: tuple[int, ...]
    scopes: Mapping[str, Scope]

    @cached_property
    def voxels(self) -> tuple[int, ...]:
        """How many positions of one patch each node makes."""
        counts: dict[tuple[Axes, Axes], int] = {}
        surplus: list[Axes] = []
        for node in self.nodes:
            surplus.append(surplus_of(node.operation, [surplus[source] for source in node.inputs]))
            size = node.strides, surplus[-1]
            if size not in counts:
                counts[size] = self.task.voxels(*size)
        return tuple(counts[size] for size in zip((node.strides for node in self.nodes), surplus, strict=True))

    @cached_property
    def total_stride(self) -> Axes:
        """What each axis of an input must be a multiple of."""
        strides = [node.strides for node in self.nodes if node.strides]
        return tuple(max(level) for level in zip(*strides, strict=True))
