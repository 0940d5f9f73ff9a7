"""From what data look like to what every network is given: patch and strides."""

from collections.abc import Sequence
from math import prod
from statistics import median

from nas.data import PreparedDataset
from nas.errors import InputError
from nas.graph import Axes, Task

SMALLEST = 4
"""An axis is halved while at least this many voxels remain, as in nnU-Net (Isensee et al. 2021)."""
LARGEST_PATCH = {("cpu", 2): 64 * 64, ("cpu", 3): 32 * 48 * 32, ("cuda", 2): 256 * 256, ("cuda", 3): 96 * 96 * 96}
"""Voxels of a patch at most, by kind of device and number of axes, for one step to be quick."""
MOST_LEVELS = 5


def plan_task(data: PreparedDataset, device: str, patch: Axes | None = None) -> Task:
    """Choose the patch and the strides per level and axis for a data set.

    The patch has the median image's proportions in voxels, within `LARGEST_PATCH`. An axis is halved while its
    voxels are less than twice as large as the finest ones and `SMALLEST` of them remain, so that thick slices
    are left whole.

    Args:
        data: as preprocessed, so that sizes and spacing are those that networks see.
        device: "cpu" or "cuda".
        patch: chosen by the user instead.

    Raises:
        InputError: a patch that no network of two levels fits, or an image smaller than the networks' stride.
    """
    axes, sizes = data.axes, list(zip(*(case.size for case in data.cases), strict=True))
    wanted = patch or _shrunk([median(along) for along in sizes], LARGEST_PATCH[device, axes])
    if len(wanted) != axes:
        raise InputError(f"patch: found {list(wanted)}, expected {axes} numbers, as the images have axes")
    spacing = tuple(median(along) for along in zip(*(case.spacing for case in data.cases), strict=True))
    strides = plan_strides(wanted, spacing)
    if not strides:
        raise InputError(f"patch: found {list(wanted)}, too small to be halved; expected {2 * SMALLEST} voxels or more")
    total = tuple(prod(level[axis] for level in strides) for axis in range(axes))
    if patch is None:
        wanted = tuple(max(round(size / step), 1) * step for size, step in zip(wanted, total, strict=True))
    for axis, (size, step) in enumerate(zip(wanted, total, strict=True)):
        if size % step:
            low = size // step * step
            raise InputError(
                f"patch: axis {axis} has {size} voxels, expected a multiple of {step}; use {low} or {low + step}"
            )
    for axis, (size, step) in enumerate(zip(map(min, sizes), total, strict=True)):
        if size < step:
            raise InputError(
                f"{data.name}: the smallest image has {size} voxels along axis {axis}, fewer than the "
                f"stride {step} "
                "of the networks planned for this data; leave such images out, pad them, or give a smaller --patch"
            )
    return Task(axes, len(data.channels), len(data.classes), wanted, strides, spacing)


def plan_strides(patch: Axes, spacing: tuple[float, ...]) -> tuple[Axes, ...]:
    """The stride per axis of each level."""
    sizes, spaces = list(patch), list(spacing)
    strides: list[Axes] = []
    while len(strides) < MOST_LEVELS:
        finest = min(spaces)
        step = tuple(
            2 if size // 2 >= SMALLEST and space < 2 * finest else 1 for size, space in zip(sizes, spaces, strict=True)
        )
        if max(step) == 1:
            break
        strides.append(step)
        sizes = [-(-size // s) for size, s in zip(sizes, step, strict=True)]
        spaces = [space * s for space, s in zip(spaces, step, strict=True)]
    return tuple(strides)


def _shrunk(shape: Sequence[float], voxels: int) -> Axes:
    """A shape of the same proportions with at most so many voxels."""
    scale = min((voxels / prod(shape)) ** (1 / len(shape)), 1)
    return tuple(max(round(size * scale), 1) for size in shape)
