"""From what data look like and what the device holds to what every network is given: patch, strides and batch."""

from collections.abc import Callable, Sequence
from math import prod
from statistics import median

import numpy as np

from nas.data import PreparedCase, PreparedDataset
from nas.data.resampling import coarse_axis
from nas.errors import InputError
from nas.graph import Axes, Task
from nas.training.levels import SMALLEST, plan_kernels, plan_strides

LARGEST_STEP = {("cpu", 2): 2 * 128**2, ("cpu", 3): 2 * 32 * 48 * 32, ("cuda", 2): 8 * 256**2, ("cuda", 3): 2 * 96**3}
"""Voxels of a step at most, by kind of device and number of axes, for it to be quick."""
FEWEST_PATCHES = {2: 4, 3: 2}
"""Patches of a step where images are large, by number of axes."""
SMALLEST_BATCH = 2
"""Batch norm after global pooling needs two values."""
SHARE_OF_DATA = 0.05
"""Of all training voxels, what a step sees at most, as in nnU-Net: more would mean the same patches again and again."""
FEWEST_SLICES = 2 * SMALLEST
"""A volume of fewer is no volume: no axis of it could be halved along them."""
AROUND = 2.0
"""How many times as far as structures a patch reaches: as much of what lies around them is seen as of themselves."""
NARROWEST = {2: 64, 3: 32}
"""Voxels along an axis that a patch has at least where images are as large, by number of axes."""
_SHRINK = 0.8
_CASES = 200
"""Of which the extent of structures is looked at."""


def plan_dimensions(data: PreparedDataset) -> str:
    """Whether networks for volumes see slices ("2") or the whole ("3").

    Slices, where they are so thick, or so few, that what lies next to a voxel across them tells little of it.
    """
    spacing = [median(along) for along in zip(*(case.spacing for case in data.cases), strict=True)]
    size = [median(along) for along in zip(*(case.size for case in data.cases), strict=True)]
    return "2" if min(size) < FEWEST_SLICES or coarse_axis(spacing) is not None else "3"


def plan_task(
    data: PreparedDataset, device: str, patch: Axes | None = None, *, fits: Callable[[Task], bool] = lambda _: True
) -> Task:
    """Choose the patch and the strides per level and axis for a data set.

    The patch reaches twice as far as the structures of a case do together, or over the median image where that is
    smaller: around the hearts of a whole chest most voxels teach nothing, and a step sees more hearts without them. It
    keeps these proportions, and is no larger than `LARGEST_STEP` and memory allow. An axis is halved while its voxels
    are less than twice as large as the finest ones and `SMALLEST` of them remain, so that thick slices are left whole.

    Args:
        data: as preprocessed, so that sizes and spacing are those that networks see.
        device: "cpu" or "cuda".
        patch: chosen by the user instead.
        fits: whether the networks can be trained on patches of a task; the smallest patch is taken where none fits.

    Raises:
        InputError: a patch that no network of two levels fits.
    """
    if patch is not None:
        return _task(data, patch)
    shape = _of_interest(data)
    voxels = min(LARGEST_STEP[device, data.axes] / FEWEST_PATCHES[data.axes], prod(shape))
    task = _task(data, _shrunk(shape, voxels), rounded=True)
    while not fits(task):
        voxels *= _SHRINK
        smaller = _shrunk(shape, voxels)
        if min(smaller) < 2 * SMALLEST:
            break
        task = _task(data, smaller, rounded=True)
    return task


def plan_batch(task: Task, device: str, voxels: int, *, fits: Callable[[int], bool] = lambda _: True) -> int:
    """Choose how many patches make a step: more where images are small, as many as time, data and memory allow.

    Args:
        task: with the patch.
        device: "cpu" or "cuda".
        voxels: of all training cases.
        fits: whether the networks can be trained on so many patches at once.
    """
    patch = prod(task.patch)
    most = int(min(LARGEST_STEP[device, task.axes], SHARE_OF_DATA * voxels) / patch)
    return max((batch for batch in range(SMALLEST_BATCH, most + 1) if fits(batch)), default=SMALLEST_BATCH)


def _task(data: PreparedDataset, patch: Axes, *, rounded: bool = False) -> Task:
    """The task with this patch, or with the nearest that can be halved as often."""
    axes = data.axes
    if len(patch) != axes:
        raise InputError(f"patch: found {list(patch)}, expected {axes} numbers, as the images have axes")
    spacing = tuple(median(along) for along in zip(*(case.spacing for case in data.cases), strict=True))
    strides = plan_strides(patch, spacing)
    if not strides:
        raise InputError(f"patch: found {list(patch)}, too small to be halved; expected {2 * SMALLEST} voxels or more")
    total = tuple(prod(level[axis] for level in strides) for axis in range(axes))
    if rounded:
        patch = tuple(max(round(size / step), 1) * step for size, step in zip(patch, total, strict=True))
    for axis, (size, step) in enumerate(zip(patch, total, strict=True)):
        if size % step:
            low = size // step * step
            raise InputError(
                f"patch: axis {axis} has {size} voxels, expected a multiple of {step}; use {low} or {low + step}"
            )
    kernels = plan_kernels(strides, spacing)
    return Task(axes, len(data.channels), len(data.classes), patch, strides, spacing, kernels)


def _of_interest(data: PreparedDataset) -> list[float]:
    """The median image, along each axis no longer than what structures and their surroundings take."""
    shape = [median(along) for along in zip(*(case.size for case in data.cases), strict=True)]
    chosen = data.cases[:: max(len(data.cases) // _CASES, 1)]
    extents = [extent for case in chosen if (extent := _extent(case)) is not None]
    if not extents:
        return shape
    reaches = [AROUND * median(along) for along in zip(*extents, strict=True)]
    return [min(along, max(reach, NARROWEST[data.axes])) for along, reach in zip(shape, reaches, strict=True)]


def _extent(case: PreparedCase) -> list[int] | None:
    """How far the structures of a case reach along each axis, in voxels; None where there are none."""
    voxels = [some for some in case.foreground if len(some)]
    if not voxels:
        return None
    together = np.concatenate(voxels)
    return [int(length) for length in together.max(0) - together.min(0) + 1]


def _shrunk(shape: Sequence[float], voxels: float) -> Axes:
    """A shape of the same proportions with at most so many voxels."""
    scale = min((voxels / prod(shape)) ** (1 / len(shape)), 1)
    return tuple(max(round(size * scale), 1) for size in shape)
