"""Where patches lie and how they are turned, scaled, bent and mirrored: all patches of a batch in one resampling."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from nas.graph import Axes
from nas.training.augmentation import Augmentation
from nas.training.samples import Sample

_CONTROL_POINTS = 5
"""Points per axis of the coarse field that an elastic deformation is interpolated from."""
_DEVIATIONS = 2.5
"""How far an elastic deformation is expected to reach, in its deviations."""


@dataclass(frozen=True)
class Placement:
    """Where one patch is cut and how it is moved.

    `centre` is in voxels of the case; `matrix` goes from offsets in the patch to offsets in the case, both in voxels,
    None for a patch that is only cut; `elastic` is the deviation of a displacement in voxels per axis; `mirrored` lists
    the axes to mirror.
    """

    sample: Sample
    centre: tuple[float, ...]
    matrix: Tensor | None
    elastic: tuple[float, ...] | None
    mirrored: tuple[int, ...]

    @property
    def moved(self) -> bool:
        """Whether the patch has to be resampled."""
        return self.matrix is not None or self.elastic is not None


def draw_placement(
    sample: Sample, patch: Axes, foreground: float, augmentation: Augmentation, numbers: Iterator[float]
) -> Placement:
    """A random placement of one patch; `numbers` are uniform from 0 to 1, `numbers_needed` of them at most."""
    axes = len(patch)
    centre = _centre(sample, patch, foreground, numbers)
    mirrored = tuple(axis for axis in augmentation.mirrored_axes(axes) if next(numbers) < 0.5)
    strength = augmentation.strength
    matrix = elastic = None
    if next(numbers) < augmentation.affine and strength > 0:
        turns = [math.radians(augmentation.rotation * strength) * (2 * next(numbers) - 1) for _ in _planes(axes)]
        largest = min(augmentation.scaling * strength, 0.9)
        matrix = _turned_and_scaled(sample.spacing, turns, 1 + largest * (2 * next(numbers) - 1))
    if next(numbers) < augmentation.elastic and strength > 0:
        elastic = tuple(augmentation.displacement * strength / step for step in sample.spacing)
    return Placement(sample, centre, matrix, elastic, mirrored)


def numbers_needed(axes: int) -> int:
    """How many random numbers a placement takes at most."""
    return 3 + axes + axes + 3 + len(_planes(axes))


def cut(
    placements: Sequence[Placement], patch: Axes, device: torch.device, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """The patches of a batch.

    Outside a case its image goes on as at its border, and its label is background, so that a structure cut by the
    border does not grow.

    Returns:
        Images (batch, channels, *patch) and class indices (batch, 1, *patch), uint8.
    """
    channels = placements[0].sample.image.shape[0]
    images = torch.empty(len(placements), channels, *patch, device=device)
    labels = torch.empty(len(placements), 1, *patch, dtype=torch.uint8, device=device)
    for row, placement in enumerate(placements):
        if not placement.moved:
            start = [round(middle - (wide - 1) / 2) for middle, wide in zip(placement.centre, patch, strict=True)]
            image, label = _box(placement.sample, start, patch, device)
            axes = [axis + 1 for axis in placement.mirrored]
            images[row], labels[row] = (image.flip(axes), label.flip(axes)) if axes else (image, label)
    rows = [row for row, placement in enumerate(placements) if placement.moved]
    if rows:
        images[rows], labels[rows] = _resampled([placements[row] for row in rows], patch, device, generator)
    return images, labels


def _resampled(
    placements: Sequence[Placement], patch: Axes, device: torch.device, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    reaches = [_reach(placement, patch) for placement in placements]
    # One box size for all, so that one grid_sample serves the batch; no larger than the largest case needs.
    lengths = tuple(
        min(
            max(math.ceil(2 * reach[axis]) + 2 for reach in reaches),
            max(p.sample.label.shape[axis] for p in placements),
        )
        for axis in range(len(patch))
    )
    boxes, shifts = [], []
    for placement in placements:
        start = [
            min(max(round(middle - (length - 1) / 2), 0), size - length) if length <= size else (size - length) // 2
            for middle, length, size in zip(placement.centre, lengths, placement.sample.label.shape, strict=True)
        ]
        boxes.append(_box(placement.sample, start, lengths, device))
        shifts.append(
            [
                middle - first - (length - 1) / 2
                for middle, first, length in zip(placement.centre, start, lengths, strict=True)
            ]
        )
    grid = _grid(placements, shifts, lengths, patch, generator).to(device)
    image = torch.stack([image for image, _ in boxes])
    label = torch.stack([label for _, label in boxes]).float()
    return (
        F.grid_sample(image, grid, mode="bilinear", padding_mode="border", align_corners=True),
        F.grid_sample(label, grid, mode="nearest", padding_mode="zeros", align_corners=True).to(torch.uint8),
    )


def _grid(
    placements: Sequence[Placement],
    shifts: Sequence[Sequence[float]],
    lengths: Axes,
    patch: Axes,
    generator: torch.Generator,
) -> Tensor:
    """Where each voxel of each patch is sampled in its box, as `grid_sample` wants it: (batch, *patch, axes)."""
    axes = len(patch)
    per_voxel = torch.tensor([2 / max(length - 1, 1) for length in lengths])
    half = torch.tensor([(wide - 1) / 2 for wide in patch])
    matrices = torch.stack([p.matrix if p.matrix is not None else torch.eye(axes) for p in placements])
    signs = torch.tensor([[-1.0 if axis in p.mirrored else 1.0 for axis in range(axes)] for p in placements])
    theta = torch.cat(
        [
            per_voxel[:, None] * matrices * (signs * half)[:, None, :],
            (torch.tensor(shifts) * per_voxel)[:, :, None],
        ],
        dim=2,
    )
    # grid_sample counts the last axis first.
    theta = torch.cat([theta[:, :, :axes].flip(1, 2), theta[:, :, axes:].flip(1)], dim=2)
    grid = F.affine_grid(theta, [len(placements), 1, *patch], align_corners=True)
    bent = [row for row, placement in enumerate(placements) if placement.elastic is not None]
    if bent:
        deviations = torch.tensor([placements[row].elastic for row in bent]) * per_voxel
        coarse = torch.randn(len(bent), axes, *(_CONTROL_POINTS,) * axes, generator=generator)
        coarse = (coarse * deviations.view(len(bent), axes, *(1,) * axes)).flip(1)
        fine = F.interpolate(coarse, size=patch, mode="bilinear" if axes == 2 else "trilinear", align_corners=True)
        grid[bent] += fine.movedim(1, -1)
    return grid


def _reach(placement: Placement, patch: Axes) -> list[float]:
    """How far from its centre a moved patch looks, in voxels per axis."""
    half = torch.tensor([(wide - 1) / 2 for wide in patch])
    spread = half if placement.matrix is None else placement.matrix.abs() @ half
    bend = placement.elastic or (0.0,) * len(patch)
    return [float(reach) + _DEVIATIONS * more for reach, more in zip(spread, bend, strict=True)]


def _box(sample: Sample, start: Sequence[int], lengths: Axes, device: torch.device) -> tuple[Tensor, Tensor]:
    """A box of a case on the device: image (channels, *lengths) and label (1, *lengths)."""
    size = sample.label.shape
    stops = [first + length for first, length in zip(start, lengths, strict=True)]
    inside = tuple(slice(max(first, 0), stop) for first, stop in zip(start, stops, strict=True))
    image, label = sample.image[(slice(None), *inside)].to(device), sample.label[inside][None].to(device)
    margins = [(max(-first, 0), max(stop - full, 0)) for first, stop, full in zip(start, stops, size, strict=True)]
    if any(low or high for low, high in margins):
        padding = [margin for pair in reversed(margins) for margin in pair]
        return F.pad(image[None], padding, mode="replicate")[0], F.pad(label, padding)
    return image, label


def _centre(sample: Sample, patch: Axes, foreground: float, numbers: Iterator[float]) -> tuple[float, ...]:
    """The patch's middle: a foreground voxel, or anywhere so that the patch stays inside the image."""
    size = sample.label.shape
    if next(numbers) < foreground and sample.foreground:
        voxels = sample.foreground[int(next(numbers) * len(sample.foreground))]
        middle = voxels[int(next(numbers) * len(voxels))].tolist()
    else:
        middle = [next(numbers) * (length - 1) for length in size]
    bounds = [((wide - 1) / 2, length - 1 - (wide - 1) / 2) for wide, length in zip(patch, size, strict=True)]
    return tuple(
        min(max(at, low), high) if low <= high else (length - 1) / 2
        for at, (low, high), length in zip(middle, bounds, size, strict=True)
    )


def _planes(axes: int) -> list[tuple[int, int]]:
    return list(combinations(range(axes), 2))


def _turned_and_scaled(spacing: tuple[float, ...], turns: Sequence[float], scale: float) -> Tensor:
    """A rotation about each axis and a scaling in millimetres, as a matrix between voxel offsets."""
    axes = len(spacing)
    matrix = torch.eye(axes) * scale
    for (first, second), angle in zip(_planes(axes), turns, strict=True):
        turn = torch.eye(axes)
        turn[first, first] = turn[second, second] = math.cos(angle)
        turn[first, second], turn[second, first] = -math.sin(angle), math.sin(angle)
        matrix = matrix @ turn
    size = torch.tensor(spacing)
    return matrix * size[None, :] / size[:, None]
