"""The contract of every block, stem, downsampling, upsampling, skip and bridge, in 2D, 3D and anisotropic 3D."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, is_dataclass
from types import ModuleType

import pytest
import torch

import nas.architecture.blocks
from nas.architecture import (
    AveragePool,
    Dilate,
    EncoderDecoder,
    Linear,
    MaxPool,
    Mirrored,
    Site,
    Stage,
    Strided,
    Style,
    Transposed,
    UpStage,
    mirrored,
)
from nas.architecture.blocks import SqueezeExcite
from nas.architecture.downsampling import Downsampling
from nas.architecture.part import Block
from nas.architecture.upsampling import Upsampling
from nas.errors import InputError
from nas.graph import Graph, Ops, Task, Tensor, trace
from nas.network import Network, build
from nas.space import Space

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
    for name in (
        "stems",
        "downsampling",
        "upsampling",
        "skips",
        "bridges",
        "decoders.nested",
        "decoders.linked",
        "heads",
    )
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


@dataclass(frozen=True)
class Own:
    """A user's block of any kernel, which shrinks its image by itself, or takes no stride at all."""

    kernel: int = 3
    shrinks: int = 1
    strided: bool = True

    def __call__(self, x: Tensor, ops: Ops, site: Site) -> Tensor:
        stride = tuple(step * self.shrinks if self.strided else 1 for step in site.stride)
        return ops.conv_norm_act(x, site.width, self.kernel, stride=stride, dilation=site.dilation)


@dataclass(frozen=True)
class Grows:
    """A user's block that comes back to full resolution by itself."""

    def __call__(self, x: Tensor, ops: Ops, site: Site) -> Tensor:
        return ops.conv(ops.resize(x, (1,) * ops.task.axes), site.width)


def around_own(down: Downsampling, block: Own, up: Upsampling) -> EncoderDecoder:
    """Three levels of odd widths: the encoder's of a block, the decoder's plain."""
    encoder = (Stage(Own()), Stage(block, down), Stage(Own(), down))
    template = EncoderDecoder(encoder=encoder, decoder=mirrored(UpStage(up), width=7), width=5)
    return Space("own", template).decide({})


@pytest.mark.parametrize("axes", [2, 3])
@pytest.mark.parametrize("up", [Transposed(1), Transposed(2), Transposed(3), Transposed(4), Linear()], ids=str)
@pytest.mark.parametrize("down", [MaxPool(), MaxPool(3), AveragePool(), Strided(), Dilate()], ids=str)
@pytest.mark.parametrize("block", [Own(5), Own(shrinks=2), Own(5, shrinks=3), Own(strided=False)], ids=str)
def test_a_decoder_climbs_back_whatever_a_block_did(block: Own, down: Downsampling, up: Upsampling, axes: int) -> None:
    task = Task(axes, 1, 2, (24,) * axes, ((2,) * axes, (1,) * (axes - 1) + (2,)))
    graph = trace(around_own(down, block, up), task)
    assert shape_of(graph) == (1, 2, *task.patch)


@pytest.mark.parametrize("up", [Transposed(), Linear()], ids=str)
def test_a_block_that_grows_its_image_is_refused(up: Upsampling) -> None:
    encoder = (Stage(), Stage(down=MaxPool()), Stage(Grows(), MaxPool()))
    architecture = EncoderDecoder(encoder=encoder, decoder=Mirrored((UpStage(up), UpStage(up)), width=8), width=8)
    with pytest.raises(InputError, match=r"decoder\.0\.up: .*strides \(1, 1\).* \(2, 2\)"):
        trace(architecture, TASKS["2D"])


@pytest.mark.parametrize(
    "write",
    [
        lambda x, ops: ops.conv(x, 4, 2),
        lambda x, ops: ops.conv(x, 4, 4, dilation=3),
        lambda x, ops: ops.max_pool(x, 2, (1, 1)),
        lambda x, ops: ops.average_pool(x, (3, 2), (2, 1)),
        lambda x, ops: ops.transposed_conv(x, 4, 2, stride=(1, 1)),
    ],
)
def test_an_even_window_without_a_stride_is_refused(write: Callable[[Tensor, Ops], Tensor]) -> None:
    ops = Ops(TASKS["2D"], Style())
    with pytest.raises(InputError, match="size of the image would change by a voxel; take an odd kernel"):
        write(ops.input(), ops)


@pytest.mark.parametrize(("kernel", "stride"), [(k, s) for k in range(1, 8) for s in range(1, 5) if s > 1 or k % 2])
def test_an_up_convolution_multiplies_the_size_by_its_stride(kernel: int, stride: int) -> None:
    ops = Ops(TASKS["2D"], Style())
    low = ops.max_pool(ops.input(), stride, (stride, stride))
    graph = ops.graph((ops.transposed_conv(low, 2, kernel, stride=(stride, stride)),))
    assert shape_of(graph, 24) == (1, 2, 24, 24)


def shape_of(graph: Graph, size: int | None = None) -> tuple[int, ...]:
    """The shape of what a network makes, with nothing computed."""
    sizes = graph.task.patch if size is None else (size,) * graph.task.axes
    with torch.device("meta"):
        return tuple(Network(graph).eval()(torch.empty(1, graph.task.channels, *sizes)).shape)


def test_every_family_of_blocks_is_there() -> None:
    assert {module.__name__.rpartition(".")[2] for module in FAMILIES} >= {
        "plain",
        "residual",
        "dense",
        "dilated",
        "attention",
    }
