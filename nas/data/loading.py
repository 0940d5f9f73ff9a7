"""From files to a validated case: what every reader of a layout builds on."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from nas.data import files
from nas.data.dataset import Case, Dataset, LeftOut, Volume
from nas.data.files import StoredImage
from nas.data.geometry import Geometry
from nas.data.images import geometry_of, grid_problems, image_problems, joined, read_files, spacing_notes
from nas.data.labels import Labels
from nas.data.listing import dead_link
from nas.data.merging import read_label
from nas.data.problems import refuse
from nas.data.splits import Split
from nas.data.values import some, values_of
from nas.errors import InputError

SLICES = {".nii", ".nii.gz"}
"""Kinds of files whose pictures may be volumes of one slice."""
TOLERANCE = 1e-3  # between a float label and its whole number


def dataset_of_files(
    *,
    name: str,
    folder: Path,
    channels: tuple[str, ...],
    labels: Labels,
    cases: Sequence[Case],
    splits: tuple[Split, ...] = (),
    split_source: str = "",
    left_out: tuple[LeftOut, ...] = (),
    warnings: tuple[str, ...] = (),
    spacing: tuple[float, ...] = (),
) -> Dataset:
    """A data set whose cases are files; the first label that is more than one slice decides between 2D and 3D.

    spacing: mm along the axes of files that tell none.


    InputError for missing files, for a name that occurs twice and for fewer than two cases.
    """
    if len(cases) < 2:
        raise InputError(
            f"{folder}: labelled cases: found {len(cases)}; expected at least 2, to train on and to validate"
        )
    refuse(_listing_problems(cases))
    ordered = tuple(sorted(cases, key=lambda case: case.name))
    axes = _axes(ordered)
    if spacing and len(spacing) != axes:
        raise InputError(
            f"{folder}: images of {axes} axes, but a spacing of {len(spacing)}; expected one for each axis"
        )
    return Dataset(
        name=name,
        folder=folder,
        axes=axes,
        channels=channels,
        classes=labels.classes,
        cases=ordered,
        loader=FileLoader(axes, channels, labels, spacing),
        regions=labels.regions,
        splits=splits,
        split_source=split_source,
        left_out=left_out,
        warnings=warnings,
    )


def _axes(cases: Sequence[Case]) -> int:
    """A NIfTI of one slice is a picture among pictures, and a thin volume among volumes."""
    labels = (case.paths[-1] for case in cases)
    first = next(labels)
    if files.axes(first) == 3 or not _may_be_a_slice(first):
        return files.axes(first)
    return max((files.axes(label) for label in labels), default=2)


def _may_be_a_slice(path: Path) -> bool:
    return files.suffix_of(path) in SLICES


@dataclass(frozen=True)
class FileLoader:
    """Loads a case from its files, and refuses it where they are not one labelled image of the data set."""

    axes: int
    channels: tuple[str, ...]
    labels: Labels
    spacing: tuple[float, ...] = ()

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
        stored = read_files(case.images, self.axes)
        first = next(iter(stored.values()))
        label_path, label = read_label(case, first)
        refuse(self._problems(stored, label_path, label))
        image = joined(stored)
        return Volume(
            image.voxels,
            np.ascontiguousarray(self.labels.indices(label.voxels[0])),
            self._placed(geometry_of([*stored.values(), label])),
            (*image.notes, *label.notes, *spacing_notes(first, label, "the label's")),
            label.palette,
        )

    def _placed(self, geometry: Geometry) -> Geometry:
        """With the spacing of the layout where the files tell none."""
        measured = geometry.measured or not self.spacing
        return geometry if measured else replace(geometry, spacing=self.spacing, measured=True)

    def _problems(self, stored: dict[Path, StoredImage], label_path: Path, label: StoredImage) -> Iterator[str]:
        yield from image_problems(stored, self.axes, self.channels)
        if len(label.voxels) != 1:
            yield (
                f"{label_path}: channels: found {len(label.voxels)}; expected one, with a class's value in every voxel"
            )
        yield from grid_problems(*next(iter(stored.items())), label_path, label)
        yield from _label_problems(label_path, label, self.labels)


def _listing_problems(cases: Sequence[Case]) -> Iterator[str]:
    for name, times in Counter(case.name for case in cases).items():
        if times > 1:
            yield f"case {name}: listed {times} times; expected every case once"
    for case in cases:
        for path in case.paths:
            if not path.exists():
                what = "image" if path in case.images else "label"
                missing = f"{path}: the {what} of case {case.name} is missing; add it, or take the case out"
                yield next(dead_link(path), missing)


def _label_problems(path: Path, label: StoredImage, labels: Labels) -> Iterator[str]:
    values = values_of(label.voxels).astype(np.float64)
    finite = np.isfinite(values)
    if not finite.all():
        yield f"{path}: label values that are NaN or infinite; expected the class of every voxel"
    values = values[finite]
    whole = np.abs(values - np.rint(values)) <= TOLERANCE
    if not whole.all():
        yield f"{path}: fractional label values {some(values[~whole])}; resample labels with nearest neighbours"
    undeclared = np.setdiff1d(np.rint(values[whole]), labels.declared)
    if undeclared.size:
        declared = some(np.array(sorted(labels.declared), dtype=np.float64))
        yield f"{path}: undeclared label values {some(undeclared)}; expected {declared}, or declare them as classes"
