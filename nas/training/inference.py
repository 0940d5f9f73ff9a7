"""The probabilities of each class in whole images, window by window."""

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, product
from math import prod

import torch
from torch import Tensor
from torch.nn.functional import pad

from nas.graph import Axes
from nas.training.samples import Slicing

Forward = Callable[[Tensor], Tensor]
"""Scores (batch, classes, *size) of images (batch, channels, *size)."""
Place = tuple[slice, ...]
"""A box of voxels."""
OVERLAP = 0.5
"""Of neighbouring windows, as in nnU-Net."""
_BATCH = 4
"""Windows that a network sees at once."""
_WIDTH = 0.125
"""Of the bell that windows are weighted by, its deviation over their size, as in nnU-Net."""
_LEAST = 1e-3
"""The weight at corners, over the largest: a voxel that one window alone sees must not be divided by nothing."""


def averaged(forwards: Sequence[Forward]) -> Forward:
    """Several networks as one: scores whose softmax is the mean of theirs."""
    if len(forwards) == 1:
        return forwards[0]

    def forward(images: Tensor) -> Tensor:
        total = forwards[0](images).float().softmax(1)
        for member in forwards[1:]:
            total += member(images).float().softmax(1)
        return (total / len(forwards)).log()

    return forward


def predict(
    forward: Forward,
    image: Tensor,
    patch: Axes,
    *,
    slicing: Slicing | None = None,
    mirrored: Axes = (),
    overlap: float = OVERLAP,
) -> Tensor:
    """Class indices (*size), uint8, of one image (channels, *size), where the image is; see `parts`."""
    classes = torch.empty(image.shape[1:], dtype=torch.uint8, device=image.device)
    for place, found in parts(forward, image, patch, slicing=slicing, mirrored=mirrored, overlap=overlap):
        classes[place] = found.argmax(0).to(torch.uint8)
    return classes


def parts(
    forward: Forward,
    image: Tensor,
    patch: Axes,
    *,
    slicing: Slicing | None = None,
    mirrored: Axes = (),
    overlap: float = OVERLAP,
) -> Iterator[tuple[Place, Tensor]]:
    """An image part by part, each with its place and the probabilities of the classes there, (classes, *place).

    The arguments are those of `probabilities`, but for one image (channels, *size); a volume with a `slicing` is seen
    slice by slice.
    """
    rows = 0
    if slicing is None:
        for slab in probabilities(forward, image[None], patch, mirrored=mirrored, overlap=overlap):
            yield (slice(rows, rows + slab.shape[2]), *[slice(None)] * (image.ndim - 2)), slab[0]
            rows += slab.shape[2]
        return
    axis, count = slicing.axis, image.shape[1 + slicing.axis]
    for first in range(0, count, _BATCH):
        numbers = range(first, min(first + _BATCH, count))
        slabs = probabilities(forward, slicing.cut(image, numbers), patch, mirrored=mirrored, overlap=overlap)
        place = [slice(None)] * 3
        place[axis] = slice(numbers.start, numbers.stop)
        yield tuple(place), torch.cat(list(slabs), 2).movedim(0, 1 + axis)


