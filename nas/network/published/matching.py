"""Finds, for each tensor of another library's state dict, its place in a network of the same structure."""

import importlib
import pkgutil
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import cast

import torch
from torch import Tensor

from nas.errors import InputError
from nas.graph import Graph, Node
from nas.graph import operations as op
from nas.network.published import sources
from nas.network.published.layout import Ends, Layout
from nas.network.published.orders import Order, channel_orders, is_channelwise

WRAPPERS = ("module.", "_orig_mod.")
"""What torch's DistributedDataParallel and torch.compile put before all names."""

Fit = Callable[[Tensor, Node, torch.Size], Tensor]
"""Brings a tensor of a node to a shape, or leaves it as it is where it cannot."""


class MisfitError(InputError):
    """A state dict is not of this network's structure; `matched` of its tensors were, up to the first that is not."""

    def __init__(self, message: str, matched: int = 0):
        super().__init__(message)
        self.matched = matched


class Matching:
    """The tensors of a network of nas by name, filled with those of one layout.

    Args:
        graph: of the network.
        layout: whose names the state dict has.
        ends: of the network.
        target: the network's own tensors.
        parts: what the names of the nodes that are wanted begin with; all others are left as they are.
        fit: what is done to a tensor of another shape.
    """

    def __init__(
        self,
        graph: Graph,
        layout: Layout,
        ends: Ends,
        target: Mapping[str, Tensor],
        *,
        parts: tuple[str, ...] = ("",),
        fit: Fit = lambda tensor, node, shape: tensor,
    ):
        self.graph = graph
        self.layout = layout
        self.ends = ends
        self.target = target
        self.parts = parts
        self.fit = fit
        self.nodes = {node.name: node for node in graph.nodes}
        orders = channel_orders(graph, lambda name: re.fullmatch(layout.reversed, name) is not None)
        self.orders = {node.name: order for node, order in zip(graph.nodes, orders, strict=True)}

    def read(self, published: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The network's tensors that the state dict has.

        Raises:
            MisfitError: one of them has no place here, or another shape.
        """
        loaded: dict[str, Tensor] = {}
        try:
            for name, tensor in published.items():
                layer, _, kind = name.rpartition(".")
                node = self._node(name, layer, tensor)
                if node is not None:
                    loaded[f"{node.name}.{kind}"] = self._placed(name, tensor, node, kind)
        except InputError as error:
            raise MisfitError(str(error), len(loaded)) from None
        return loaded | self._biases(loaded)

    def _biases(self, loaded: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Zeros for the convolutions that have a bias here alone."""
        zeros = {}
        for node in self.graph.nodes:
            name = f"{node.name}.bias"
            lacks = name in self.target and name not in loaded and f"{node.name}.weight" in loaded
            if lacks and isinstance(node.operation, op.Convolution | op.TransposedConvolution):
                zeros[name] = torch.zeros(self.target[name].shape)
        return zeros

    def _node(self, name: str, layer: str, tensor: Tensor) -> Node | None:
        """The node that a layer is; None for a layer that is not needed."""
        names = self.layout.node(layer, self.ends)
        if names is None:
            raise InputError(f"{name} {shape_of(tensor)} is no name of {self.layout.source}'s networks")
        candidates = [wanted for wanted in _several(names) if wanted.startswith(self.parts)]
        if not any(candidates):
            return None
        known = [self.nodes[candidate] for candidate in candidates if candidate in self.nodes]
        kind = name.rpartition(".")[2]
        fitting = [node for node in known if self._axes(node, kind) == tensor.ndim]
        if known:
            return (fitting or known)[0]
        if "" in candidates:
            return None
        raise InputError(
            f"{name} {shape_of(tensor)} of {self.layout.source} would be {candidates[0]}, which this "
            "network does not have; give one of the same structure"
        )

    def _axes(self, node: Node, kind: str) -> int | None:
        own = self.target.get(f"{node.name}.{kind}")
        return None if own is None else own.ndim

    def _placed(self, name: str, tensor: Tensor, node: Node, kind: str) -> Tensor:
        """A tensor with its channels in the order that they have here."""
        own = self.target.get(f"{node.name}.{kind}")
        if own is None:
            raise InputError(
                f"{name} {shape_of(tensor)} of {self.layout.source} is {kind} of {node.name}, which has "
                "none in this network; give one of the same structure"
            )
        if re.fullmatch(self.layout.turned, name.rpartition(".")[0]) and tensor.ndim > 1:
            tensor = tensor.transpose(0, 1)
        shape = shape_of(tensor)
        tensor = self.fit(tensor, node, own.shape)
        if tensor.shape != own.shape:
            raise InputError(
                f"{name} of {self.layout.source} has shape {shape}, {node.name}.{kind} has "
                f"{shape_of(own)}; give a network of the same structure, widths and channels"
            )
        if tensor.ndim == 0 or tensor.is_meta:
            return tensor
        first, second = self._sides(node, kind)
        placed = torch.empty_like(tensor)
        if second is None:
            placed[first] = tensor
        else:
            placed[first[:, None], second[None, :]] = tensor
        return placed

    def _sides(self, node: Node, kind: str) -> tuple[Tensor, Tensor | None]:
        """Where the channels of a tensor's first axis stand here, and those of its second, if those are ordered."""
        source = self.graph.nodes[node.inputs[0]]
        out, into = self.orders[node.name], self.orders[source.name]
        operation = node.operation
        is_convolution = isinstance(operation, op.Convolution | op.TransposedConvolution)
        if kind != "weight" or not is_convolution or is_channelwise(node, source.channels):
            return _indices(out, self.target[f"{node.name}.{kind}"].shape[0]), None
        assert isinstance(operation, op.Convolution | op.TransposedConvolution)
        if operation.groups > 1:
            return torch.arange(self.target[f"{node.name}.{kind}"].shape[0]), None
        if isinstance(operation, op.TransposedConvolution):
            out, into = into, out
        return torch.as_tensor(out), torch.as_tensor(into)


def unwrapped(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A state dict under the names that its library gave.

    Raises:
        InputError: it is none.
    """
    if not state_dict or not all(isinstance(tensor, Tensor) for tensor in state_dict.values()):
        raise InputError("expected a state dict: tensors by name, such as module.state_dict()")
    return {_unwrapped(name): tensor for name, tensor in state_dict.items()}


def ends_of(graph: Graph) -> Ends:
    """The numbers of a network's last stages."""

    def last(part: str) -> int:
        numbers = (re.match(rf"{part}\.(\d+)\.", node.name) for node in graph.nodes)
        return max((int(match[1]) for match in numbers if match), default=-1)

    return Ends(last("encoder"), last("decoder"))


def layout_of(published: Mapping[str, Tensor], ends: Ends) -> Layout:
    """The library whose rules know the most of these names.

    Raises:
        InputError: none knows half of them.
    """
    layers = dict.fromkeys(name.rpartition(".")[0] for name in published)
    counts = {layout: sum(layout.node(layer, ends) is not None for layer in layers) for layout in _layouts()}
    best = max(counts, key=lambda layout: counts[layout])
    if counts[best] * 2 < len(layers):
        first = next(iter(published))
        known = ", ".join(sorted(layout.source for layout in counts))
        raise InputError(f"{first} {shape_of(published[first])} is no name of {known}")
    return best


def shape_of(tensor: Tensor) -> tuple[int, ...]:
    """As messages show it."""
    return tuple(tensor.shape)


def _several(names: str | tuple[str, ...]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else names


def _indices(order: Order, length: int) -> Tensor:
    # PReLU may have one weight for all channels.
    return torch.as_tensor(order) if len(order) == length else torch.arange(length)


def _unwrapped(name: str) -> str:
    for wrapper in WRAPPERS:
        name = name.removeprefix(wrapper)
    return name


@cache
def _layouts() -> tuple[Layout, ...]:
    names = sorted(item.name for item in pkgutil.iter_modules(sources.__path__))
    return tuple(cast(Layout, importlib.import_module(f"{sources.__name__}.{name}").LAYOUT) for name in names)
