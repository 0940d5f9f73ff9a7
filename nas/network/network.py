"""The PyTorch module of a graph."""

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn

from nas.graph import Graph, Node
from nas.graph.operations import Convolution, Normalisation, TransposedConvolution
from nas.network.layers import layer
from nas.network.recomputing import recomputed


class Network(nn.Module):
    """Runs a graph's nodes in order and lets go of what no later node needs.

    Learned tensors are named by the path of their node, so that a state dict reads
    `encoder.0.block.1.conv.weight`.

    Shapes: an image (batch, channels, *size), each size a multiple of `graph.total_stride`, to class scores
    (batch, classes, *size), before any softmax. A network with deep supervision returns in training mode a tuple
    of such scores, full resolution first, and in evaluation mode the first alone.
    """

    def __init__(self, graph: Graph):
        super().__init__()
        self.graph = graph
        self._layers = [self._add(node) for node in graph.nodes[1:]]
        self._finished = _last_uses(graph)
        self.segments = 0
        """Into how many parts the network is cut whose inner values are not kept for the backward pass but computed
        again in it; 0 keeps all."""

    def __getstate__(self) -> dict[str, Any]:
        """All but the functions between the layers, which cannot be pickled and follow from the graph."""
        return {name: value for name, value in self.__dict__.items() if name != "_layers"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        kept = dict(self.named_modules())
        self._layers = [kept[node.name] if node.name in kept else self._layer(node) for node in self.graph.nodes[1:]]

    def forward(self, image: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Scores of each class at each voxel."""
        self._check(image)
        values = {0: image}
        if self.segments and self.training and torch.is_grad_enabled():
            recomputed(self._run, values, _bounds(len(self.graph.nodes), self.segments), self)
        else:
            self._run(values, 1, len(self.graph.nodes))
        outputs = tuple(values[position] for position in self.graph.outputs)
        return outputs if self.training and len(outputs) > 1 else outputs[0]

    def _run(self, values: dict[int, Tensor], start: int, stop: int) -> None:
        """Run the nodes from `start` up to `stop` on the values before them, which are let go after their last use."""
        for position in range(start, stop):
            sources = self.graph.nodes[position].inputs
            values[position] = self._layers[position - 1](*[values[source] for source in sources])
            for source in self._finished[position]:
                del values[source]

    def _check(self, image: Tensor) -> None:
        task, stride = self.graph.task, self.graph.total_stride
        sizes = image.shape[2:]
        if image.shape[1] != task.channels or len(sizes) != task.axes:
            expected = f"(batch, {task.channels}, {', '.join(['size'] * task.axes)})"
            raise ValueError(f"image of shape {tuple(image.shape)}, expected {expected}")
        for size, step in zip(sizes, stride, strict=True):
            if size % step:
                raise ValueError(f"image of size {tuple(sizes)}: its axes must be multiples of {stride}; pad it")

    def _add(self, node: Node) -> Callable[..., Tensor]:
        """The layer of a node, put where the state dict is to name it."""
        layer = self._layer(node)
        if isinstance(layer, nn.Module):
            *path, name = node.name.split(".")
            parent: nn.Module = self
            for step in path:
                if not hasattr(parent, step):
                    parent.add_module(step, nn.Module())
                parent = cast(nn.Module, getattr(parent, step))
            parent.add_module(name, layer)
        return layer

    def _layer(self, node: Node) -> Callable[..., Tensor]:
        return layer(node, [self.graph.nodes[i] for i in node.inputs], self.graph.task.axes)


def _bounds(nodes: int, segments: int) -> list[int]:
    """Where each of so many segments of about the same number of nodes starts, and where the last one ends."""
    parts = min(segments, nodes - 1)
    return [1 + round((nodes - 1) * part / parts) for part in range(parts + 1)]


def _last_uses(graph: Graph) -> list[tuple[int, ...]]:
    """For each node, the values that no node after it needs."""
    used = set(graph.outputs)
    finished: list[tuple[int, ...]] = []
    for node in reversed(graph.nodes):
        last = tuple(dict.fromkeys(source for source in node.inputs if source not in used))
        used.update(last)
        finished.append(last)
    return finished[::-1]


def build(graph: Graph, *, seed: int = 0) -> Network:
    """The module of a graph, in training mode, its weights drawn from `seed` (He et al. 2015, arXiv:1502.01852).

    Raises:
        InputError: the graph holds a user's module whose file has not been loaded.
    """
    network = Network(graph)
    generator = torch.Generator().manual_seed(seed)
    slope = 0.01 if any(getattr(node.operation, "kind", "") == "leaky_relu" for node in graph.nodes) else 0.0
    for node in graph.nodes:
        if isinstance(node.operation, Convolution | TransposedConvolution):
            convolution = network.get_submodule(node.name)
            weight = cast(Tensor, convolution.weight)
            nn.init.kaiming_normal_(weight, a=slope, nonlinearity="leaky_relu", generator=generator)
            if convolution.bias is not None:
                nn.init.zeros_(cast(Tensor, convolution.bias))
        elif isinstance(node.operation, Normalisation) and node.operation.zero:
            nn.init.zeros_(cast(Tensor, network.get_submodule(node.name).weight))
    return network
