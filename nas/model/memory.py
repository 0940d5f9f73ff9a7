"""How much memory it takes to segment an image, known from its header alone."""

from collections.abc import Sequence
from math import prod

import torch

from nas.data import files
from nas.data.preprocessing import Preprocessing, matches
from nas.errors import InputError
from nas.model.record import Listed, Options
from nas.model.trained import TrainedModel

_FLOAT = 4
_READ = 12
"""Bytes of a voxel while a file is read: as stored, at most as float64, and as float32."""
_NORMALISED = 24
"""Of a voxel of one channel while it is normalised, with intermediate results in float64."""
_RESTORED = 17
"""Of a voxel while classes are put back on a grid: shares in float32, with what interpolation holds, and bytes."""
_PROGRAM = 600 * 2**20
"""Of Python, torch and what they load, before anything is read."""
_SHARE = 0.95


def bytes_needed(model: TrainedModel, shape: Sequence[int], spacing: Sequence[float], options: Options) -> int:
    """The most that segmenting an image holds at once, on a CPU, in bytes.

    Args:
        model: what segments.
        shape: of the image, (*spatial), in the order of the file.
        spacing: of it in mm.
        options: what is done beside segmenting.
    """
    channels, classes = len(model.channels), len(model.classes)
    stored = prod(shape)
    seen = round(stored * _ratio(model.preprocessing, spacing))
    whole = _whole(model, seen, shape, options)
    slab = classes * (whole or _slab(model, seen, shape)) * _FLOAT
    probabilities = classes * _FLOAT * (seen + 2 * stored) if options.probabilities else 0
    reading = channels * stored * _READ
    preparing = channels * (stored * _FLOAT * 2 + seen * _FLOAT * 2) + stored * _NORMALISED
    predicting = channels * (stored + seen) * _FLOAT + seen + 3 * slab + (classes * _FLOAT * seen * bool(probabilities))
    restoring = channels * (stored + seen) * _FLOAT + (stored + seen) * _RESTORED + probabilities
    weights = sum(tensor.nbytes for state in model.states for tensor in state.values())
    # Four windows at once, or one image, or four slices: of what a backward pass would have kept.
    held = max(graph.training_bytes for graph in model.of_each)
    windows = round(held * (whole / prod(model.task.patch) if whole else 4))
    return _PROGRAM + 2 * weights + max(reading, preparing, predicting + windows, restoring)


def announced(
    model: TrainedModel,
    listed: Sequence[Listed],
    waiting: Sequence[Listed],
    options: Options,
    processes: int,
    device: torch.device,
) -> str:
    """What is going to be done, in a sentence."""
    done = len(listed) - len(waiting)
    text = f"{len(waiting)} of {len(listed)} images to segment on {device}" + (f", {done} done before" if done else "")
    needs = [(needed, image.name) for image in waiting if (needed := _needed(model, image, options)) is not None]
    if not needs:
        return text
    most, name = max(needs)
    at_once = min(processes, len(waiting))
    return (
        f"{text}; at most {in_words(most * at_once)} of memory ({in_words(most)} for {name}"
        + (f", {at_once} at a time)" if at_once > 1 else ")")
        + f", {in_words(_free())} are free"
    )


def expect_room(model: TrainedModel, image: Listed, options: Options) -> None:
    """Refuse an image that the machine cannot hold, before it is read.

    Raises:
        InputError: it takes more memory than there is.
    """
    import psutil

    needed, there = _needed(model, image, options), psutil.virtual_memory().total
    if needed is not None and needed > _SHARE * there:
        raise InputError(
            f"{image.paths[0]}: segmenting it takes about {in_words(needed)} of memory, and this machine has "
            f"{in_words(there)}; crop or resample it, or use another machine"
        )


def in_words(size: float) -> str:
    """Bytes as people say them."""
    return f"{size / 2**30:.1f} GiB"


def _needed(model: TrainedModel, image: Listed, options: Options) -> int | None:
    """None where the size cannot be told without reading it, or the file is no image, which is told later."""
    try:
        grid = files.grid(image.paths[0])
    except InputError:
        return None
    if grid is None or len(grid[0]) != model.axes:
        return None
    return bytes_needed(model, *grid, options)


def _ratio(preprocessing: Preprocessing, spacing: Sequence[float]) -> float:
    """How many voxels a network sees for one of the image."""
    steps = zip(sorted(spacing), sorted(preprocessing.spacing), strict=True)
    return prod(1.0 if matches(step, wanted) else step / wanted for step, wanted in steps)


def _slab(model: TrainedModel, seen: int, shape: Sequence[int]) -> int:
    """Voxels of which probabilities are held at once."""
    rows = model.task.patch[0] if model.slicing is None else 4
    along = shape[0] if model.slicing is None else shape[model.slicing.axis]
    return round(seen * min(rows / along, 1))


def _whole(model: TrainedModel, seen: int, shape: Sequence[int], options: Options) -> int:
    """Voxels that are seen at once where that is the whole image, or whole slices; 0 where windows are."""
    if options.overlap is not None or model.windows.size is not None:
        return 0
    slices = 1 if model.slicing is None else shape[model.slicing.axis]
    image = round(seen / slices)
    return image * min(slices, 4) if image <= model.windows.most else 0


def _free() -> int:
    import psutil

    return int(psutil.virtual_memory().available)