def probabilities(
    forward: Forward,
    images: Tensor,
    patch: Axes,
    *,
    mirrored: Axes = (),
    overlap: float = OVERLAP,
) -> Iterator[Tensor]:
    """Probabilities of each class, slab by slab along the first axis, so that those of large images are never all held.

    Each window's scores become probabilities, which are averaged over mirrored windows and, weighted by a bell, over
    the windows that see a voxel. Windows have the size that networks were trained on, also where one a little larger
    would cover the image: what a norm takes from each image by itself, and how far from a border a voxel lies, then are
    as in training. An image smaller than the window goes on beyond its border as at it, as in training.

    Args:
        forward: scores of images, by a network in evaluation mode.
        images: normalised, (count, channels, *size), of one size, on any device.
        patch: the window.
        mirrored: axes; probabilities are averaged over the window mirrored along every set of them.
        overlap: of neighbouring windows, as a share of their size.

    Yields:
        (count, classes, rows, *the other axes); put together along axis 2 they cover the images.
    """
    size = images.shape[2:]
    before = [max(wide - along, 0) // 2 for along, wide in zip(size, patch, strict=True)]
    images = _filled(images, patch, before)
    inside = _box(before[1:], size[1:])
    for start, slab in _slabs(forward, images, patch, mirrored, _starts(tuple(images.shape[2:]), patch, overlap)):
        rows = slice(max(before[0] - start, 0), max(before[0] + size[0] - start, 0))
        if rows.start < slab.shape[2]:
            yield slab[(slice(None), slice(None), rows, *inside)]


def windows(size: Axes, patch: Axes, overlap: float = OVERLAP) -> int:
    """How many windows `probabilities` cuts an image of a size into."""
    filled = tuple(max(along, wide) for along, wide in zip(size, patch, strict=True))
    return prod(len(starts) for starts in _starts(filled, patch, overlap))


def _starts(size: Axes, patch: Axes, overlap: float) -> list[list[int]]:
    """Where windows begin along each axis; the last one ends where the image does."""
    starts = []
    for along, wide in zip(size, patch, strict=True):
        step = max(int(wide * (1 - overlap)), 1)
        number = -(-(along - wide) // step) + 1
        starts.append([min(index * step, along - wide) for index in range(number)])
    return starts


def _filled(images: Tensor, patch: Axes, before: Sequence[int]) -> Tensor:
    """Images at least as large as a window, their borders repeated."""
    lacking = [max(wide - along, 0) for along, wide in zip(images.shape[2:], patch, strict=True)]
    if not any(lacking):
        return images
    ends = [(first, missing - first) for first, missing in zip(before, lacking, strict=True)]
    return pad(images, [end for pair in reversed(ends) for end in pair], mode="replicate")


def _slabs(
    forward: Forward, images: Tensor, patch: Axes, mirrored: Axes, starts: list[list[int]]
) -> Iterator[tuple[int, Tensor]]:
    """Rows along the first axis that no further window sees, and the number of the first of them."""
    bell = _bell(patch).to(images.device)
    weights = torch.zeros(patch[0], *images.shape[3:], device=images.device)
    sums = torch.empty(0, device=images.device)
    for start, following in zip(starts[0], [*starts[0][1:], None], strict=True):
        all_places = list(product(range(len(images)), *starts[1:]))
        for places in (all_places[first : first + _BATCH] for first in range(0, len(all_places), _BATCH)):
            within = [_box(place[1:], patch[1:]) for place in places]
            rows = slice(start, start + patch[0])
            crops = [images[place[0]][(slice(None), rows, *box)] for place, box in zip(places, within, strict=True)]
            found = _averaged(forward, torch.stack(crops), mirrored) * bell
            if not sums.numel():
                sums = found.new_zeros(len(images), found.shape[1], patch[0], *images.shape[3:])
            for place, box, shares in zip(places, within, found, strict=True):
                sums[place[0]][(slice(None), slice(None), *box)] += shares
                if place[0] == 0:
                    weights[(slice(None), *box)] += bell
        done = patch[0] if following is None else following - start
        yield start, sums[:, :, :done] / weights[:done]
        if following is not None:
            sums, weights = _moved_on(sums, done, 2), _moved_on(weights, done, 0)


def _box(start: Sequence[int], size: Sequence[int]) -> Place:
    return tuple(slice(at, at + wide) for at, wide in zip(start, size, strict=True))


@torch.inference_mode()
def _averaged(forward: Forward, images: Tensor, mirrored: Axes) -> Tensor:
    """Probabilities, averaged over all ways of mirroring."""
    axes = [2 + axis for axis in mirrored]
    total = forward(images).float().softmax(1)
    sets = [chosen for count in range(1, len(axes) + 1) for chosen in combinations(axes, count)]
    for chosen in sets:
        total += forward(images.flip(chosen)).float().softmax(1).flip(chosen)
    return total / (len(sets) + 1)


def _bell(patch: Axes) -> Tensor:
    """How much each voxel of a window counts: most in the middle."""
    weights = torch.ones(())
    for wide in patch:
        distance = torch.arange(wide) - (wide - 1) / 2
        weights = weights[..., None] * torch.exp(-0.5 * (distance / (_WIDTH * wide)) ** 2)
    return weights.clamp(min=_LEAST)


def _moved_on(sums: Tensor, rows: int, axis: int) -> Tensor:
    """What is left of rows when the first are done, with as many empty ones behind."""
    moved = torch.zeros_like(sums)
    left = sums.shape[axis] - rows
    moved.narrow(axis, 0, left).copy_(sums.narrow(axis, rows, left))
    return moved
