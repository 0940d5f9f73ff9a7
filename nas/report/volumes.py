"""A case as a small volume to turn and scroll: what lies around its structures, coarse enough to be mailed."""

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from nas.data.dataset import Volume

SIDE = 96
"""Voxels of a volume's longest side at most."""
VOXELS = 300_000
"""Of a volume at most: three of them, packed, are a megabyte of the page."""
_GREYS = 64
"""Grey values; more are not told apart, and pack worse."""
_LABEL = 1002
"""NIfTI's intent code of an image of classes."""

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class CaseVolume:
    """Packed NIfTI files of an image, and of what each one who outlined it saw.

    oriented: whether it is known how the image lies in the patient.
    """

    image: bytes
    labels: tuple[tuple[str, bytes], ...]
    oriented: bool


def case_volume(volume: "Volume", seen: Mapping[str, npt.NDArray[np.uint8]], window: tuple[float, float]) -> CaseVolume:
    """The first channel of a volume and what was seen in it, by whom; the intensities of the window are shown."""
    from nas.data.labelled import IGNORED

    labels = {name: np.where(label == IGNORED, 0, label).astype(np.uint8) for name, label in seen.items()}
    box = _box(np.any([label > 0 for label in labels.values()], axis=0))
    sizes = [place.stop - place.start for place in box]
    steps = coarsening(sizes, volume.geometry.spacing)
    affine = _affine(volume, [place.start for place in box], steps)
    image = _grey(_averaged(volume.image[0][box], steps), window)
    return CaseVolume(
        _packed(image, affine),
        tuple((name, _packed(_thinned(label[box], steps), affine, _LABEL)) for name, label in labels.items()),
        volume.geometry.oriented and volume.geometry.affine is not None,
    )


def coarsening(sizes: Sequence[int], spacing: Sequence[float]) -> list[int]:
    """How many voxels along each axis become one: the finest axes are made coarser until the volume is small."""
    steps = [1] * len(sizes)
    while True:
        counts = [-(-size // step) for size, step in zip(sizes, steps, strict=True)]
        axes = [axis for axis, count in enumerate(counts) if count > SIDE]
        if not axes and np.prod(counts) <= VOXELS:
            return steps
        candidates = axes or [axis for axis, count in enumerate(counts) if count > 1]
        steps[min(candidates, key=lambda axis: (spacing[axis] * steps[axis], -counts[axis]))] += 1


def _box(inside: npt.NDArray[np.bool_]) -> tuple[slice, ...]:
    """What lies around the structures, and a quarter more on each side; all where there are none."""
    places = []
    for axis, size in enumerate(inside.shape):
        at = np.flatnonzero(inside.any(axis=tuple(other for other in range(inside.ndim) if other != axis)))
        if not len(at):
            return tuple(slice(0, size) for size in inside.shape)
        low, high = int(at[0]), int(at[-1]) + 1
        more = max((high - low) // 4, 4)
        places.append(slice(max(low - more, 0), min(high + more, size)))
    return tuple(places)


def _averaged(image: Array, steps: Sequence[int]) -> Array:
    for axis, step in enumerate(steps):
        starts = np.arange(0, image.shape[axis], step)
        counts = np.diff(np.append(starts, image.shape[axis]))
        shape = [-1 if other == axis else 1 for other in range(image.ndim)]
        image = np.add.reduceat(image, starts, axis) / counts.reshape(shape)
    return image


def _thinned(label: Array, steps: Sequence[int]) -> Array:
    """The class in the middle of what becomes one voxel."""
    for axis, step in enumerate(steps):
        starts = np.arange(0, label.shape[axis], step)
        label = label.take(np.minimum(starts + step // 2, label.shape[axis] - 1), axis)
    return label


def _grey(image: Array, window: tuple[float, float]) -> npt.NDArray[np.uint8]:
    low, high = window
    shares = np.clip((image - low) / max(high - low, 1e-12), 0, 1)
    return np.asarray(np.round(shares * (_GREYS - 1)) * (255 // (_GREYS - 1)), np.uint8)


def _affine(volume: "Volume", starts: Sequence[int], steps: Sequence[int]) -> npt.NDArray[np.float64]:
    geometry = volume.geometry
    before = np.diag([*geometry.spacing, 1.0]) if geometry.affine is None else geometry.affine
    cut = np.diag([*map(float, steps), 1.0])
    cut[:3, 3] = [start + (step - 1) / 2 for start, step in zip(starts, steps, strict=True)]
    return np.asarray(before @ cut, np.float64)


def _packed(voxels: Array, affine: npt.NDArray[np.float64], intent: int = 0) -> bytes:
    import nibabel

    image: Any = nibabel.nifti1.Nifti1Image(voxels, affine, dtype=np.uint8)
    image.header.set_intent(intent, allow_unknown=True)
    return gzip.compress(image.to_bytes(), mtime=0)
