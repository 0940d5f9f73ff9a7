"""From files to a validated case: what every reader of a layout builds on."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nas.data import files
from nas.data.dataset import Case, Dataset, Volume
from nas.data.files import StoredImage
from nas.data.labels import Labels
from nas.data.problems import refuse
from nas.data.splits import Split
from nas.errors import InputError

SMALLEST = 16  # voxels along two axes at least, or no network can halve the image often enough
TOLERANCE = 1e-3  # between affines (mm), and between a float label and its whole number


def dataset_of_files(
    *,
    name: str,
    folder: Path,
    channels: tuple[str, ...],
    labels: Labels,
    cases: Sequence[Case],
    splits: tuple[Split, ...] = (),
    spacing: tuple[float, ...] = (),
) -> Dataset:
    """A data set whose cases are files; the first of them decides between 2D and 3D. spacing: of files that tell none.

    InputError for missing files, for a name that occurs twice and for fewer than two cases.
    """
    if len(cases) < 2:
        raise InputError(
            f"{folder}: labelled cases: found {len(cases)}; expected at least 2, to train on and to validate"
        )
    refuse(_listing_problems(cases))
    ordered = tuple(sorted(cases, key=lambda case: case.name))
    axes = files.axes(ordered[0].paths[-1])
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
    )


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
        images = {path: files.read_image(path) for path in case.images}
        first = next(iter(images.values()))
        label = self._label(case, first)
        label_path = case.label or case.paths[-1]
        refuse(self._problems(images, label_path, label))
        voxels = [image.voxels for image in images.values()]
        return Volume(
            image=np.ascontiguousarray(voxels[0] if len(voxels) == 1 else np.concatenate(voxels)),
            label=np.ascontiguousarray(self.labels.indices(label.voxels[0])),
            spacing=self.spacing if self.spacing and first.affine is None else first.spacing,
            affine=first.affine,
        )

    def _label(self, case: Case, image: StoredImage) -> StoredImage:
        """The label file, or the masks in one label; nothing but background for a case that has neither."""
        if case.label is not None:
            return files.read_label(case.label, image)
        merged = np.zeros((1, *image.shape), np.uint8)
        for mask in case.masks:
            stored = files.read_mask(mask.path, mask.structure, image)
            refuse(_grid_problems(case.images[0], image, mask.path, stored))
            merged[stored.voxels] = mask.value
        return replace(image, voxels=merged)

    def _problems(self, images: dict[Path, StoredImage], label_path: Path, label: StoredImage) -> Iterator[str]:
        yield from _channel_problems(images, self.channels)
        for path, image in images.items():
            yield from _axes_problems(path, image, self.axes)
            yield from _grid_problems(path, image, label_path, label)
            yield from _intensity_problems(path, image)
        yield from _label_problems(label_path, label, self.labels)


def _listing_problems(cases: Sequence[Case]) -> Iterator[str]:
    for name, times in Counter(case.name for case in cases).items():
        if times > 1:
            yield f"case {name}: listed {times} times; expected every case once"
    for case in cases:
        for path in case.paths:
            what = "image" if path in case.images else "label"
            if not path.exists():
                yield f"{path}: the {what} of case {case.name} is missing; add it, or take the case out"


def _channel_problems(images: dict[Path, StoredImage], channels: tuple[str, ...]) -> Iterator[str]:
    found = sum(len(image.voxels) for image in images.values())
    if found != len(channels):
        named = ", ".join(channels)
        yield f"{next(iter(images))}: channels: found {found}; expected the {len(channels)} declared ({named})"


def _axes_problems(path: Path, image: StoredImage, axes: int) -> Iterator[str]:
    if len(image.shape) != axes:
        yield f"{path}: {len(image.shape)}D, but the first case is {axes}D; keep 2D and 3D in separate data sets"
    elif sum(size >= SMALLEST for size in image.shape) < 2:
        yield (
            f"{path}: shape {image.shape} is smaller than the stride of any network; "
            f"expected at least {SMALLEST} voxels along two axes, so crop less or leave the case out"
        )
    if not all(np.isfinite(step) and step > 0 for step in image.spacing):
        yield f"{path}: spacing {image.spacing}; expected millimetres above 0, so correct the header"


def _grid_problems(path: Path, image: StoredImage, label_path: Path, label: StoredImage) -> Iterator[str]:
    if len(label.voxels) != 1:
        yield f"{label_path}: channels: found {len(label.voxels)}; expected one, with a class's value in every voxel"
    if image.shape != label.shape:
        yield f"{label_path}: shape {label.shape}, but {path} has {image.shape}; resample one onto the other"
    if image.affine is None or label.affine is None:
        return
    if not abs(np.linalg.det(image.affine[:3, :3])) > 0:  # also where it is not a number
        yield f"{path}: its affine has an axis without a direction; correct the header"
    difference = float(np.abs(image.affine - label.affine).max())
    if not difference <= TOLERANCE:  # also where it is not a number
        yield (
            f"{label_path}: its affine differs from that of {path} by {difference:.4g}; "
            f"expected at most {TOLERANCE:g}, so resample one onto the other or correct the header"
        )


def _intensity_problems(path: Path, image: StoredImage) -> Iterator[str]:
    broken = image.voxels.size - int(np.isfinite(image.voxels).sum())
    if broken:
        yield f"{path}: {broken} of {image.voxels.size} voxels are NaN or infinite; replace them"


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
