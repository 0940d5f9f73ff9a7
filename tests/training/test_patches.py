"""Patch, strides and batch follow from the data and from what fits."""

from dataclasses import dataclass
from math import prod

import numpy as np
import pytest

from nas.errors import InputError
from nas.graph import Axes, Task
from nas.training import plan_batch, plan_dimensions, plan_task
from nas.training.levels import plan_strides


@dataclass(frozen=True)
class Lying:
    """A prepared case, as far as a plan looks at it."""

    size: Axes
    spacing: tuple[float, ...]
    foreground: tuple[np.ndarray, ...] = ()


@dataclass(frozen=True)
class Data:
    """A prepared data set of cases of one size, as far as a plan looks at it."""

    cases: tuple[Lying, ...]
    name: str = "data"
    channels: tuple[str, ...] = ("image",)
    classes: tuple[str, ...] = ("background", "organ")

    @property
    def axes(self) -> int:
        return len(self.cases[0].size)


def data(size: Axes, spacing: tuple[float, ...] | None = None) -> Data:
    return Data((Lying(size, spacing or (1.0,) * len(size)),) * 3)


def planned(size: Axes, device: str = "cpu", **options: object) -> Task:
    return plan_task(data(size), device, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("patch", "spacing", "strides"),
    [
        ((32, 48, 32), (1, 1, 1), ((2, 2, 2),) * 3),
        ((64, 64), (1, 1), ((2, 2),) * 4),
        ((160, 160, 16), (1, 1, 4), ((2, 2, 1), (2, 2, 1), (2, 2, 2), (2, 2, 2), (2, 2, 1))),  # thick slices wait
        ((128, 8, 8), (1, 1, 1), ((2, 2, 2), (2, 1, 1))),
        ((4, 4), (1, 1), ()),
        ((512, 512), (1, 1), ((2, 2),) * 5),
    ],
)
def test_an_axis_is_halved_while_it_is_long_and_fine(
    patch: Axes, spacing: tuple[float, ...], strides: tuple[Axes, ...]
) -> None:
    assert plan_strides(patch, spacing) == strides


@pytest.mark.parametrize(
    ("size", "device", "patch"),
    [
        ((36, 50, 35), "cpu", (32, 48, 32)),
        ((36, 50, 35), "cuda", (32, 48, 32)),
        ((512, 512, 512), "cuda", (96, 96, 96)),
        ((500, 1000), "cpu", (64, 128)),
    ],
)
def test_a_patch_has_the_images_proportions_and_is_no_larger_than_is_quick(
    size: Axes, device: str, patch: Axes
) -> None:
    assert planned(size, device).patch == patch


@pytest.mark.parametrize(
    ("size", "structures", "patch"),
    [
        ((512, 512), (), (96, 96)),
        ((512, 512), ((100, 100), (139, 139)), (80, 80)),  # twice as far as they reach
        ((512, 512), ((100, 100), (104, 179)), (64, 128)),
        ((512, 512), ((0, 0), (511, 511)), (96, 96)),
        ((48, 512), ((10, 100), (30, 110)), (48, 64)),
        ((36, 50, 35), ((8, 5, 4), (30, 43, 30)), (32, 48, 32)),  # the hippocampus fills its images
        ((300, 300, 12), ((100, 100, 3), (119, 119, 8)), (40, 40, 12)),
    ],
)
def test_a_patch_reaches_twice_as_far_as_structures_do(size: Axes, structures: tuple[Axes, ...], patch: Axes) -> None:
    corners = (np.array(structures),) if structures else ()
    cases = (Lying(size, (1.0,) * len(size), corners),) * 3
    assert plan_task(Data(cases), "cpu").patch == patch  # type: ignore[arg-type]


def test_a_patch_shrinks_until_the_networks_fit_and_keeps_its_proportions() -> None:
    patch = planned((200, 100, 200), "cuda", fits=lambda task: prod(task.patch) <= 100_000).patch
    assert prod(patch) <= 100_000
    assert patch[0] == patch[2]
    assert 1.5 < patch[0] / patch[1] < 2.5
    assert planned((200, 100, 200), fits=lambda _: False).patch == planned((16, 8, 16)).patch


def test_a_patch_that_the_user_chose_is_kept_whatever_fits() -> None:
    assert planned((64, 64), patch=(32, 32), fits=lambda _: False).patch == (32, 32)


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        ((30, 32), "axis 0 has 30 voxels, expected a multiple of 8"),
        ((32,), "expected 2 numbers"),
        ((6, 6), "too small"),
    ],
)
def test_a_patch_that_cannot_be_halved_is_refused(patch: Axes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        planned((64, 64), patch=patch)


def test_one_image_smaller_than_the_stride_changes_nothing() -> None:
    small = Data((*data((64, 64)).cases, Lying((64, 5), (1.0, 1.0))))
    assert plan_task(small, "cpu") == planned((64, 64))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("patch", "device", "voxels", "batch"),
    [
        ((32, 48, 32), "cpu", 10**9, 2),
        ((128, 128), "cpu", 10**9, 2),
        ((64, 64), "cpu", 10**9, 8),
        ((96, 96, 96), "cuda", 10**9, 2),
        ((40, 48, 32), "cuda", 10**9, 28),
        ((40, 48, 32), "cuda", 208 * 63_000, 10),  # a twentieth of the hippocampus data
        ((40, 48, 32), "cuda", 10**5, 2),
    ],
)
def test_small_patches_come_in_large_batches_within_a_twentieth_of_the_data(
    patch: Axes, device: str, voxels: int, batch: int
) -> None:
    task = Task(len(patch), 1, 2, patch, ((2,) * len(patch),) * 2)
    assert plan_batch(task, device, voxels) == batch
    assert plan_batch(task, device, voxels, fits=lambda patches: patches <= 5) == min(batch, 5)
    assert plan_batch(task, device, voxels, fits=lambda _: False) == 2


@pytest.mark.parametrize(
    ("size", "spacing", "dimensions"),
    [
        ((216, 256, 10), (1.5, 1.5, 10.0), "2"),
        ((35, 50, 36), (1.0, 1.0, 1.0), "3"),
        ((512, 512, 100), (0.8, 0.8, 2.0), "3"),
        ((200, 200, 4), (1.0, 1.0, 1.0), "2"),
        ((512, 512, 1), (1.0, 1.0, 1.0), "2"),
    ],
    ids=["thick slices", "cubes", "nearly cubes", "few slices", "one slice"],
)
def test_volumes_of_thick_or_few_slices_are_trained_slice_by_slice(
    size: Axes, spacing: tuple[float, ...], dimensions: str
) -> None:
    assert plan_dimensions(data(size, spacing)) == dimensions  # type: ignore[arg-type]
