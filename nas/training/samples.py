"""Cases as training takes them: tensors on the device, or mapped from a file and read patch by patch."""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from nas.data import PreparedCase, numbers_around


@dataclass(frozen=True)
class Slicing:
    """How a network of two axes sees a volume: across `axis`, with `neighbours` slices on each side as channels."""

    axis: int
    neighbours: int

    def cut(self, image: Tensor, numbers: Iterable[int]) -> Tensor:
        """Some slices of a volume (channels, *size) as images (slices, channels x (2 neighbours + 1), *size)."""
        apart = image.movedim(1 + self.axis, 0)
        around = [numbers_around(number, self.neighbours, len(apart)) for number in numbers]
        return apart[torch.tensor(around)].flatten(1, 2)


@dataclass(frozen=True)
class Sample:
    """A case ready for training.

    `image` is normalised, (channels, *size), `label` holds class indices and 255 for ignored voxels, (*size), uint8;
    `foreground` lists for each foreground class that occurs some of its voxels, (count, axes), on the CPU. `original`
    knows the way back to the grid that the case was stored on; None where it is that grid already. A `streamed` case
    stays in its file, and its patches are read when they are drawn. A volume with a `slicing` is segmented slice by
    slice.
    """

    name: str
    image: Tensor
    label: Tensor
    spacing: tuple[float, ...]
    foreground: tuple[Tensor, ...]
    original: PreparedCase | None = None
    streamed: bool = False
    slicing: Slicing | None = None

    @property
    def bytes(self) -> int:
        """The size of image and label."""
        return self.image.nbytes + self.label.nbytes


def sample_of(case: PreparedCase, device: torch.device, *, resident: bool = True) -> Sample:
    """A preprocessed case as a sample.

    Args:
        case: read-only arrays are fine; nothing is written to them.
        device: where training runs.
        resident: whether the case is copied there; if not, it stays where it is and patches are read out of it.
    """
    image, label = _tensor(case.image), _tensor(case.label)
    if resident:
        # A copy on the CPU too: a mapped file would be read again whenever its pages were given up.
        image, label = image.clone().to(device), label.clone().to(device)
    foreground = tuple(torch.from_numpy(np.array(voxels, dtype=np.int64)) for voxels in case.foreground if len(voxels))
    return Sample(case.name, image, label, tuple(case.spacing), foreground, case, streamed=not resident)


def samples_of(cases: Iterable[PreparedCase], device: torch.device, room: int) -> tuple[Sample, ...]:
    """Preprocessed cases as samples: on the device as many as fit `room` bytes in all, streamed the others."""
    samples = []
    for case in cases:
        resident = case.image.nbytes + case.label.nbytes <= room
        samples.append(sample_of(case, device, resident=resident))
        room -= samples[-1].bytes if resident else 0
    return tuple(samples)


def _tensor(array: npt.NDArray[Any]) -> Tensor:
    with warnings.catch_warnings():
        # torch warns of read-only arrays, which are read here and never written.
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(array)
