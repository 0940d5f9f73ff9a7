"""A built network costs what its graph says, in 2D and 3D, for every space."""

import copy
import io
import json
import pickle
import random
from math import prod

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from nas.architecture import slim
from nas.catalog import load_space, space_names
from nas.graph import Graph, Task, trace
from nas.network import build

TASKS = {
    "2D": Task(2, 1, 3, (32, 32), ((2, 2),) * 3),
    "3D anisotropic": Task(3, 2, 3, (16, 16, 8), ((2, 2, 1), (2, 2, 2), (2, 2, 2))),
}


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
@pytest.mark.parametrize(
    "reference", ["Tiramisu-67", "MedNeXt-B, kernel 5", "DeepLabv3+ R34, separable", "U-Net++ R18"]
)
def test_predicted_work_is_done_by_published_networks(reference: str, task: Task) -> None:
    graph = trace(slim(load_space("unet_family").references[reference], 6), task)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        build(graph).eval()(torch.zeros(1, task.channels, *task.patch))
    assert counter.get_total_flops() == 2 * graph.macs


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
@pytest.mark.parametrize("name", space_names())
@settings(max_examples=5)
@given(seed=st.integers(0, 2**32))
def test_predicted_cost_is_built_cost(name: str, task: Task, seed: int) -> None:
    graph = trace(slim(load_space(name).decide(random.Random(seed)), 4), task)
    network = build(graph).eval()
    assert sum(p.numel() for p in network.parameters()) == graph.parameters
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        scores = network(torch.zeros(1, task.channels, *task.patch))
    assert scores.shape == (1, task.classes, *task.patch)
    assert counter.get_total_flops() == 2 * graph.macs
    assert Graph.from_json(json.loads(json.dumps(graph.to_json()))).digest == graph.digest


REMEMBERED = (
    "U-Net BN",
    "Tiramisu-67",
    "DeepLabv3+ R50",
    "Attention U-Net",
    "nnU-Net",
    "nnU-Net ResEnc-L, 6 stages",
    "V-Net",
    "SegResNet",
    "MedNeXt-S, kernel 3",
    "U-Net++ R18",
    "LinkNet R18",
)


@pytest.mark.parametrize("reference", REMEMBERED)
def test_predicted_training_memory_is_what_autograd_holds(reference: str) -> None:
    graph = trace(slim(load_space("unet_family").references[reference], 6), Task(2, 1, 3, (64, 64)))
    network, held = build(graph), {}
    own = {parameter.untyped_storage().data_ptr() for parameter in network.parameters()}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        held[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        kept = network(torch.zeros(2, 1, 64, 64))
    measured = sum(size for address, size in held.items() if address not in own) / 2
    assert kept is not None
    assert measured == pytest.approx(graph.training_bytes, rel=0.02)


def test_images_that_do_not_fit_the_stride_are_refused() -> None:
    network = build(trace(slim(load_space("unet").references["U-Net"], 8), Task(2, 1, 2, (32, 32))))
    with pytest.raises(ValueError, match="multiples of"):
        network(torch.zeros(1, 1, 20, 32))
    assert prod(network.graph.total_stride) == 256


@pytest.mark.parametrize("reference", ["U-Net BN", "Tiramisu-67", "DeepLabv3+ R50", "ResNeSt-50 U-Net", "nnU-Net"])
def test_a_network_survives_pickle_copy_and_torch_save(reference: str) -> None:
    network = build(trace(slim(load_space("unet_family").references[reference], 8), Task(2, 1, 2, (32, 32)))).eval()
    image = torch.randn(1, 1, 32, 32)
    file = io.BytesIO()
    torch.save(network, file)
    file.seek(0)
    saved = torch.load(file, weights_only=False)
    with torch.no_grad():
        for other in (saved, pickle.loads(pickle.dumps(network)), copy.deepcopy(network)):
            assert {id(p) for p in other.parameters()}.isdisjoint(id(p) for p in network.parameters())
            torch.testing.assert_close(other(image), network(image))
            next(other.parameters()).zero_()  # its layers are those that its state dict names
            assert not torch.equal(other(image), network(image))
