"""Decoders of one file each stand over any encoder, in 2D, 3D and on thick slices, and train to the last weight."""

from dataclasses import replace

import pytest
import torch

from nas.architecture import (
    ConvStem,
    Dilate,
    EncoderDecoder,
    Head,
    Linked,
    MaxPool,
    Nested,
    ResNetStem,
    Stage,
    Strided,
    Style,
    Transposed,
)
from nas.architecture.blocks import Basic
from nas.architecture.part import Decoder
from nas.architecture.stems import Stem
from nas.graph import Task, trace
from nas.network import build

TASKS = {
    "2D": Task(2, 1, 2, (32, 32)),
    "3D": Task(3, 1, 2, (32, 16, 16), ((2, 2, 2),) * 3),
    "thick slices": Task(3, 2, 2, (4, 32, 32), ((1, 2, 2), (1, 2, 2), (2, 2, 2), (2, 2, 2))),
}
DECODERS = [Nested(width=4), Nested(Basic(1), Transposed(), width=4), Linked(width=4)]
STEMS = [None, ConvStem(4), ResNetStem(4)]


def network_around(decoder: Decoder, stem: Stem | None) -> EncoderDecoder:
    """Three levels below the stem's, of which one stays where it is."""
    encoder = (Stage(), Stage(down=MaxPool()), Stage(down=Dilate()), Stage(down=Strided()))
    return EncoderDecoder(stem, encoder, decoder=decoder, head=Head(True), style=Style("batch"), width=4)


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
@pytest.mark.parametrize("stem", STEMS, ids=lambda stem: type(stem).__name__)
@pytest.mark.parametrize("decoder", DECODERS, ids=str)
def test_a_decoder_stands_over_any_encoder_and_trains(decoder: Decoder, stem: Stem | None, task: Task) -> None:
    graph = trace(network_around(decoder, stem), task)
    network = build(graph)
    scores = network(torch.randn(2, task.channels, *task.patch))
    assert scores[0].shape == (2, task.classes, *task.patch)
    sizes = [output.shape[2:].numel() for output in scores]
    assert sizes == sorted(sizes, reverse=True)
    sum(output.square().mean() for output in scores).backward()
    assert not [name for name, parameter in network.named_parameters() if parameter.grad is None]


@pytest.mark.parametrize("decoder", DECODERS, ids=str)
def test_an_encoder_that_never_goes_down_is_its_own_decoder(decoder: Decoder) -> None:
    architecture = replace(network_around(decoder, None), encoder=(Stage(),))
    assert trace(architecture, TASKS["2D"]).total_stride == (1, 1)


def test_u_net_plus_plus_has_as_many_blocks_as_its_triangle() -> None:
    architecture = EncoderDecoder(encoder=(Stage(), *(Stage(down=MaxPool()),) * 4), decoder=Nested(width=4), width=4)
    graph = trace(architecture, TASKS["2D"])
    blocks = {path for path, scope in graph.scopes.items() if scope.kind == "Nested"}
    assert len(blocks) == 4 + 3 + 2 + 1
