"""Reads a state dict of another library into a network of the same structure."""

import importlib
import pkgutil
import re
from collections.abc import Mapping
from functools import cache
from typing import cast

import torch
from torch import Tensor, nn

from nas.errors import InputError
from nas.graph import Graph, Node
from nas.graph import operations as op
from nas.network.published import sources
from nas.network.published.layout import Ends, Layout
from nas.network.published.orders import Order, channel_orders, is_channelwise

_WRAPPERS = ("module.", "_orig_mod.")
"""What torch's DistributedDataParallel and torch.compile put before all names."""


def load_published(module: nn.Module, state_dict: Mapping[str, Tensor]) -> tuple[str, ...]:
    """Put the weights of another library's network into a member of the same structure.

    Known are the state dicts of torchvision and timm (ResNet, SE-ResNet, ResNeSt), segmentation-models-pytorch (U-Net,
    U-Net++, LinkNet, DeepLabv3+ over such encoders), MONAI (AttentionUnet, ResNet, VNet, SegResNet, MedNeXt),
    dynamic-network-architectures (PlainConvUNet, ResidualEncoderUNet) and tiramisu-brulee (Tiramisu). Channels
    are put in another order where a concatenation is. A convolution that has no bias there gets one of zeros. What
    neither names nor shapes tell (strides, dilations, activations) is not checked.

    Args:
        module: what `nas.build` made; changed in place, unless something is raised.
        state_dict: tensors by name, as they were saved there.

    Returns:
        The names of the module's tensors that the state dict does not have, and that stay as they were: all that
        follows an encoder, where it holds an encoder alone.

    Raises:
        InputError: the module is no network of nas, no library is known that names layers so, or the structures
            differ; the message says at which name and shape.
    """
    graph = getattr(module, "graph", None)
    if not isinstance(graph, Graph):
        raise InputError(f"load_published: found a {type(module).__name__}, expected a network that nas.build made")
    if not state_dict or not all(isinstance(tensor, Tensor) for tensor in state_dict.values()):
        raise InputError("load_published: expected a state dict: tensors by name, such as module.state_dict()")
    published = {_unwrapped(name): tensor for name, tensor in state_dict.items()}
    ends = _ends(graph)
    layout = _layout(published, ends)
    target = module.state_dict()
    loaded = _Matching(graph, layout, ends, target).read(published)
    kept = [name for name in target if name not in loaded]
    _expect_complete(kept, layout, graph)
    module.load_state_dict(loaded, strict=False)
    return tuple(name for name in kept if not name.endswith("num_batches_tracked"))


class _Matching:
    """The tensors of a network of nas by name, filled with those of one layout."""

    def __init__(self, graph: Graph, layout: Layout, ends: Ends, target: Mapping[str, Tensor]):
        self.graph = graph
        self.layout = layout
        self.ends = ends
        self.target = target
        self.nodes = {node.name: node for node in graph.nodes}
        orders = channel_orders(graph, lambda name: re.fullmatch(layout.reversed, name) is not None)
        self.orders = {node.name: order for node, order in zip(graph.nodes, orders, strict=True)}

    def read(self, published: Mapping[str, Tensor]) -> dict[str, Tensor]:
        loaded: dict[str, Tensor] = {}
        for name, tensor in published.items():
            layer, _, kind = name.rpartition(".")
            node = self._node(name, layer, tensor)
            if node is not None:
                loaded[f"{node.name}.{kind}"] = self._placed(name, tensor, node, kind)
        return loaded | self._biases(loaded)

    def _biases(self, loaded: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Zeros for the convolutions that have a bias here alone."""
        zeros = {}
        for node in self.graph.nodes:
            name = f"{node.name}.bias"
            lacks = name in self.target and name not in loaded and f"{node.name}.weight" in loaded
            if lacks and isinstance(node.operation, op.Convolution | op.TransposedConvolution):
                zeros[name] = torch.zeros_like(self.target[name])
        return zeros

    def _node(self, name: str, layer: str, tensor: Tensor) -> Node | None:
        """The node that a layer is; None for a layer that is not needed."""
        names = self.layout.node(layer, self.ends)
        if names is None:
            raise InputError(f"load_published: {name} {_shape(tensor)} is no name of {self.layout.source}'s networks")
        if not names:
            return None
        candidates = (names,) if isinstance(names, str) else names
        known = [self.nodes[candidate] for candidate in candidates if candidate in self.nodes]
        kind = name.rpartition(".")[2]
        fitting = [node for node in known if self._axes(node, kind) == tensor.ndim]
        if known:
            return (fitting or known)[0]
        if "" in candidates:
            return None
        raise InputError(
            f"load_published: {name} {_shape(tensor)} of {self.layout.source} would be {candidates[0]}, which this "
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
                f"load_published: {name} {_shape(tensor)} of {self.layout.source} is {kind} of {node.name}, which has "
                "none in this network; give one of the same structure"
            )
        if re.fullmatch(self.layout.turned, name.rpartition(".")[0]) and tensor.ndim > 1:
            tensor = tensor.transpose(0, 1)
        if tensor.shape != own.shape:
            raise InputError(
                f"load_published: {name} of {self.layout.source} has shape {_shape(tensor)}, {node.name}.{kind} has "
                f"{_shape(own)}; give a network of the same structure, widths and channels"
            )
        if tensor.ndim == 0:
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


def _indices(order: Order, length: int) -> Tensor:
    # PReLU may have one weight for all channels.
    return torch.as_tensor(order) if len(order) == length else torch.arange(length)


def _unwrapped(name: str) -> str:
    for wrapper in _WRAPPERS:
        name = name.removeprefix(wrapper)
    return name


def _ends(graph: Graph) -> Ends:
    def last(part: str) -> int:
        numbers = (re.match(rf"{part}\.(\d+)\.", node.name) for node in graph.nodes)
        return max((int(match[1]) for match in numbers if match), default=-1)

    return Ends(last("encoder"), last("decoder"))


def _layout(published: Mapping[str, Tensor], ends: Ends) -> Layout:
    """The library whose rules know the most of these names."""
    layers = dict.fromkeys(name.rpartition(".")[0] for name in published)
    counts = {layout: sum(layout.node(layer, ends) is not None for layer in layers) for layout in _layouts()}
    best = max(counts, key=lambda layout: counts[layout])
    if counts[best] * 2 < len(layers):
        first = next(iter(published))
        known = ", ".join(sorted(layout.source for layout in counts))
        raise InputError(f"load_published: {first} {_shape(published[first])} is no name of {known}")
    return best


@cache
def _layouts() -> tuple[Layout, ...]:
    names = sorted(item.name for item in pkgutil.iter_modules(sources.__path__))
    return tuple(cast(Layout, importlib.import_module(f"{sources.__name__}.{name}").LAYOUT) for name in names)


def _expect_complete(kept: list[str], layout: Layout, graph: Graph) -> None:
    for name in kept:
        part = name.partition(".")[0]
        if name.endswith("num_batches_tracked") or (layout.is_encoder and part not in ("stem", "encoder")):
            continue
        raise InputError(
            f"load_published: nothing in the state dict, named as {layout.source} does, is {name}; give the state dict "
            "of a network of the same structure"
        )


def _shape(tensor: Tensor) -> tuple[int, ...]:
    return tuple(tensor.shape)
