"""Strides and kernels of each level follow the spacing, as nnU-Net plans them."""

import pytest

from nas.architecture.references import nn_u_net, tiramisu
from nas.graph import Axes, Task, trace
from nas.graph.operations import Convolution
from nas.training.levels import plan_kernels, plan_strides

THIN, THICK = (3, 3, 3), (1, 3, 3)


@pytest.mark.parametrize(
    ("spacing", "patch", "kernels"),
    [
        pytest.param((1.0, 1.0, 1.0), (64, 64, 64), (THIN,) * 5, id="isotropic"),
        pytest.param((1.9, 1.0, 1.0), (32, 64, 64), (THIN,) * 5, id="not twice as coarse"),
        pytest.param((2.0, 1.0, 1.0), (32, 64, 64), (THICK, THIN, THIN, THIN, THIN), id="twice as coarse"),
        pytest.param((5.0, 0.8, 0.8), (24, 192, 192), (THICK, THICK, THIN, THIN, THIN, THIN), id="thick CT"),
        pytest.param((10.0, 1.5, 1.5), (8, 64, 64), (THICK, THICK, THIN, THIN, THIN), id="cine MRI"),
        pytest.param((100.0, 1.0, 1.0), (8, 64, 64), (THICK,) * 4 + (THIN,), id="the bottleneck mixes all"),
        pytest.param((1.0, 1.0), (64, 64), ((3, 3),) * 5, id="2D"),
    ],
)
def test_an_axis_is_mixed_once_the_others_are_about_as_coarse(
    spacing: tuple[float, ...], patch: Axes, kernels: tuple[Axes, ...]
) -> None:
    strides = plan_strides(patch, spacing)
    assert plan_kernels(strides, spacing) == kernels


# nnU-Net's plan for thick slices, with the count of its public implementation.
STRIDES = ((1, 2, 2), (1, 2, 2), (2, 2, 2), (2, 2, 2), (1, 2, 2))
TASK = Task(3, 1, 2, (16, 128, 128), STRIDES, (5.0, 1.0, 1.0), (THICK, THICK, THIN, THIN, THIN, THIN))


def kernels_by_resolution(graph) -> dict[Axes, set[Axes]]:  # type: ignore[no-untyped-def]
    seen: dict[Axes, set[Axes]] = {}
    for node in graph.nodes:
        if isinstance(node.operation, Convolution) and max(node.operation.kernel) > 1:
            seen.setdefault(node.strides, set()).add(node.operation.kernel)
    return seen


def test_every_block_obeys_on_the_way_down_and_up_without_knowing_it() -> None:
    kernels = kernels_by_resolution(trace(nn_u_net(6), TASK))
    assert kernels == {
        (1, 1, 1): {THICK},
        (1, 2, 2): {THICK},
        (1, 4, 4): {THIN},
        (2, 8, 8): {THIN},
        (4, 16, 16): {THIN},
        (4, 32, 32): {THIN},
    }
    assert kernels_by_resolution(trace(tiramisu((2,) * 5, 2, 4), TASK))[1, 2, 2] == {THICK}


def test_a_task_without_kernels_is_as_ever() -> None:
    plain = Task(3, 1, 2, (16, 128, 128), STRIDES)
    assert set().union(*kernels_by_resolution(trace(nn_u_net(6), plain)).values()) == {THIN}
    assert Task.from_json(TASK.to_json()) == TASK
    before = {key: value for key, value in plain.to_json().items() if key != "kernels"}
    assert Task.from_json(before) == plain
