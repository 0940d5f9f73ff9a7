"""What a network would carry for nothing is seen in its graph."""

import pytest

from nas.architecture import ASPP, Dilate, EncoderDecoder, MaxPool, Mirrored, Stage, Style, UpStage
from nas.architecture.blocks import Dilated, Plain
from nas.catalog import load_space
from nas.graph import Task, trace
from nas.graph.soundness import dead_weight


def network(levels: int = 2, norm: str = "batch", **changes) -> EncoderDecoder:  # type: ignore[no-untyped-def]
    stages = (Stage(Plain(1)), *(Stage(changes.pop("block", Plain(1)), changes.pop("down", MaxPool())),) * levels)
    decoder = Mirrored((UpStage(block=Plain(1)),) * (levels if stages[1].down == MaxPool() else 0), 4)
    return EncoderDecoder(encoder=stages, decoder=decoder, style=Style(norm), width=4, **changes)


@pytest.mark.parametrize(
    ("architecture", "patch", "reason"),
    [
        (network(), 16, ""),
        (network(block=Dilated(2, 3)), 16, ""),
        (network(block=Dilated(3, 2)), 16, "encoder.2.block.2.conv: a dilation of 4x4 over a map of 4x4"),
        (network(bridge=ASPP(6, 4)), 32, "bridge.branches.2.conv: a dilation of 12x12 over a map of 8x8"),
        (network(bridge=ASPP(1, 4)), 16, ""),
        (network(4, "instance"), 32, ""),
        (network(4, "instance"), 16, "encoder.4.block.0.norm: a norm over a single voxel"),
        (network(4, "batch"), 16, ""),
        (network(down=Dilate()), 16, "it never goes down"),
    ],
)
def test_the_reason_names_the_layer_and_what_is_wasted(architecture: EncoderDecoder, patch: int, reason: str) -> None:
    told = dead_weight(trace(architecture, Task(2, 1, 2, (patch, patch))))
    assert told.startswith(reason) if reason else told == ""


def test_a_task_without_coarser_levels_needs_none() -> None:
    assert dead_weight(trace(EncoderDecoder(width=4), Task(2, 1, 2, (16, 16), ()))) == ""


@pytest.mark.parametrize("name", ["U-Net", "nnU-Net", "Tiramisu-67", "Attention U-Net", "ResNet-50 U-Net"])
def test_published_networks_carry_nothing_for_nothing(name: str) -> None:
    assert dead_weight(trace(load_space("unet_family").references[name], Task(2, 1, 2, (256, 256)))) == ""
