"""Patches for training: cases held in memory, sampled with the foreground in mind, mirrored and gently deformed."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from nas.data import Dataset, normalise
from nas.graph import Axes
from nas.training.recipe import Recipe

_VOXELS_REMEMBERED = 5_000


@dataclass(frozen=True)
class Sample:
    """A case ready for training.

    `image` is normalised, (channels, *size), `label` holds class indices, (*size); `foreground` lists for each
    foreground class that occurs some of its voxels, (count, axes).
    """

    name: str
    image: Tensor
    label: Tensor
    spacing: tuple[float, ...]
    foreground: tuple[Tensor, ...]


def prepare(
    dataset: Dataset, names: Iterable[str], device: torch.device, progress: Callable[[int, int], None] | None = None
) -> tuple[Sample, ...]:
    """Load and normalise the named cases onto a device."""
    wanted = set(names)
    cases = [case for case in dataset.cases if case.name in wanted]
    samples = []
    for index, case in enumerate(cases):
        volume = dataset.load(case)
        image = torch.from_numpy(normalise(volume.image)).to(device)
        label = torch.from_numpy(volume.label).to(device)
        samples.append(Sample(case.name, image, label, volume.spacing, _foreground(label, len(dataset.classes))))
        if progress:
            progress(index + 1, len(cases))
    return tuple(samples)


def _foreground(label: Tensor, classes: int) -> tuple[Tensor, ...]:
    found = []
    for index in range(1, classes):
        voxels = torch.nonzero(label == index).cpu()
        if len(voxels):
            step = max(len(voxels) // _VOXELS_REMEMBERED, 1)
            found.append(voxels[::step].contiguous())
    return tuple(found)


def draw_batch(
    samples: Sequence[Sample], patch: Axes, recipe: Recipe, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """A batch of random patches.

    Returns:
        Images (batch, channels, *patch) and class indices (batch, 1, *patch).
    """
    chosen = torch.randint(len(samples), (recipe.batch,), generator=generator).tolist()
    drawn = [_draw(samples[index], patch, recipe, generator) for index in chosen]
    return torch.stack([image for image, _ in drawn]), torch.stack([label for _, label in drawn])


def _draw(sample: Sample, patch: Axes, recipe: Recipe, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    centre = _centre(sample, patch, recipe.foreground, generator)
    matrix = _deformation(sample.spacing, recipe, generator)
    grid = _grid(patch, centre, matrix, sample.label.shape).to(sample.image.device)
    image = F.grid_sample(sample.image[None], grid, mode="bilinear", padding_mode="border", align_corners=True)[0]
    label = sample.label[None, None].to(image.dtype)
    # Outside the image is background, so that a structure cut by the border does not grow.
    label = F.grid_sample(label, grid, mode="nearest", padding_mode="zeros", align_corners=True)[0]
    if recipe.flips:
        mirrored = [axis for axis in range(1, len(patch) + 1) if _uniform(0, 1, generator) < 0.5]
        image, label = image.flip(mirrored), label.flip(mirrored)
    return image, label


def _centre(sample: Sample, patch: Axes, foreground: float, generator: torch.Generator) -> list[float]:
    """The patch's middle: a foreground voxel, or anywhere so that the patch stays inside the image."""
    size = sample.label.shape
    if sample.foreground and _uniform(0, 1, generator) < foreground:
        voxels = sample.foreground[int(torch.randint(len(sample.foreground), (), generator=generator))]
        middle = voxels[int(torch.randint(len(voxels), (), generator=generator))].tolist()
    else:
        middle = [_uniform(0, length - 1, generator) for length in size]
    bounds = [((wide - 1) / 2, length - 1 - (wide - 1) / 2) for wide, length in zip(patch, size, strict=True)]
    return [
        min(max(at, low), high) if low <= high else (length - 1) / 2
        for at, (low, high), length in zip(middle, bounds, size, strict=True)
    ]


def _deformation(spacing: tuple[float, ...], recipe: Recipe, generator: torch.Generator) -> Tensor:
    """A random rotation and scaling in millimetres, as a matrix between voxel offsets."""
    axes = len(spacing)
    matrix = torch.eye(axes)
    for first in range(axes):
        for second in range(first + 1, axes):
            angle = math.radians(_uniform(-recipe.rotation, recipe.rotation, generator))
            turn = torch.eye(axes)
            turn[first, first] = turn[second, second] = math.cos(angle)
            turn[first, second], turn[second, first] = -math.sin(angle), math.sin(angle)
            matrix = matrix @ turn
    matrix = matrix * (1 + _uniform(-recipe.scaling, recipe.scaling, generator))
    size = torch.tensor(spacing)
    return matrix * size[None, :] / size[:, None]


def _grid(patch: Axes, centre: list[float], matrix: Tensor, size: Sequence[int]) -> Tensor:
    """Where each voxel of a patch is sampled, as `grid_sample` wants it: (1, *patch, axes), last axis first."""
    steps = [torch.arange(wide) - (wide - 1) / 2 for wide in patch]
    offsets = torch.stack(torch.meshgrid(*steps, indexing="ij"), dim=-1)
    positions = offsets @ matrix.T + torch.tensor(centre)
    span = torch.tensor([max(length - 1, 1) for length in size])
    return (positions / span * 2 - 1).flip(-1)[None]


def _uniform(low: float, high: float, generator: torch.Generator) -> float:
    return low + (high - low) * float(torch.rand((), generator=generator))
