"""What a data set is: cases with names, and a way to load one of them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Case:
    """One labelled image: a file per channel (or one file with all channels) and a label file.

    A synthetic case has a name and no files.
    """

    name: str
    images: tuple[Path, ...] = ()
    label: Path | None = None


@dataclass(frozen=True, eq=False)
class Volume:
    """A loaded case, its arrays contiguous in memory.

    image: float32 intensities as stored, (channels, *spatial), all finite.
    label: uint8 class indices, (*spatial), 0 is background.
    spacing: the size of a voxel along each spatial axis in mm; 1 where the format stores none (PNG).
    """

    image: npt.NDArray[np.float32]
    label: npt.NDArray[np.uint8]
    spacing: tuple[float, ...]


@dataclass(frozen=True)
class Dataset:
    """Labelled cases of one segmentation task, sorted by name.

    axes is 2 or 3. classes[0] is the background. `loader` reads and validates one case. `origin` says what a synthetic
    set is made from (it has no files to tell), and is empty for data on disk.
    """

    name: str
    folder: Path | None
    axes: int
    channels: tuple[str, ...]
    classes: tuple[str, ...]
    cases: tuple[Case, ...]
    loader: Callable[[Case], Volume] = field(repr=False, compare=False)
    origin: str = ""

    @property
    def synthetic(self) -> bool:
        """Whether the cases are made by a program rather than measured."""
        return bool(self.origin)

    def load(self, case: Case) -> Volume:
        """Read and validate one case; InputError says what is wrong with it."""
        return self.loader(case)
