"""The published networks beyond their number of parameters: in 3D, with anisotropic strides."""

import pytest
import torch

from nas.architecture import slim
from nas.catalog import load_space
from nas.graph import Task, trace
from nas.network import build

MEMBERS = load_space("unet_family").references
VOLUMES = {
    "isotropic": Task(3, 1, 3, (32, 32, 32), ((2, 2, 2),) * 5),
    "thick slices": Task(3, 1, 3, (8, 32, 32), ((1, 2, 2), (1, 2, 2), (2, 2, 2), (2, 2, 2), (2, 2, 2))),
}


@pytest.mark.parametrize("task", VOLUMES.values(), ids=VOLUMES)
@pytest.mark.parametrize("name", MEMBERS)
def test_every_published_network_exists_in_3d(name: str, task: Task) -> None:
    graph = trace(slim(MEMBERS[name], 8), task)
    scores = build(graph).eval()(torch.zeros(1, 1, *task.patch))
    main = scores[0] if isinstance(scores, tuple) else scores
    assert main.shape == (1, 3, *task.patch)
    assert {len(node.operation.kernel) for node in graph.nodes if hasattr(node.operation, "kernel")} == {3}


def test_in_3d_a_u_net_has_its_2d_weights_times_what_an_axis_adds_to_a_kernel() -> None:
    def weights_by_kernel(axes: int) -> dict[int, int]:
        sizes: dict[int, int] = {}
        for weight in build(trace(MEMBERS["U-Net"], Task(axes, 1, 1))).parameters():
            if weight.ndim > 1:
                kernel = weight[0, 0].numel()
                sizes[kernel] = sizes.get(kernel, 0) + weight.numel()
        return sizes

    flat, deep = weights_by_kernel(2), weights_by_kernel(3)
    assert deep == {27: 3 * flat[9], 8: 2 * flat[4], 1: flat[1]}
