"""From files to a validated case: what every reader of a layout builds on."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nas.data import files
from nas.data.dataset import Case, Dataset, Volume
from nas.data.files import StoredImage
from nas.data.images import grid_problems, image_problems, joined
from nas.data.labels import Labels
from nas.data.problems import refuse
from nas.data.splits import Split
from nas.errors import InputError

TOLERANCE = 1e-3  # between a float label and its whole number


def dataset_of_files(
    *,
    name: str,
    folder: Path,
    channels: tuple[str, ...],
    labels: Labels,
    cases: Sequence[Case],
    splits: tuple[Split, ...] = (),
) -> Dataset:
    """A data set whose cases are files; the first label decides between 2D and 3D.

    InputError for missing files, for a name that occurs twice and for fewer than two cases.
    """
    if len(cases) < 2:
        raise InputError(
            f"{folder}: labelled cases: found {len(cases)}; expected at least 2, to train on and to validate"
        )
    refuse(_listing_problems(cases))
    ordered = tuple(sorted(cases, key=lambda case: case.name))
    axes = files.axes(_label(ordered[0]))
    return Dataset(
        name=name,
        folder=folder,
        axes=axes,
        channels=channels,
        classes=labels.classes,
        cases=ordered,
        loader=FileLoader(axes, channels, labels),
        regions=labels.regions,
        splits=splits,
    )


@dataclass(frozen=True)
class FileLoader:
    """Loads a case from its files, and refuses it where they are not one labelled image of the data set."""

    axes: int
    channels: tuple[str, ...]
    labels: Labels

    def __call__(self, case: Case) -> Volume:
        """The case as a volume; InputError lists everything that is wrong with it, a line each."""
        try:
            return self._load(case)
        except MemoryError as error:
            raise InputError(
                f"{case.images[0]}: case {case.name} does not fit in memory; crop or resample it, or use a machine "
                "with more memory, or fewer processes at a time"
            ) from error

    def _load(self, case: Case) -> Volume:
        stored = {path: files.read_image(path) for path in case.images}
        label_path = _label(case)
        label = files.read_label(label_path)
        refuse(self._problems(stored, label_path, label))
        image = joined(stored)
        return Volume(image.voxels, np.ascontiguousarray(self.labels.indices(label.voxels[0])), image.geometry)

    def _problems(self, stored: dict[Path, StoredImage], label_path: Path, label: StoredImage) -> Iterator[str]:
        yield from image_problems(stored, self.axes, self.channels)
        if len(label.voxels) != 1:
            yield (
                f"{label_path}: channels: found {len(label.voxels)}; expected one, with a class's value in every voxel"
            )
        yield from grid_problems(*next(iter(stored.items())), label_path, label)
        yield from _label_problems(label_path, label, self.labels)


def _label(case: Case) -> Path:
    assert case.label is not None, "a case on disk has a label file"
    return case.label


def _listing_problems(cases: Sequence[Case]) -> Iterator[str]:
    for name, times in Counter(case.name for case in cases).items():
        if times > 1:
            yield f"case {name}: listed {times} times; expected every case once"
    for case in cases:
        for what, path in [*(("image", path) for path in case.images), ("label", _label(case))]:
            if not path.is_file():
                yield f"{path}: the {what} of case {case.name} is missing; add it, or take the case out"


def _label_problems(path: Path, label: StoredImage, labels: Labels) -> Iterator[str]:
    values = np.unique(label.voxels)
    finite = np.isfinite(values)
    if not finite.all():
        yield f"{path}: label values that are NaN or infinite; expected the class of every voxel"
    values = values[finite].astype(np.float64)
    whole = np.abs(values - np.rint(values)) <= TOLERANCE
    if not whole.all():
        yield f"{path}: fractional label values {_some(values[~whole])}; resample labels with nearest neighbours"
    undeclared = np.setdiff1d(np.rint(values[whole]), labels.declared)
    if undeclared.size:
        declared = _some(np.array(sorted(labels.declared), dtype=np.float64))
        yield f"{path}: undeclared label values {_some(undeclared)}; expected {declared}, or declare them as classes"


def _some(values: npt.NDArray[Any]) -> str:
    """The first few of many values."""
    return ", ".join(f"{value:g}" for value in values[:5]) + (", ..." if len(values) > 5 else "")
