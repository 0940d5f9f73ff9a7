"""What is kept of a case once its volume is let go: a few hundred numbers."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import numpy as np
import numpy.typing as npt

from nas.data.dataset import Palette, Volume
from nas.data.labelled import IGNORED
from nas.data.notes import Note
from nas.data.placement import box_of

SAMPLED = 10_000
"""Foreground voxels of a case whose intensities stand for it in the statistics over all cases."""
_MARGIN = 5
_CHUNK = 1 << 22
"""Voxels that are looked at at a time, since indices of voxels take eight times the label's memory."""


@dataclass(frozen=True, eq=False)
class Observation:
    """One case in numbers; shape and spacing along right, anterior, superior.

    measured and oriented: whether the files say spacing and orientation. voxels: of each class. ignored: voxels without
    one. intensities: (channels, 4), minimum, maximum, mean, deviation. foreground: intensities of some foreground
    voxels, (channels, count). explained: how much of the variance of the intensities around the structures the label
    explains, 0 to 1 (NaN without any), in the channel where it is most.
    """

    name: str
    shape: tuple[int, ...]
    spacing: tuple[float, ...]
    orientation: str
    measured: bool
    oriented: bool
    content: float
    voxels: npt.NDArray[np.int64]
    ignored: int
    intensities: npt.NDArray[np.float64]
    foreground: npt.NDArray[np.float32]
    explained: float
    image_digest: str
    label_digest: str  # of class indices, so that it changes when label values are declared otherwise
    notes: tuple[Note, ...]
    palette: Palette | None


def observe(name: str, volume: Volume, classes: int) -> Observation:
    """The numbers of one case."""
    turned = volume.geometry.orientation
    counts = _counts(volume.label)
    inside = int(counts[1:IGNORED].sum())
    box = box_of(_content(volume.image))
    return Observation(
        name=name,
        shape=turned.sort(volume.label.shape),
        spacing=turned.sort(volume.geometry.spacing),
        orientation=turned.code,
        measured=volume.geometry.measured,
        oriented=volume.geometry.oriented and bool(turned.code),
        content=prod(stop - start for start, stop in box) / volume.label.size,
        voxels=counts[:classes],
        ignored=int(counts[IGNORED]),
        intensities=np.array([_statistics(channel) for channel in volume.image]),
        foreground=volume.image.reshape(len(volume.image), -1)[:, _sampled(volume.label, inside)],
        explained=_explained(volume) if inside else float("nan"),
        image_digest=hashlib.sha256(volume.image.data).hexdigest(),
        label_digest=hashlib.sha256(volume.label.data).hexdigest(),
        notes=volume.notes,
        palette=volume.palette,
    )


def _content(image: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Where a channel is not 0, one channel at a time."""
    content: npt.NDArray[np.bool_] = image[0] != 0
    for channel in image[1:]:
        content |= channel != 0
    return content


def _counts(label: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Voxels of each value."""
    counts = np.zeros(256, np.int64)
    for _, chunk in _chunks(label):
        counts += np.bincount(chunk, minlength=256)
    return counts


def _sampled(label: npt.NDArray[np.uint8], inside: int) -> npt.NDArray[np.int64]:
    """The places of foreground voxels that are evenly spread over all `inside` of them."""
    step = max(-(-inside // SAMPLED), 1)
    passed, places = 0, [np.empty(0, np.int64)]
    for start, chunk in _chunks(label):
        foreground = np.flatnonzero((chunk > 0) & (chunk < IGNORED))
        places.append(start + foreground[-passed % step :: step])
        passed += len(foreground)
    return np.concatenate(places)


def _chunks(label: npt.NDArray[np.uint8]) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
    flat = label.reshape(-1)
    return ((start, flat[start : start + _CHUNK]) for start in range(0, flat.size, _CHUNK))


def _statistics(channel: npt.NDArray[np.float32]) -> tuple[float, float, float, float]:
    mean = channel.mean(dtype=np.float64)
    squares = sum(float(np.square(slab - mean, dtype=np.float64).sum()) for slab in channel)
    return float(channel.min()), float(channel.max()), float(mean), float(np.sqrt(squares / channel.size))


def _explained(volume: Volume) -> float:
    structures = (volume.label > 0) & (volume.label < IGNORED)
    places = [np.flatnonzero(structures.any(axis=_others(axis, structures.ndim))) for axis in range(structures.ndim)]
    near = tuple(slice(max(int(at[0]) - _MARGIN, 0), int(at[-1]) + _MARGIN + 1) for at in places)
    return max(_share(channel[near], volume.label[near]) for channel in volume.image)


def _share(intensities: npt.NDArray[np.float32], label: npt.NDArray[np.uint8]) -> float:
    """The share of the variance of known voxels that lies between classes, slab by slab."""
    if intensities.min() == intensities.max():
        return 0.0
    counts, sums, squares = np.zeros(256, np.int64), np.zeros(256), 0.0
    shift = float(intensities.mean(dtype=np.float64))  # near their mean, squares of numbers keep their digits
    for slab, classes in zip(intensities, label, strict=True):
        known = classes != IGNORED
        values, indices = slab[known] - np.float64(shift), classes[known]
        counts += np.bincount(indices, minlength=256)
        sums += np.bincount(indices, weights=values, minlength=256)
        squares += float(values @ values)
    present = counts > 0
    count, total = counts.sum(), sums.sum()
    variance = squares / count - (total / count) ** 2
    between = np.sum(sums[present] ** 2 / counts[present]) / count - (total / count) ** 2
    return float(between / variance) if variance > 0 else 0.0


def _others(axis: int, axes: int) -> tuple[int, ...]:
    return tuple(other for other in range(axes) if other != axis)
