"""MONAI's networks, small, in 2D and 3D: the same output for the same weights. The others are in `cases.py`."""

from dataclasses import replace
from typing import Any

import pytest
from torch import nn

from nas.architecture import ConvStem, EncoderDecoder, Mirrored, ResNetStem, slim
from nas.architecture.blocks import Basic, Bottleneck
from nas.architecture.references import med_next, resnet_unet, seg_res_net, v_net
from nas.graph import Task
from search_spaces.unet_family import SPACE
from tests.parity.cases import Case, compare, of


def small(name: str, architecture: EncoderDecoder, task: Task, *arguments: Any, **named: Any) -> Case:
    return Case(name, *of("monai", f"monai.networks.nets.{name}", *arguments, **named), architecture, task)


def attention_u_net(axes: int) -> Case:
    reduced = slim(SPACE.references["Attention U-Net"], 8)
    assert isinstance(reduced.decoder, Mirrored)
    architecture = replace(
        reduced, encoder=reduced.encoder[:3], decoder=Mirrored(reduced.decoder.stages[:2], 4), width=4
    )
    return small("AttentionUnet", architecture, Task(axes, 1, 2, (16,) * axes), axes, 1, 2, (4, 8, 16), (2, 2))


def seg_res(axes: int) -> Case:
    return small("SegResNet", seg_res_net(8), Task(axes, 1, 2, (16,) * axes), axes, 8)


def med_next_of(axes: int, kernel: int) -> Case:
    units, expansions = (2, 1, 2), (2, 3, 4)
    architecture = replace(med_next(units, expansions, kernel), stem=ConvStem(4, kernel=1), width=4)
    assert isinstance(architecture.decoder, Mirrored)
    architecture = replace(architecture, decoder=replace(architecture.decoder, width=4))
    named = {
        "spatial_dims": axes,
        "init_filters": 4,
        "encoder_expansion_ratio": (2, 3),
        "decoder_expansion_ratio": (3, 2),
        "bottleneck_expansion_ratio": 4,
        "blocks_down": (2, 1),
        "blocks_bottleneck": 2,
        "blocks_up": (1, 2),
        "use_residual_connection": True,
        "kernel_size": kernel,
    }
    return small("MedNeXt", architecture, Task(axes, 1, 2, (16,) * axes), **named)


def _encoder_features(model: nn.Module, image: Any) -> Any:
    names = ("conv1", "bn1", "act", "maxpool", "layer1", "layer2", "layer3", "layer4")
    return nn.Sequential(*(getattr(model, name) for name in names))(image)


def resnet(axes: int, block: type[Basic] | type[Bottleneck], expansion: int, stages: tuple[int, ...]) -> Case:
    architecture = resnet_unet(tuple(block(units) for units in stages), 4 * expansion)
    named = {
        "spatial_dims": axes,
        "n_input_channels": 3,
        "conv1_t_stride": 2,
        "feed_forward": False,
        "bias_downsample": False,
    }
    kind = "basic" if block is Basic else "bottleneck"
    task = Task(axes, 3, 1, (64,) * axes)
    case = small("ResNet", replace(architecture, stem=ResNetStem(4)), task, kind, stages, (4, 8, 16, 32), **named)
    return replace(case, encoder=True, run=_encoder_features)


CASES = [
    *(attention_u_net(axes) for axes in (2, 3)),
    *(resnet(axes, Basic, 1, (2, 2, 2, 2)) for axes in (2, 3)),
    *(resnet(axes, Bottleneck, 4, (3, 4, 6, 3)) for axes in (2, 3)),
    *(seg_res(axes) for axes in (2, 3)),
    *(med_next_of(axes, kernel) for axes in (2, 3) for kernel in (3, 5)),
    small("VNet", v_net(), Task(2, 1, 2, (32, 32)), 2, 1, 2, "relu"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.member} {case.task.axes}D")
def test_a_network_of_monai_gives_the_same_for_the_same_weights(case: Case) -> None:
    assert compare(case).relative < 1e-9
