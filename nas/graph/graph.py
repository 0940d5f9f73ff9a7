"""The traced network: nodes in the order they run, and all that is read off them without torch."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, NamedTuple

from nas.errors import InputError
from nas.graph.operations import OPERATIONS, Operation
from nas.graph.task import Axes, Task
from nas.space.walk import field_names


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
class Graph:
    """A network as a tuple of nodes.

    `outputs` are positions of nodes, full resolution first; further ones are the coarser outputs of deep
    supervision. `scopes` maps paths to the parts that wrote them and is no part of the network's identity.
    """

    task: Task
    nodes: tuple[Node, ...]
    outputs: tuple[int, ...]
    scopes: Mapping[str, Scope]

    @cached_property
    def digest(self) -> str:
        """The identity of the network: equal for equal functions of the image, whatever their parts are called."""
        from nas.graph.identity import digest

        return digest(self)

    @cached_property
    def parameters(self) -> int:
        """The number of trainable parameters."""
        from nas.graph.cost import parameters

        return parameters(self)

    @cached_property
    def macs(self) -> int:
        """Multiply-accumulates of one forward pass over one patch, of convolutions and matrix products.

        Those of the outputs of deep supervision are counted: they are made in every pass.
        """
        from nas.graph.cost import macs

        return macs(self)

    @cached_property
    def blocked_macs(self) -> int:
        """Multiply-accumulates of one forward pass over one patch, as a processor makes them: channels in blocks of 16.

        A network of 12 channels takes as long as one of 16; it is the better measure of time, not of size.
        """
        from nas.graph.cost import blocked_macs

        return blocked_macs(self)

    @cached_property
    def training_bytes(self) -> int:
        """Bytes of activations held for the backward pass of one patch in float32, parameters not counted."""
        from nas.graph.cost import training_bytes

        return training_bytes(self)

    @cached_property
    def receptive_field(self) -> Axes:
        """Voxels per axis that can influence one output voxel; the whole patch after global pooling."""
        from nas.graph.cost import receptive_field

        return receptive_field(self)

    @cached_property
    def voxels(self) -> tuple[int, ...]:
        """How many positions of one patch each node makes."""
        from nas.graph.cost import voxels

        return voxels(self)

    @cached_property
    def total_stride(self) -> Axes:
        """What each axis of an input must be a multiple of."""
        strides = [node.strides for node in self.nodes if node.strides]
        return tuple(max(level) for level in zip(*strides, strict=True))

    def parameters_of(self, *scopes: str) -> int:
        """The number of trainable parameters below the given paths, such as "encoder"."""
        from nas.graph.cost import parameters

        return parameters(self, scopes)

    def _repr_svg_(self) -> str:
        """The picture that a notebook shows."""
        from nas.graph.picture import draw

        return draw(self)

    def to_json(self) -> dict[str, Any]:
        """The graph as plain JSON, with all that is needed to build the network again."""
        return {
            "task": self.task.to_json(),
            "nodes": [
                {
                    "operation": type(node.operation).__name__,
                    **{name: _plain(getattr(node.operation, name)) for name in field_names(type(node.operation))},
                    "inputs": list(node.inputs),
                    "name": node.name,
                    "out": [node.channels, *node.strides],
                }
                for node in self.nodes
            ],
            "outputs": list(self.outputs),
            "scopes": {path: [scope.kind, scope.description] for path, scope in self.scopes.items()},
        }

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> "Graph":
        """The graph that `to_json` wrote. Nothing in it is executed.

        Raises:
            InputError: the document is no graph.
        """
        try:
            return Graph(
                Task.from_json(document["task"]),
                tuple(_node(node) for node in document["nodes"]),
                tuple(document["outputs"]),
                {path: Scope(*scope) for path, scope in document["scopes"].items()},
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"graph document: {type(error).__name__} {error}; expected one written by nas") from None


def _node(document: Mapping[str, Any]) -> Node:
    kind = OPERATIONS[document["operation"]]
    # A graph that was written before a field existed lacks it.
    values = {field.name: _frozen(document[field.name]) for field in fields(kind) if field.name in document}
    operation = kind(**values)
    return Node(operation, tuple(document["inputs"]), document["name"], document["out"][0], tuple(document["out"][1:]))


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
