"""How a network is run changes its speed and memory, and nothing else."""

import ctypes.util
import os
import subprocess
import sys

import pytest
import torch

from nas.architecture import slim
from nas.catalog import load_space
from nas.errors import InputError
from nas.graph import Node, Task, trace
from nas.graph.operations import Convolution, Input
from nas.network import Network, StepPlan, build, choose_plan
from nas.network.layers import layer
from nas.network.running import arranged, runner

REFERENCES = ["U-Net BN", "nnU-Net", "Tiramisu-67", "DeepLabv3+ R50", "Attention U-Net"]


def network(reference: str) -> Network:
    return build(trace(slim(load_space("unet_family").references[reference], 8), Task(2, 1, 2, (32, 32))))


def passed(
    reference: str, plan: StepPlan, kind: torch.dtype = torch.float32
) -> tuple[list[torch.Tensor], dict[str, torch.Tensor]]:
    """Gradients and state after one pass."""
    built = arranged(network(reference).to(kind), plan).train()
    for module in built.modules():
        if isinstance(module, torch.nn.Dropout) and kind is torch.float64:
            module.p = 0.0  # what it drops follows the order of memory
    torch.manual_seed(0)
    scores = runner(built, plan)(torch.randn(2, 1, 32, 32, dtype=kind))
    finest = scores[0] if isinstance(scores, tuple) else scores
    finest.square().mean().backward()
    return [p.grad for p in built.parameters() if p.grad is not None], built.state_dict()


@pytest.mark.parametrize("reference", REFERENCES)
@pytest.mark.parametrize("segments", [1, 4, 1000])
def test_inner_values_computed_twice_give_the_same_gradients_and_statistics(reference: str, segments: int) -> None:
    gradients, state = passed(reference, StepPlan())
    again, same = passed(reference, StepPlan(segments=segments))
    assert len(gradients) == len(again)
    assert all(torch.equal(a, b) for a, b in zip(gradients, again, strict=True))
    assert all(torch.equal(state[name], same[name]) for name in state)


@pytest.mark.parametrize("segments", [0, 4])
def test_segments_hold_less_for_the_backward_pass(segments: int) -> None:
    held: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        held[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    built = arranged(network("U-Net BN"), StepPlan(segments=segments))
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        kept = built(torch.randn(2, 1, 32, 32))
    assert kept is not None
    share = sum(held.values()) / (2 * built.graph.training_bytes)
    assert share < 0.6 if segments else share > 0.95


def test_a_plan_is_chosen_by_timing_recorded_and_leaves_the_network_alone() -> None:
    built = network("U-Net BN")
    before = {name: tensor.clone() for name, tensor in built.state_dict().items()}
    images, labels = torch.randn(2, 1, 32, 32), torch.zeros(2, 1, 32, 32)
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    plan = choose_plan(built, lambda scores, _: scores.square().mean(), images, labels, steps=10)
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(tensor, before[name]) for name, tensor in built.state_dict().items())
    assert plan.seconds > 0
    assert [note.split(":")[0] for note in plan.notes[:2]] == ["channels last, float32", "channels first, float32"]
    assert StepPlan.from_json(plan.to_json()) == plan


@pytest.mark.parametrize("document", [{}, {"seconds": 1}, [], {**StepPlan().to_json(), "more": 1}])
def test_a_document_that_is_no_plan_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(InputError, match="step plan"):
        StepPlan.from_json(document)


SWEEP = """
import torch
from nas.graph import Node
from nas.graph.operations import Convolution, Input, TransposedConvolution
from nas.network.layers import layer

shapes = {2: [(8, 8), (16, 32)], 3: [(4, 6, 8), (8, 16, 8)]}
formats = {2: torch.channels_last, 3: torch.channels_last_3d}
kernels = {2: [(1, 1), (3, 3), (3, 1)], 3: [(1, 1, 1), (3, 3, 3), (3, 3, 1)]}
strides = {2: [(1, 1), (2, 2), (2, 1)], 3: [(1, 1, 1), (2, 2, 2), (2, 2, 1)]}
for axes in (2, 3):
    for inner, outer in ((1, 4), (4, 8), (8, 16), (16, 16)):
        source = Node(Input(), (), "image", inner, (1,) * axes)
        operations = [
            Convolution(outer, kernel, stride, (dilation,) * axes, groups, bias)
            for kernel in kernels[axes]
            for stride in strides[axes]
            for dilation in ((1, 2) if max(kernel) > 1 else (1,))
            for groups in {1, inner}
            for bias in (False, True)
        ]
        operations += [TransposedConvolution(outer, (size,) * axes, (2,) * axes) for size in (2, 3)]
        for operation in operations:
            run = layer(Node(operation, (0,), "conv", outer, (1,) * axes), [source], axes)
            run = run.to(memory_format=formats[axes])
            for shape in shapes[axes] * 2:
                image = torch.randn(2, inner, *shape).to(memory_format=formats[axes]).requires_grad_()
                run(image).square().sum().backward()
print("done")
"""


def test_no_convolution_writes_beyond_its_memory_with_channels_last() -> None:
    """Under glibc's checks, which end the process where the heap is damaged."""
    library = ctypes.util.find_library("c_malloc_debug")
    if library is None:
        pytest.skip("glibc's malloc checks are not installed")
    checked = {**os.environ, "LD_PRELOAD": library, "GLIBC_TUNABLES": "glibc.malloc.check=3"}
    run = subprocess.run([sys.executable, "-c", SWEEP], env=checked, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-500:]
    assert run.stdout == "done\n"


@pytest.mark.parametrize("axes", [2, 3])
def test_a_strided_convolution_of_kernel_1_is_torchs(axes: int) -> None:
    ones, twos = (1,) * axes, (2,) * axes
    operation = Convolution(6, ones, twos, ones)
    ours = layer(Node(operation, (0,), "conv", 6, twos), [Node(Input(), (), "image", 4, ones)], axes)
    assert isinstance(ours, torch.nn.Module)
    kind = torch.nn.Conv2d if axes == 2 else torch.nn.Conv3d
    theirs = kind(4, 6, 1, 2)
    theirs.load_state_dict(ours.state_dict())
    image = torch.randn(2, 4, *(7,) * axes)
    torch.testing.assert_close(ours(image), theirs(image))
