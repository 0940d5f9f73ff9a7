"""A graph's identity is its structure alone, and its cost is what a computation shows."""

import json
import subprocess
import sys
from dataclasses import dataclass

import pytest
import torch

from nas.architecture import slim
from nas.catalog import load_space
from nas.errors import InputError
from nas.graph import Graph, Ops, Style, Task, Tensor, trace
from nas.network import build

MEMBERS = load_space("unet_family").references
PLAIN = Task(2, 1, 2, (32, 32))


@dataclass(frozen=True)
class Chain:
    """Two convolutions below a name, the second of a given kernel."""

    name: str = "first"
    kernel: int = 3
    style: Style = Style("batch")
    width: int = 4

    def __call__(self, x: Tensor, ops: Ops) -> tuple[Tensor, ...]:
        with ops.scope(self.name, self):
            x = ops.conv_norm_act(x, self.width)
        return (ops.conv(x, ops.task.classes, self.kernel),)


def test_names_are_no_part_of_the_identity() -> None:
    assert trace(Chain("first"), PLAIN).digest == trace(Chain("second"), PLAIN).digest


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(trace(Chain(kernel=1), PLAIN), id="kernel"),
        pytest.param(trace(Chain(style=Style("instance")), PLAIN), id="norm"),
        pytest.param(trace(Chain(style=Style("batch", "gelu")), PLAIN), id="activation"),
        pytest.param(trace(Chain(), Task(2, 2, 2, (32, 32))), id="channels"),
        pytest.param(trace(Chain(), Task(2, 1, 3, (32, 32))), id="classes"),
        pytest.param(trace(Chain(), Task(3, 1, 2, (32, 32, 32))), id="axes"),
    ],
)
def test_everything_else_is(other: Graph) -> None:
    assert trace(Chain(), PLAIN).digest != other.digest


def test_the_digest_does_not_change_from_process_to_process_or_release_to_release() -> None:
    # Studies are keyed by it: if this must change, every stored study becomes another.
    task = Task(2, 1, 1)
    program = (
        "import nas; print(nas.trace(nas.load_space('unet_family').references['U-Net'], nas.Task(2, 1, 1)).digest)"
    )
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == trace(MEMBERS["U-Net"], task).digest == U_NET_DIGEST


U_NET_DIGEST = "b9eacf9bbe00fc12be679fb1698a6f52"


@pytest.mark.parametrize("name", ["U-Net", "U-Net BN", "Residual U-Net"])
@pytest.mark.parametrize("patch", [(64, 64), (256, 128)])
def test_parameters_and_digest_do_not_depend_on_the_patch(name: str, patch: tuple[int, int]) -> None:
    small, large = trace(MEMBERS[name], Task(2, 1, 1, (32, 32))), trace(MEMBERS[name], Task(2, 1, 1, patch))
    assert (small.parameters, small.digest) == (large.parameters, large.digest)
    assert large.macs == small.macs * (patch[0] * patch[1]) // (32 * 32)


SPREADING = ["U-Net", "3D U-Net BN", "Residual U-Net", "V-Net", "U-Net++ R18", "LinkNet R18"]


@pytest.mark.parametrize("name", SPREADING)
def test_the_receptive_field_is_how_far_a_voxel_that_is_not_a_number_spreads(name: str) -> None:
    # Few levels, so that the field is smaller than the image, which is one NaN column in each of a batch.
    width, middle = 256, 128
    task = Task(2, 1, 1, (8, width), ((2, 2), (2, 2), *((1, 1),) * 3))
    graph = trace(slim(MEMBERS[name], 10), task)
    image = torch.ones(width, 1, 8, width)
    image[torch.arange(width), :, :, torch.arange(width)] = torch.nan
    with torch.no_grad():
        spread = build(graph).eval()(image)[:, 0, 4].isnan()
    seen = [spread[:, middle + offset].nonzero() for offset in range(graph.total_stride[1])]
    assert max(int(columns.max() - columns.min()) + 1 for columns in seen) == graph.receptive_field[1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.pop("nodes"), "nodes"),
        (lambda d: d["nodes"][1].update(operation="Exec"), "Exec"),
        (lambda d: d["nodes"][1].pop("kernel"), "kernel"),
    ],
)
def test_a_document_that_is_no_graph_is_refused(change, message: str) -> None:
    document = json.loads(json.dumps(trace(Chain(), PLAIN).to_json()))
    change(document)
    with pytest.raises(InputError, match=message):
        Graph.from_json(document)


def test_a_patch_that_the_network_cannot_halve_is_refused_with_the_nearest_that_it_can() -> None:
    with pytest.raises(InputError, match=r"has 100 voxels, expected a multiple .* use 96 or 112"):
        trace(MEMBERS["U-Net"], Task(2, 1, 1, (96, 100)))


@pytest.mark.parametrize(("width", "blocks"), [(8, 16), (12, 16), (16, 16), (24, 32)])
def test_blocked_macs_are_those_of_channels_that_fill_whole_blocks(width: int, blocks: int) -> None:
    image, classes, voxels = 1, 16, 32 * 32
    graph = trace(Chain(width=width), Task(2, image, classes, (32, 32)))
    assert graph.macs == 9 * voxels * width * (image + classes)
    assert graph.blocked_macs == 9 * voxels * blocks * (image + classes)
