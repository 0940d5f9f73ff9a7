"""Tensors between two resolutions: how they are brought up, and what is longer or shorter than the image."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from nas.architecture import Transposed
from nas.errors import InputError
from nas.export import source
from nas.graph import Graph, Ops, Style, Task, Tensor
from nas.network import build
from tests.export.exported import network_of

TASK = Task(2, 1, 1, (16, 16))
Write = Callable[[Tensor, Ops], Tensor]


def graph_of(write: Write, task: Task = TASK) -> Graph:
    ops = Ops(task, Style())
    return ops.graph((write(ops.input(), ops),))


def halved(x: Tensor, ops: Ops) -> Tensor:
    return ops.max_pool(x, 2, (2, 2))


MODES = {
    "linear": {"mode": "bilinear"},
    "aligned": {"mode": "bilinear", "align_corners": True},
    "nearest": {"mode": "nearest"},
}


@pytest.mark.parametrize("mode", MODES)
def test_a_mode_is_that_of_torch_in_network_and_source(mode: str) -> None:
    graph = graph_of(lambda x, ops: ops.resize(halved(x, ops), x.strides, mode))  # type: ignore[arg-type]
    image = torch.randn(2, 1, 16, 16)
    small = nn.functional.max_pool2d(image, 2)
    expected = nn.functional.interpolate(small, scale_factor=2, **MODES[mode])  # type: ignore[arg-type]
    assert torch.equal(build(graph)(image), expected)
    assert torch.equal(network_of(source(graph))(image), expected)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", [8, 24])
def test_a_mode_reaches_as_far_as_its_receptive_field_says(mode: str, size: int) -> None:
    task = Task(2, 1, 1, (size, 8))
    graph = graph_of(lambda x, ops: ops.resize(halved(x, ops), x.strides, mode), task)  # type: ignore[arg-type]
    image = torch.randn(1, 1, size, 8, requires_grad=True)
    reached = []
    for row in range(size):
        (gradient,) = torch.autograd.grad(build(graph)(image)[0, 0, row].sum(), image)
        # The maximum hands its gradient to one of the two rows that it may have come from.
        rows = gradient[0, 0].abs().sum(1).reshape(-1, 2).sum(1).nonzero()
        reached.append(2 * int(rows.max() - rows.min() + 1))
    assert max(reached) == graph.receptive_field[0]


@pytest.mark.parametrize("kernel", [2, 3, 4, 5])
def test_what_is_cropped_is_the_whole_up_convolution_without_its_end(kernel: int) -> None:
    graph = graph_of(lambda x, ops: Transposed(kernel, cropped=True)(halved(x, ops), ops, 2, x.strides))
    network, image = build(graph), torch.randn(2, 1, 16, 16)
    layer = network.up
    assert isinstance(layer, nn.ConvTranspose2d)
    whole = nn.functional.conv_transpose2d(nn.functional.max_pool2d(image, 2), layer.weight, layer.bias, 2)
    start = (whole.shape[2] - 16) // 2
    torch.testing.assert_close(network(image), whole[:, :, start : start + 16, start : start + 16])


def test_where_nothing_is_odd_cropped_is_no_other_network() -> None:
    def write(cropped: bool) -> Write:
        return lambda x, ops: Transposed(2, cropped=cropped)(halved(x, ops), ops, 2, x.strides)

    assert graph_of(write(True)).digest == graph_of(write(False)).digest


def too_long(x: Tensor, ops: Ops) -> Tensor:
    return ops.transposed_conv(halved(x, ops), 1, 3, stride=(2, 2), cut=0)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda x, ops: ops.add(too_long(x, ops), x), "cannot add tensors of different sizes"),
        (lambda x, ops: ops.concat(x, too_long(x, ops)), "cannot concatenate tensors of different sizes"),
        (lambda x, ops: ops.conv(too_long(x, ops), 1, stride=2), "as long as the image"),
        (lambda x, ops: ops.max_pool(too_long(x, ops), 2, (2, 2)), "as long as the image"),
    ],
)
def test_a_tensor_that_is_too_long_is_refused_where_it_does_not_fit(write: Write, message: str) -> None:
    with pytest.raises(InputError, match=message):
        graph_of(write)


def test_pad_brings_it_to_size_and_cost_counts_what_there_is() -> None:
    def write(x: Tensor, ops: Ops) -> Tensor:
        return ops.add(ops.pad(ops.conv(too_long(x, ops), 1, 1), after=-1), x)

    graph = graph_of(write)
    assert build(graph)(torch.zeros(1, 1, 16, 16)).shape == (1, 1, 16, 16)
    assert graph.macs == 8 * 8 * 9 + 17 * 17
    assert Graph.from_json(graph.to_json()).macs == graph.macs


class Both(nn.Module):
    """Takes a fine and a coarse map, and a pooled one."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear = nn.Conv2d(channels, 1, 1)

    def forward(self, fine: torch.Tensor, coarse: torch.Tensor, pooled: torch.Tensor) -> torch.Tensor:
        return fine + nn.functional.interpolate(self.linear(coarse), scale_factor=4) * pooled


def both(x: Tensor, ops: Ops) -> Tensor:
    coarse = ops.conv(halved(halved(x, ops), ops), 3)
    return ops.module((x, coarse, ops.global_pool(x)), Both, 1, channels=3)


def test_a_module_of_torch_takes_several_inputs_of_any_resolution() -> None:
    graph = graph_of(both)
    network = build(graph)
    assert sum(p.numel() for p in network.parameters()) == graph.parameters
    assert network(torch.zeros(2, 1, 16, 16)).shape == (2, 1, 16, 16)


class Several(nn.Module):
    """Returns what no node can be."""

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return x, x


def test_a_module_that_returns_no_tensor_is_refused() -> None:
    with pytest.raises(InputError, match=r"Several returns a tuple, expected a tensor of shape \(1, 1, 32, 32\)"):
        graph_of(lambda x, ops: ops.module(x, Several, 1))
