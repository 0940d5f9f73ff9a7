"""Reads published weights into the encoder of a network, whatever follows it, reads the image or has a third axis."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from nas.errors import InputError
from nas.graph import Graph, Node
from nas.graph import operations as op
from nas.network.network import Network
from nas.network.published.fitting import across, for_channels, inflated
from nas.network.published.layout import Ends, Layout
from nas.network.published.loading import expect_complete, graph_of
from nas.network.published.matching import Matching, MisfitError, ends_of, layout_of, unwrapped

PARTS = ("stem.", "encoder.")
"""What the names of an encoder's nodes begin with."""


@dataclass(frozen=True)
class Loaded:
    """What a network has taken from a state dict.

    Args:
        source: the library whose names it has.
        share: of the network's weights, those that were loaded: the encoder's, all of which are.
        changes: what was done to them so that they fit, in words.
        unused: the names in the state dict that have no place in this network.
    """

    source: str
    share: float
    changes: tuple[str, ...] = ()
    unused: tuple[str, ...] = field(default=(), repr=False)

    def to_json(self) -> dict[str, Any]:
        """All but the names, as plain JSON."""
        return {"source": self.source, "share": self.share, "changes": list(self.changes)}


def load_encoder(module: nn.Module, state_dict: Mapping[str, Tensor]) -> Loaded:
    """Put published weights into the stem and the encoder of a network; what follows them stays as it is.

    Known are the libraries of `load_published`. The state dict may hold a classifier or a decoder, which is not used,
    and more stages than the network has; but all of this network's stem and encoder, of the same structure. An image
    of another number of channels, and a network of three axes for weights of two, are provided for (`for_channels`,
    `inflated`). What neither names nor shapes tell (strides, dilations, activations) is not checked.

    Args:
        module: what `nas.build` made; changed in place, unless something is raised.
        state_dict: tensors by name, as they were saved there.

    Raises:
        MisfitError: the state dict is of another structure; the message says at which name and shape.
        InputError: it is none, or no library is known that names layers so.
    """
    tensors, loaded = encoder_tensors(graph_of(module), state_dict)
    module.load_state_dict(tensors, strict=False)
    return loaded


def encoder_tensors(graph: Graph, state_dict: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], Loaded]:
    """The tensors of a graph's stem and encoder from a state dict, under the names that they have in its network.

    Nothing is built; with tensors on torch's meta device, which have a shape alone, it is only seen whether they fit.

    Raises:
        MisfitError, InputError: as `load_encoder`.
    """
    published = unwrapped(state_dict)
    ends = ends_of(graph)
    layout = layout_of(published, ends)
    wanted, unused = _parted(published, layout, ends)
    if not wanted:
        raise MisfitError(f"no name in the state dict is of an encoder of {layout.source}; give one that holds it")
    encoder = encoder_of(graph)
    with torch.device("meta"):
        target = Network(encoder).state_dict()
    fit = _Fit(encoder)
    tensors = Matching(encoder, layout, ends, target, parts=PARTS, fit=fit).read(wanted)
    try:
        expect_complete((name for name in target if name not in tensors), layout)
    except InputError as error:
        raise MisfitError(str(error), len(tensors)) from None
    share = graph.parameters_of("stem", "encoder") / graph.parameters
    return tensors, Loaded(layout.source, share, tuple(fit.changes), unused)


def encoder_of(graph: Graph) -> Graph:
    """The graph up to the last tensor of its encoder."""
    count = 1 + max(index for index, node in enumerate(graph.nodes) if index == 0 or node.name.startswith(PARTS))
    return replace(graph, nodes=graph.nodes[:count], outputs=(count - 1,))


def _parted(published: Mapping[str, Tensor], layout: Layout, ends: Ends) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """What a state dict has of an encoder as deep as this one, and the names of what else it has.

    A name that no rule knows counts as the encoder's where it begins as others of the encoder do.
    """
    places = {name: _places(name, layout, ends) for name in published}
    roots = {_root(name) for name, nodes in places.items() if nodes and nodes[0].startswith(PARTS)}
    wanted, unused = {}, []
    for name, nodes in places.items():
        if _is_deeper(nodes, ends) or (_root(name) not in roots if nodes is None else not nodes[0].startswith(PARTS)):
            unused.append(name)
        else:
            wanted[name] = published[name]
    return wanted, tuple(unused)


def _places(name: str, layout: Layout, ends: Ends) -> tuple[str, ...] | None:
    nodes = layout.node(name.rpartition(".")[0], ends)
    return (nodes,) if isinstance(nodes, str) else nodes


def _root(name: str) -> str:
    return name.partition(".")[0]


def _is_deeper(nodes: tuple[str, ...] | None, ends: Ends) -> bool:
    """Whether a layer is of a stage below the network's last."""
    stage = re.match(r"encoder\.(\d+)\.", nodes[0]) if nodes else None
    return stage is not None and int(stage[1]) > ends.encoder


class _Fit:
    """Brings tensors to the shapes of an encoder, and notes how."""

    def __init__(self, graph: Graph):
        self.across = across(graph)
        self.changes: dict[str, None] = {}

    def __call__(self, tensor: Tensor, node: Node, shape: torch.Size) -> Tensor:
        if not isinstance(node.operation, op.Convolution) or tensor.ndim < 2:
            return tensor
        if len(shape) == 5 and tensor.ndim == 4:
            tensor = inflated(tensor, tuple(shape[2:]), self.across)
            self.changes["2D kernels in the middle of 3D ones"] = None
        if node.inputs == (0,) and node.operation.groups == 1 and tensor.shape[1] != shape[1]:
            self.changes[f"image channels from {tensor.shape[1]} to {shape[1]}"] = None
            tensor = for_channels(tensor, shape[1])
        return tensor
