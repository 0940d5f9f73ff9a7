"""A network is ordinary PyTorch: it compiles, exports, and runs in mixed precision and in any memory format."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from nas.architecture import slim
from nas.catalog import load_space
from nas.graph import Task, trace
from nas.network import Network, build

KINDS = [
    "U-Net BN",
    "nnU-Net",
    "Tiramisu-67",
    "DeepLabv3+ R50, separable",
    "Attention U-Net",
    "ResNeSt-50 U-Net",
    "MedNeXt-S, kernel 3",
]
SMALL = ["U-Net BN", "nnU-Net"]
TASKS = {2: Task(2, 1, 3, (64, 64)), 3: Task(3, 1, 3, (32, 32, 32), ((2, 2, 2),) * 5)}


def network_of(name: str, axes: int) -> tuple[Network, Tensor]:
    graph = trace(slim(load_space("unet_family").references[name], 8), TASKS[axes])
    return build(graph, seed=0).eval(), torch.randn(2, 1, *graph.task.patch)


def main(scores: Tensor | tuple[Tensor, ...]) -> Tensor:
    return scores[0] if isinstance(scores, tuple) else scores


def compiled(network: Network, image: Tensor) -> Tensor:
    # The eager backend follows the whole forward pass as inductor does, without the minute that code takes to build.
    # All networks share one forward function, and dynamo keeps few versions of a function: it starts anew.
    torch.compiler.reset()
    return main(torch.compile(network, fullgraph=True, backend="eager")(image))


def exported(network: Network, image: Tensor) -> Tensor:
    return main(torch.export.export(network, (image,)).module()(image))


def channels_last(network: Network, image: Tensor) -> Tensor:
    layout = torch.channels_last if image.ndim == 4 else torch.channels_last_3d
    return main(network.to(memory_format=layout)(image.to(memory_format=layout)))


def assert_same(run: Callable[[Network, Tensor], Tensor], name: str, axes: int) -> None:
    network, image = network_of(name, axes)
    with torch.no_grad():
        expected = main(network(image))
        difference = (run(network, image) - expected).abs().max()
    assert difference < 1e-4 * expected.abs().max()


@pytest.mark.parametrize("axes", [2, 3])
@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("run", [exported, channels_last], ids=lambda run: run.__name__)
def test_the_result_is_the_same(run: Callable[[Network, Tensor], Tensor], name: str, axes: int) -> None:
    assert_same(run, name, axes)


@pytest.mark.parametrize("axes", [2, 3])
@pytest.mark.parametrize("name", [*SMALL, *(pytest.param(name, marks=pytest.mark.slow) for name in KINDS[2:])])
def test_one_graph_is_compiled_and_computes_the_same(name: str, axes: int) -> None:
    assert_same(compiled, name, axes)


@pytest.mark.parametrize(("name", "axes"), [*((name, 2) for name in KINDS), *((name, 3) for name in SMALL)])
def test_mixed_precision_trains(name: str, axes: int) -> None:
    network, image = network_of(name, axes)
    network.train()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        scores = main(network(image))
    scores.float().square().mean().backward()
    assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")  # inductor's own use of it
@pytest.mark.parametrize("axes", [2, 3])
def test_inductor_computes_the_same(axes: int) -> None:
    torch.compiler.reset()
    assert_same(lambda network, image: torch.compile(network)(image), "U-Net BN", axes)
