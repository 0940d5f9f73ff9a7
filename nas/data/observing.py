"""What is kept of a case once its volume is let go: a few hundred numbers."""

import hashlib
from dataclasses import dataclass
from math import prod

import numpy as np
import numpy.typing as npt

from nas.data.dataset import IGNORED, Volume
from nas.data.placement import box_of

SAMPLED = 10_000
"""Foreground voxels of a case whose intensities stand for it in the statistics over all cases."""
_MARGIN = 5


@dataclass(frozen=True, eq=False)
class Observation:
    """One case in numbers; shape and spacing along right, anterior, superior.

    voxels: of each class. ignored: voxels without one. intensities: (channels, 4), minimum, maximum, mean, deviation.
    foreground: intensities of some foreground voxels, (channels, count). explained: how much of the variance of the
    intensities around the structures the label explains, 0 to 1 (NaN without any), in the channel where it is most.
    """

    name: str
    shape: tuple[int, ...]
    spacing: tuple[float, ...]
    orientation: str
    content: float
    voxels: npt.NDArray[np.int64]
    ignored: int
    intensities: npt.NDArray[np.float64]
    foreground: npt.NDArray[np.float32]
    explained: float
    image_digest: str
    label_digest: str  # of class indices, so that it changes when label values are declared otherwise


def observe(name: str, volume: Volume, classes: int) -> Observation:
    """The numbers of one case."""
    turned = volume.geometry.orientation
    counts = _counts(volume.label)
    inside = np.flatnonzero((volume.label > 0) & (volume.label < IGNORED))
    sampled = inside[:: max(-(-len(inside) // SAMPLED), 1)]
    box = box_of((volume.image != 0).any(axis=0))
    return Observation(
        name=name,
        shape=turned.sort(volume.label.shape),
        spacing=turned.sort(volume.geometry.spacing),
        orientation=turned.code,
        content=prod(stop - start for start, stop in box) / volume.label.size,
        voxels=counts[:classes],
        ignored=int(counts[IGNORED]),
        intensities=np.array([_statistics(channel) for channel in volume.image]),
        foreground=volume.image.reshape(len(volume.image), -1)[:, sampled],
        explained=_explained(volume) if len(inside) else float("nan"),
        image_digest=hashlib.sha256(volume.image.data).hexdigest(),
        label_digest=hashlib.sha256(volume.label.data).hexdigest(),
    )


def _counts(label: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Voxels of each value, slab by slab, because counting turns every byte into eight."""
    counts = np.zeros(256, np.int64)
    for slab in label:
        counts += np.bincount(slab.ravel(), minlength=256)
    return counts


def _statistics(channel: npt.NDArray[np.float32]) -> tuple[float, float, float, float]:
    mean = channel.mean(dtype=np.float64)
    squares = sum(float(np.square(slab - mean, dtype=np.float64).sum()) for slab in channel)
    return float(channel.min()), float(channel.max()), float(mean), float(np.sqrt(squares / channel.size))


def _explained(volume: Volume) -> float:
    known = volume.label != IGNORED
    places = [np.flatnonzero((volume.label * known).any(axis=_others(axis, known.ndim))) for axis in range(known.ndim)]
    near = tuple(slice(max(int(at[0]) - _MARGIN, 0), int(at[-1]) + _MARGIN + 1) for at in places)
    label, known = volume.label[near], known[near]
    label = label[known]
    return max(_share(channel[near][known], label) for channel in volume.image)


def _share(intensities: npt.NDArray[np.float32], label: npt.NDArray[np.uint8]) -> float:
    variance, mean = float(intensities.var(dtype=np.float64)), float(intensities.mean(dtype=np.float64))
    if not variance:
        return 0.0
    counts = np.bincount(label)
    sums = np.bincount(label, weights=intensities)
    present = counts > 0
    between = np.sum(counts[present] * (sums[present] / counts[present] - mean) ** 2) / len(label)
    return float(between / variance)


def _others(axis: int, axes: int) -> tuple[int, ...]:
    return tuple(other for other in range(axes) if other != axis)
