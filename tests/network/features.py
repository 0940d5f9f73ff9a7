"""What the encoders of networks make of an image, stage by stage."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from nas.graph import Graph
from nas.network import Network


def features(network: Network, image: Tensor) -> list[Tensor]:
    """Of each stage of the encoder, in evaluation mode."""
    maps = []
    for graph in _stages(network.graph):
        part = Network(graph)
        part.load_state_dict({name: network.state_dict()[name] for name in part.state_dict()})
        with torch.no_grad():
            maps.append(part.to(image.dtype).eval()(image))
    return maps


def resnet_features(network: nn.Module, image: Tensor) -> list[Tensor]:
    """The same of a network whose layers have the names that torchvision, timm and MONAI share."""
    parts = dict(network.named_children())
    maps = []
    with torch.no_grad():
        x = network.to(image.dtype).eval() and image
        for name in ("conv1", "bn1", "act1" if "act1" in parts else "relu" if "relu" in parts else "act", "maxpool"):
            x = parts[name](x)
        for name in ("layer1", "layer2", "layer3", "layer4"):
            x = parts[name](x)
            maps.append(x)
    return maps


def _stages(graph: Graph) -> list[Graph]:
    """The graph up to the last tensor of each stage of its encoder."""
    names = [node.name for node in graph.nodes]
    numbers = dict.fromkeys(name.split(".")[1] for name in names if name.startswith("encoder."))
    ends = [max(i for i, name in enumerate(names) if name.startswith(f"encoder.{number}.")) for number in numbers]
    return [replace(graph, nodes=graph.nodes[: end + 1], outputs=(end,)) for end in ends]


def shaken(network: nn.Module) -> nn.Module:
    """The network with random weights and statistics in all that norms have, so that one left out or swapped shows."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if tensor.is_floating_point() and tensor.ndim == 1:
                low = -0.5 if name.endswith(("bias", "mean")) else 0.5
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + low)
    return network
