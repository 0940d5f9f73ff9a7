"""One image made ready for a network: turned, cropped, normalised, resampled. No files, no settings to look up.

The steps are few lines on NumPy, SciPy and nibabel, and are tested to give MONAI's results. MONAI itself would bring
torch into each of the processes that share this work, which takes longer to start and more memory than all else here.
"""

from dataclasses import dataclass
from math import prod

import numpy as np
import numpy.typing as npt

from nas.data.dataset import Volume
from nas.data.geometry import Geometry
from nas.data.labelled import IGNORED
from nas.data.memory import gibibytes, memory_limit
from nas.data.normalisation import normalise
from nas.data.placement import Placement, box_of
from nas.data.preprocessing import Normalisation, Preprocessing, matches
from nas.data.resampling import coarse_axis, resample_image
from nas.data.spacings import in_words
from nas.errors import InputError

REMEMBERED = 5_000
"""Voxels of each class that are listed for drawing patches around them."""


WORKING = 3
"""Arrays of the resampled size that are needed beside the image's channels: the label, and a class's share of it."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """An image as networks see it.

    image: float32, (channels, *size). spacing: of its voxels in mm, along right, anterior, superior. placement: the way
    back to the grid that it came on.
    """

    image: npt.NDArray[np.float32]
    spacing: tuple[float, ...]
    placement: Placement


@dataclass(frozen=True, eq=False)
class PreparedVolume(Prepared):
    """A labelled image as networks see it.

    label: uint8 class indices or IGNORED, (*size). foreground: some voxels of each class that occurs, rows of class
    index and place, int32, (count, 1 + axes), sorted by class.
    """

    label: npt.NDArray[np.uint8]
    foreground: npt.NDArray[np.int32]


def prepare_volume(volume: Volume, settings: Preprocessing) -> PreparedVolume:
    """Turn, crop, normalise and resample one case, its image and its label alike."""
    prepared = prepare_image(volume.image, volume.geometry, settings)
    label = np.ascontiguousarray(prepared.placement.apply(volume.label))
    return PreparedVolume(prepared.image, prepared.spacing, prepared.placement, label, _foreground(label))


def prepare_image(image: npt.NDArray[np.float32], geometry: Geometry, settings: Preprocessing) -> Prepared:
    """Turn, crop, normalise and resample one image, (channels, *spatial), in nnU-Net's order.

    Raises:
        InputError: resampled it would be larger than the memory; known before anything of it is made.
    """
    orientation = geometry.orientation
    original, image = image.shape[1:], orientation.apply(image)
    spacing = orientation.sort(geometry.spacing)
    content = (image != 0).any(axis=0)
    box = box_of(content) if settings.crop else tuple((0, size) for size in content.shape)
    within = tuple(slice(start, stop) for start, stop in box)
    image = _normalised(image[(slice(None), *within)], content[within], settings.channels)
    size = prepared_size(image.shape[1:], spacing, settings.spacing)
    problem = room_problem(len(image), image.shape[1:], spacing, settings.spacing)
    if problem:
        raise InputError(problem)
    # Thick slices before or after: either way what lies between them is unknown.
    coarse = coarse_axis(spacing) if coarse_axis(spacing) is not None else coarse_axis(settings.spacing)
    steps = tuple(
        step if new == old else target
        for step, target, new, old in zip(spacing, settings.spacing, size, image.shape[1:], strict=True)
    )
    resampled = size != image.shape[1:]
    if resampled:
        image = resample_image(image, size, coarse)
    placement = Placement(original, orientation, box, size, tuple(geometry.spacing), coarse if resampled else None)
    return Prepared(np.ascontiguousarray(image), steps, placement)


def room_problem(
    channels: int,
    old: tuple[int, ...],
    spacing: tuple[float, ...],
    target: tuple[float, ...],
    content: float = 1.0,
) -> str | None:
    """Why an image cannot be resampled in this machine's memory, None where it can.

    Args:
        channels: of the image.
        old: its voxels along each axis.
        spacing: of them in mm.
        target: the spacing that it is brought to.
        content: the share of it that is resampled, where the rest is cut away.
    """
    size = prepared_size(old, spacing, target)
    needed = 4 * content * ((channels + WORKING) * prod(size) + channels * prod(old))
    if size == old or needed <= memory_limit():
        return None
    return (
        f"{_times(old)} voxels of {in_words(spacing)} mm become {_times(size)} of {in_words(target)} mm, which takes "
        f"{gibibytes(needed)}, more than this machine's {gibibytes(memory_limit())} of memory; correct the spacing in "
        "its header if it is wrong, else leave the case out"
    )


def _times(sizes: tuple[int, ...]) -> str:
    return " x ".join(map(str, sizes))


def prepared_size(old: tuple[int, ...], spacing: tuple[float, ...], target: tuple[float, ...]) -> tuple[int, ...]:
    """Voxels of the resampled grid; an axis whose spacing is the target's stays as it is."""
    return tuple(
        size if matches(step, wanted) else max(round(size * step / wanted), 1)
        for size, step, wanted in zip(old, spacing, target, strict=True)
    )


def _normalised(
    image: npt.NDArray[np.float32], content: npt.NDArray[np.bool_], channels: tuple[Normalisation, ...]
) -> npt.NDArray[np.float32]:
    from scipy.ndimage import binary_fill_holes

    inside = binary_fill_holes(content) if any(channel.inside for channel in channels) else None
    return np.stack([_normalised_channel(*pair, inside) for pair in zip(image, channels, strict=True)])


def _normalised_channel(
    image: npt.NDArray[np.float32], how: Normalisation, inside: npt.NDArray[np.bool_] | None
) -> npt.NDArray[np.float32]:
    if how.low is not None:
        clipped = np.clip(image, how.low, how.high)
        return np.asarray((clipped - how.mean) / how.deviation, dtype=np.float32)
    if not how.inside or inside is None or not inside.any():
        (normalised,) = normalise(image[None])
        return np.asarray(normalised)
    filled = np.zeros(image.shape, np.float32)
    filled[inside] = normalise(image[inside][None])[0]
    return filled


def _foreground(label: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32]:
    """Some voxels of each class but the background, spread evenly over it."""
    lists = [np.empty((0, 1 + label.ndim), np.int32)]
    for index in np.unique(label):
        if index not in (0, IGNORED):
            places = np.flatnonzero(label == index)
            places = places[:: -(-len(places) // REMEMBERED)]
            voxels = np.stack(np.unravel_index(places, label.shape), axis=1)
            lists.append(np.insert(voxels, 0, index, axis=1).astype(np.int32))
    return np.concatenate(lists)
