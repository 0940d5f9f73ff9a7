"""The contract of every block, stem, downsampling, upsampling, skip and bridge, in 2D, 3D and anisotropic 3D."""

import importlib
import inspect
import pkgutil
from dataclasses import is_dataclass
from types import ModuleType

import pytest
import torch

import nas.architecture.blocks
from nas.architecture import EncoderDecoder, Mirrored, Stage, Strided, Style, UpStage
from nas.architecture.blocks import SqueezeExcite
from nas.architecture.part import Block
from nas.graph import Task, trace
from nas.network import build

TASKS = {
    "2D": Task(2, 1, 2, (32, 32), ((2, 2),) * 2),
    "3D": Task(3, 1, 2, (16, 16, 16), ((2, 2, 2),) * 2),
    "3D anisotropic": Task(3, 2, 2, (8, 16, 16), ((1, 2, 2), (2, 2, 2))),
}


def modules_of(package: ModuleType) -> list[ModuleType]:
    return [
        importlib.import_module(f"{package.__name__}.{each.name}") for each in pkgutil.iter_modules(package.__path__)
    ]


def dataclasses_in(module: ModuleType) -> list[type]:
    return [
        item
        for _, item in inspect.getmembers(module, inspect.isclass)
        if is_dataclass(item) and item.__module__ == module.__name__
    ]


FAMILIES = modules_of(nas.architecture.blocks)
BLOCKS = [block for family in FAMILIES for block in dataclasses_in(family) if block is not SqueezeExcite]
OTHERS = [
    part
    for name in ("stems", "downsampling", "upsampling", "skips", "bridges")
    for part in dataclasses_in(importlib.import_module(f"nas.architecture.{name}"))
]


def network_around(block: Block) -> EncoderDecoder:
    """Two levels, the block at each, going down with a stride and coming up again."""
    return EncoderDecoder(
        encoder=(Stage(block), Stage(block, Strided())),
        decoder=Mirrored((UpStage(block=block),), width=8),
        style=Style("batch", dropout=0.1),
        width=8,
    )


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.__name__)
def test_a_block_stands_anywhere_and_trains(block: type, task: Task) -> None:
    graph = trace(network_around(block()), task)
    network = build(graph)
    assert sum(p.numel() for p in network.parameters()) == graph.parameters
    scores = network(torch.randn(2, task.channels, *task.patch))
    assert scores.shape == (2, task.classes, *task.patch)
    scores.square().mean().backward()
    unreached = [name for name, p in network.named_parameters() if p.grad is None]
    assert not unreached


@pytest.mark.parametrize("part", [*BLOCKS, SqueezeExcite, *OTHERS], ids=lambda part: part.__name__)
def test_a_part_is_frozen_documented_and_has_a_default_for_every_knob(part: type) -> None:
    assert part.__dataclass_params__.frozen
    assert (part.__doc__ or "").rstrip().endswith((".", ")"))
    assert part() == part()


def test_every_family_of_blocks_is_there() -> None:
    assert {module.__name__.rpartition(".")[2] for module in FAMILIES} >= {
        "plain",
        "residual",
        "dense",
        "dilated",
        "attention",
    }
