"""What the tests of exported networks share: small tasks and graphs, and the module that a source defines."""

import random
from typing import Any

import torch
from torch import Tensor, nn

import nas
from nas.architecture import EncoderDecoder, slim
from nas.network import Network, build
from search_spaces.unet_family import SPACE


def small(axes: int, channels: int = 1, classes: int = 2) -> nas.Task:
    """A task whose networks halve at most three times, the first axis one time less."""
    strides = ((1, *(2,) * (axes - 1)), (2,) * axes, (2,) * axes)
    return nas.Task(axes, channels, classes, patch=(16,) * axes, strides=strides)


def published(name: str) -> nas.Graph:
    """A published network as it is, for reading, not for running."""
    return nas.trace(SPACE.references[name], nas.Task(2, 1, 1))


def reference(name: str, axes: int = 2) -> nas.Graph:
    """A published network in the smallest widths."""
    return nas.trace(slim(SPACE.references[name], 6), small(axes))


def sample(seed: int, axes: int) -> nas.Graph:
    """A random member of the widest space in the smallest widths."""
    architecture: EncoderDecoder = SPACE.decide(random.Random(seed))
    return nas.trace(slim(architecture, 6), small(axes))


def network_of(source: str) -> nn.Module:
    """The network that the text of a file defines."""
    names: dict[str, Any] = {}
    exec(compile(source, "model.py", "exec"), names)
    network: nn.Module = names["Network"]()
    return network


def trained(graph: nas.Graph) -> Network:
    """A network whose batch norms have seen an image, and whose every tensor has a value of its own."""
    network = build(graph)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.1 * torch.rand(parameter.shape, generator=generator) - 0.05
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d | nn.BatchNorm3d):
                module.momentum = 1.0
        network(image(graph))
    return network


def image(graph: nas.Graph) -> Tensor:
    """Two random images of the task's patch."""
    return torch.randn(2, graph.task.channels, *graph.task.patch, generator=torch.Generator().manual_seed(2))
