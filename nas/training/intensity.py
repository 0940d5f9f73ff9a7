"""Changes of intensity, each over those patches of a batch that drew it: images (count, channels, *size)."""

import math
from collections.abc import Callable, Iterator, Sequence

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from nas.training.augmentation import Augmentation

Change = Callable[[Tensor, Tensor, torch.Generator], Tensor]
"""From images, a size of change for each, (count,) from 0 to 1 times the strength, and a generator on their device."""

_NOISE = 0.1
_BLUR = 1.0
_BRIGHTNESS = 1.3
_CONTRAST = 1.5
_GAMMA = 1.5
_LARGEST_BOX = 1 / 3


def numbers_needed() -> int:
    """How many random numbers the changes of one patch take."""
    return 2 * len(_CHANGES)


def change(
    images: Tensor, augmentation: Augmentation, numbers: Sequence[Iterator[float]], generator: torch.Generator
) -> Tensor:
    """Change a batch in place, each patch by chance, and return it.

    Args:
        images: (batch, channels, *size).
        augmentation: probabilities and strength.
        numbers: for each patch uniform numbers from 0 to 1, `numbers_needed` of them.
        generator: on the images' device.
    """
    for name, apply in _CHANGES.items():
        drawn = [(next(row), next(row)) for row in numbers]
        share = getattr(augmentation, name) if augmentation.strength > 0 else 0.0
        rows = [row for row, (chance, _) in enumerate(drawn) if chance < share]
        if rows:
            sizes = torch.tensor([drawn[row][1] * augmentation.strength for row in rows], device=images.device)
            images[rows] = apply(images[rows], sizes, generator)
    return images


def add_noise(images: Tensor, sizes: Tensor, generator: torch.Generator) -> Tensor:
    """Gaussian noise of a deviation of up to a tenth."""
    noise = torch.randn(images.shape, generator=generator, device=images.device)
    return noise.mul_(_wide(_NOISE * sizes, images)).add_(images)


def blur(images: Tensor, sizes: Tensor, generator: torch.Generator) -> Tensor:
    """A Gaussian of a deviation of up to a voxel, axis by axis: a weighted sum of shifted images."""
    deviations = (_BLUR * sizes).clamp(min=0.1)
    radius = max(math.ceil(2 * float(deviations.max())), 1)
    offsets = torch.arange(-radius, radius + 1, device=images.device)
    weights = torch.exp(-0.5 * (offsets[None] / deviations[:, None]) ** 2)
    weights = weights / weights.sum(1, keepdim=True)
    for axis in range(2, images.ndim):
        length = images.shape[axis]
        blurred = torch.zeros_like(images)
        padded = _extended(images, axis, radius)
        for index in range(2 * radius + 1):
            blurred.addcmul_(padded.narrow(axis, index, length), _wide(weights[:, index], images))
        images = blurred
    return images


def brighten(images: Tensor, sizes: Tensor, generator: torch.Generator) -> Tensor:
    """All values times one factor."""
    return images * _wide(_factor(_BRIGHTNESS, sizes, generator), images)


def stretch(images: Tensor, sizes: Tensor, generator: torch.Generator) -> Tensor:
    """Values stretched about the mean of each channel, within their range."""
    low, high = _range(images)
    mean = images.mean(dim=_inner(images), keepdim=True)
    stretched = torch.lerp(mean, images, _wide(_factor(_CONTRAST, sizes, generator), images))
    return torch.minimum(torch.maximum(stretched, low), high)


def bend(images: Tensor, sizes: Tensor, generator: torch.Generator) -> Tensor:
    """Values raised to a power within the range of each channel (gamma)."""
    low, high = _range(images)
    span = (high - low).clamp(min=1e-6)
    power = _wide(_factor(_GAMMA, sizes, generator), images)
    return ((images - low) / span).clamp(0, 1).pow(power) * span + low


def coarsen(images: Tensor, sizes: Tensor, generator: torch.Generator) -> Tensor:
    """Down to a lower resolution by nearest neighbours and back by linear interpolation."""
    factor = 1 / (1 + float(sizes[0].clamp(max=3)))
    size = images.shape[2:]
    small = F.interpolate(images, [max(round(length * factor), 1) for length in size], mode="nearest-exact")
    return F.interpolate(small, size, mode="bilinear" if len(size) == 2 else "trilinear")


def cut_out(images: Tensor, sizes: Tensor, generator: torch.Generator) -> Tensor:
    """One box of each image set to the mean of each channel."""
    count = len(images)
    inside = torch.ones((count, 1) + (1,) * (images.ndim - 2), dtype=torch.bool, device=images.device)
    for axis in range(2, images.ndim):
        length = images.shape[axis]
        width = (sizes.clamp(max=1) * _LARGEST_BOX * length).ceil()
        start = (torch.rand(count, generator=generator, device=images.device) * (length - width + 1)).floor()
        place = torch.arange(length, device=images.device)
        along = (place >= start[:, None]) & (place < (start + width)[:, None])
        inside = inside & along.view(count, *(length if a == axis else 1 for a in range(1, images.ndim)))
    return torch.where(inside, images.mean(dim=_inner(images), keepdim=True), images)


_CHANGES: dict[str, Change] = {
    "noise": add_noise,
    "blur": blur,
    "brightness": brighten,
    "contrast": stretch,
    "low_resolution": coarsen,
    "gamma": bend,
    "cutout": cut_out,
}
"""By the field of `Augmentation` that holds their probability, in the order they are made."""


def _factor(largest: float, sizes: Tensor, generator: torch.Generator) -> Tensor:
    """Factors between 1 / largest and largest, as far from 1 as the sizes say, up or down by chance."""
    up = torch.rand(len(sizes), generator=generator, device=sizes.device) < 0.5
    power = largest**sizes
    return torch.where(up, power, 1 / power)


def _wide(values: Tensor, images: Tensor) -> Tensor:
    """One value per image, shaped to be combined with the images."""
    return values.view(-1, *(1,) * (images.ndim - 1))


def _inner(images: Tensor) -> tuple[int, ...]:
    return tuple(range(2, images.ndim))


def _range(images: Tensor) -> tuple[Tensor, Tensor]:
    low, high = torch.aminmax(images.flatten(2), dim=2)
    shape = (*images.shape[:2], *(1,) * (images.ndim - 2))
    return low.view(shape), high.view(shape)


def _extended(images: Tensor, axis: int, radius: int) -> Tensor:
    """The images with their border repeated `radius` times at both ends of an axis."""
    first, last = images.narrow(axis, 0, 1), images.narrow(axis, images.shape[axis] - 1, 1)
    return torch.cat([*[first] * radius, images, *[last] * radius], dim=axis)
