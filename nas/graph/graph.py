"""The traced network with all that is read off it without torch: identity, cost, picture, and itself as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from nas.errors import InputError
from nas.graph import cost, identity
from nas.graph.nodes import Node, Scope, Traced
from nas.graph.operations import OPERATIONS
from nas.graph.task import Axes, Task
from nas.space.walk import field_names


@dataclass(frozen=True)
class Graph(Traced):
    """A network, and what follows from its nodes."""

    @cached_property
    def digest(self) -> str:
        """The identity of the network: equal for equal functions of the image, whatever their parts are called."""
        return identity.digest(self)

    @cached_property
    def parameters(self) -> int:
        """The number of trainable parameters."""
        return cost.parameters(self)

    @cached_property
    def macs(self) -> int:
        """Multiply-accumulates of one forward pass over one patch, of convolutions and matrix products.

        Those of the outputs of deep supervision are counted: they are made in every pass.
        """
        return cost.macs(self)

    @cached_property
    def blocked_macs(self) -> int:
        """Multiply-accumulates of one forward pass over one patch, as a processor makes them: channels in blocks of 16.

        A network of 12 channels takes as long as one of 16; it is the better measure of time, not of size.
        """
        return cost.blocked_macs(self)

    @cached_property
    def training_bytes(self) -> int:
        """Bytes of activations held for the backward pass of one patch in float32, parameters not counted."""
        return cost.training_bytes(self)

    @cached_property
    def receptive_field(self) -> Axes:
        """Voxels per axis that can influence one output voxel; the whole patch after global pooling."""
        return cost.receptive_field(self)

    def parameters_of(self, *scopes: str) -> int:
        """The number of trainable parameters below the given paths, such as "encoder"."""
        return cost.parameters(self, scopes)

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
