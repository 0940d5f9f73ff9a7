"""The published networks beyond their number of parameters: in 3D, with anisotropic strides, and against MONAI."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from nas.architecture import Mirrored, ResNetStem, slim
from nas.architecture.blocks import Basic, Bottleneck
from nas.architecture.references import resnet_unet
from nas.catalog import load_space
from nas.graph import Graph, Task, trace
from nas.network import Network, build

MEMBERS = load_space("unet_family").references
VOLUMES = {
    "isotropic": Task(3, 1, 3, (32, 32, 32), ((2, 2, 2),) * 5),
    "thick slices": Task(3, 1, 3, (8, 32, 32), ((1, 2, 2), (1, 2, 2), (2, 2, 2), (2, 2, 2), (2, 2, 2))),
}


@pytest.mark.parametrize("task", VOLUMES.values(), ids=VOLUMES)
@pytest.mark.parametrize("name", MEMBERS)
def test_every_published_network_exists_in_3d(name: str, task: Task) -> None:
    graph = trace(slim(MEMBERS[name], 8), task)
    scores = build(graph).eval()(torch.zeros(1, 1, *task.patch))
    main = scores[0] if isinstance(scores, tuple) else scores
    assert main.shape == (1, 3, *task.patch)
    assert {len(node.operation.kernel) for node in graph.nodes if hasattr(node.operation, "kernel")} == {3}


def test_in_3d_a_u_net_has_its_2d_weights_times_what_an_axis_adds_to_a_kernel() -> None:
    def weights_by_kernel(axes: int) -> dict[int, int]:
        sizes: dict[int, int] = {}
        for weight in build(trace(MEMBERS["U-Net"], Task(axes, 1, 1))).parameters():
            if weight.ndim > 1:
                kernel = weight[0, 0].numel()
                sizes[kernel] = sizes.get(kernel, 0) + weight.numel()
        return sizes

    flat, deep = weights_by_kernel(2), weights_by_kernel(3)
    assert deep == {27: 3 * flat[9], 8: 2 * flat[4], 1: flat[1]}


def in_order(network: Network, values: Sequence[Tensor]) -> None:
    """Load tensors into a network in the order in which its nodes run."""
    state = network.state_dict()
    keys = [key for node in network.graph.nodes for key in state if key.rpartition(".")[0] == node.name]
    assert [tuple(state[key].shape) for key in keys] == [tuple(value.shape) for value in values]
    network.load_state_dict(dict(zip(keys, values, strict=True)))


def tensors_of(*modules: nn.Module) -> list[Tensor]:
    found = [
        value
        for module in modules
        for part in module.modules()
        for value in (*part._parameters.values(), *part._buffers.values())
    ]
    return [value for value in found if value is not None]


def shaken(network: nn.Module) -> nn.Module:
    """The network in evaluation mode with random norm statistics, so that a norm left out or swapped shows."""
    generator = torch.Generator().manual_seed(0)
    for buffer in network.buffers():
        if buffer.is_floating_point():
            buffer.copy_(torch.rand(buffer.shape, generator=generator) + 0.5)
    return network.eval()


def test_attention_u_net_equals_monai() -> None:
    from monai.networks.nets import AttentionUnet

    theirs = shaken(AttentionUnet(2, 1, 2, (4, 8, 16), (2, 2)))
    reduced = slim(MEMBERS["Attention U-Net"], 8)
    assert isinstance(reduced.decoder, Mirrored)
    small = replace(reduced, encoder=reduced.encoder[:3], decoder=Mirrored(reduced.decoder.stages[:2], 4), width=4)
    ours = build(trace(small, Task(2, 1, 2, (32, 32)))).eval()
    head, level, last = theirs.model
    stages = [level.submodule[1], level]
    parts = [head, level.submodule[0], stages[0].submodule]
    for stage in stages:
        parts += [stage.upconv, stage.attention.W_g, stage.attention.W_x, stage.attention.psi, stage.merge]
    in_order(ours, tensors_of(*parts, last))
    image = torch.randn(1, 1, 32, 32)
    torch.testing.assert_close(ours(image), theirs(image), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("axes", [2, 3])
@pytest.mark.parametrize(
    ("block", "expansion", "stages"),
    [
        pytest.param(Basic, 1, (2, 2, 2, 2), id="ResNet-18"),
        pytest.param(Bottleneck, 4, (3, 4, 6, 3), id="ResNet-50"),
    ],
)
def test_resnet_encoders_equal_monai(
    block: type[Basic] | type[Bottleneck], expansion: int, stages: tuple[int, ...], axes: int
) -> None:
    from monai.networks.nets import ResNet

    kind = "basic" if block is Basic else "bottleneck"
    theirs = shaken(
        ResNet(
            kind,
            list(stages),
            [4, 8, 16, 32],
            spatial_dims=axes,
            n_input_channels=3,
            conv1_t_stride=2,
            feed_forward=False,
            bias_downsample=False,
        )
    )
    architecture = resnet_unet(tuple(block(units) for units in stages), 4 * expansion)
    architecture = replace(architecture, stem=ResNetStem(4))
    whole = trace(architecture, Task(axes, 3, 1, (64,) * axes))
    ours = build(encoder_of(whole)).eval()
    units = [unit for layer in (theirs.layer1, theirs.layer2, theirs.layer3, theirs.layer4) for unit in layer]
    # Ours writes the shortcut before the branch.
    parts = [part for unit in units for part in (unit.downsample, *branch_of(unit)) if part is not None]
    in_order(ours, tensors_of(theirs.conv1, theirs.bn1, *parts))
    image = torch.randn(2, 3, *(64,) * axes)
    pooled = ours(image).mean(dim=tuple(range(2, axes + 2)))
    torch.testing.assert_close(pooled, theirs(image), atol=1e-5, rtol=1e-5)


def branch_of(unit: nn.Module) -> list[nn.Module]:
    names = ("conv1", "bn1", "conv2", "bn2", "conv3", "bn3")
    return [getattr(unit, name) for name in names if hasattr(unit, name)]


def encoder_of(graph: Graph) -> Graph:
    """The graph up to the encoder's last tensor."""
    count = sum(node.name.startswith(("input", "stem", "encoder")) for node in graph.nodes)
    assert graph.nodes[count - 1].name.startswith("encoder.3")
    return replace(graph, nodes=graph.nodes[:count], outputs=(count - 1,))
