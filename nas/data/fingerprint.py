"""What a data set looks like: read every case once, refuse what cannot be used, and sum up the rest."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nas.data.dataset import Case, Dataset, Volume
from nas.data.problems import refuse
from nas.errors import InputError

RARE_CASES = 5  # as many as there are folds: with fewer, some fold cannot validate the class
RARE_VOXELS = 0.001
SCALES_APART = 100
SPACINGS_APART = 1.1


@dataclass(frozen=True)
class ClassSummary:
    """How often a class occurs: its share of all voxels, and the number of cases it is in."""

    name: str
    voxel_fraction: float
    cases: int


@dataclass(frozen=True)
class ChannelSummary:
    """Intensities as stored: the extremes over all cases, the medians over cases of their mean and deviation."""

    name: str
    minimum: float
    maximum: float
    mean: float
    deviation: float


@dataclass(frozen=True)
class Fingerprint:
    """A data set in numbers. Shapes are in voxels and spacings in mm, along each axis, over the cases.

    digest is the SHA-256 of the cases' names, voxels, spacings and labels, and of the channels and classes: a study can
    tell that it goes on with other data than it began with. Of a synthetic set it covers what the cases are made from.
    """

    name: str
    cases: int
    axes: int
    shape_minimum: tuple[int, ...]
    shape_median: tuple[int, ...]
    shape_maximum: tuple[int, ...]
    spacing_median: tuple[float, ...]
    channels: tuple[ChannelSummary, ...]
    classes: tuple[ClassSummary, ...]
    warnings: tuple[str, ...]
    digest: str

    def to_json(self) -> dict[str, Any]:
        """Everything, as values that JSON has, under the names of the fields."""
        return asdict(self)


def check(dataset: Dataset, progress: Callable[[int, int], None] | None = None) -> Fingerprint:
    """Load every case once and sum the data set up; `progress` is told (cases done, cases in all).

    InputError lists all problems of all cases, a line each: the first 20, then how many more there are.
    """
    notes: list[_Note] = []
    problems: list[str] = []
    for done, case in enumerate(dataset.cases, start=1):
        try:
            notes.append(_note(case, dataset.load(case), len(dataset.classes)))
        except InputError as error:
            problems += str(error).splitlines()
        if progress:
            progress(done, len(dataset.cases))
    refuse(problems)
    refuse(_absent_classes(dataset, notes))
    return _fingerprint(dataset, notes)


@dataclass(frozen=True)
class _Note:
    """What is kept of a case once its volume is let go."""

    name: str
    shape: tuple[int, ...]
    spacing: tuple[float, ...]
    voxels: npt.NDArray[np.int64]  # of each class
    intensities: npt.NDArray[np.float64]  # (channels, 4): minimum, maximum, mean, deviation
    image_digest: str
    label_digest: str  # of class indices, so that it changes when label values are declared otherwise


def _note(case: Case, volume: Volume, classes: int) -> _Note:
    channels = volume.image.reshape(len(volume.image), -1)
    statistics = [(c.min(), c.max(), c.mean(dtype=np.float64), c.std(dtype=np.float64)) for c in channels]
    return _Note(
        name=case.name,
        shape=volume.label.shape,
        spacing=volume.spacing,
        voxels=np.array([np.count_nonzero(volume.label == index) for index in range(classes)]),
        intensities=np.array(statistics, dtype=np.float64),
        image_digest=hashlib.sha256(volume.image.data).hexdigest(),
        label_digest=hashlib.sha256(volume.label.data).hexdigest(),
    )


def _absent_classes(dataset: Dataset, notes: Sequence[_Note]) -> Iterator[str]:
    voxels = np.sum([note.voxels for note in notes], axis=0)
    for name, count in zip(dataset.classes, voxels, strict=True):
        if not count:
            yield (
                f"{dataset.folder or dataset.name}: class '{name}' is declared but occurs in none of the "
                f"{len(notes)} cases; take it out of the labels in dataset.json, or add cases that show it"
            )


def _fingerprint(dataset: Dataset, notes: Sequence[_Note]) -> Fingerprint:
    shapes = np.array([note.shape for note in notes])
    spacings = np.array([note.spacing for note in notes])
    return Fingerprint(
        name=dataset.name,
        cases=len(notes),
        axes=dataset.axes,
        shape_minimum=_whole(shapes.min(axis=0)),
        shape_median=_whole(np.median(shapes, axis=0)),
        shape_maximum=_whole(shapes.max(axis=0)),
        spacing_median=tuple(float(step) for step in np.median(spacings, axis=0)),
        channels=_channel_summaries(dataset, notes),
        classes=_class_summaries(dataset, notes),
        warnings=tuple(_warnings(dataset, notes)),
        digest=_digest(dataset, notes),
    )


def _whole(numbers: npt.NDArray[Any]) -> tuple[int, ...]:
    return tuple(round(float(number)) for number in numbers)


def _channel_summaries(dataset: Dataset, notes: Sequence[_Note]) -> tuple[ChannelSummary, ...]:
    minima, maxima, means, deviations = np.stack([note.intensities for note in notes], axis=-1).transpose(1, 0, 2)
    return tuple(
        ChannelSummary(
            name=name,
            minimum=float(minima[index].min()),
            maximum=float(maxima[index].max()),
            mean=float(np.median(means[index])),
            deviation=float(np.median(deviations[index])),
        )
        for index, name in enumerate(dataset.channels)
    )


def _class_summaries(dataset: Dataset, notes: Sequence[_Note]) -> tuple[ClassSummary, ...]:
    voxels = np.array([note.voxels for note in notes])
    fractions = voxels.sum(axis=0) / voxels.sum()
    cases = (voxels > 0).sum(axis=0)
    return tuple(
        ClassSummary(name, float(fraction), int(count))
        for name, fraction, count in zip(dataset.classes, fractions, cases, strict=True)
    )


def _warnings(dataset: Dataset, notes: Sequence[_Note]) -> Iterator[str]:
    yield from _class_warnings(_class_summaries(dataset, notes), len(notes))
    yield from _spacing_warnings(np.array([note.spacing for note in notes]))
    for index, name in enumerate(dataset.channels):
        yield from _scale_warnings(name, np.array([note.intensities[index, 3] for note in notes]))
    for first, second in _same_images(notes):
        yield f"cases {first} and {second} have the same image: one may train what the other validates"


def _class_warnings(classes: Iterable[ClassSummary], cases: int) -> Iterator[str]:
    for summary in classes:
        if summary.cases < min(RARE_CASES, cases):
            yield f"class '{summary.name}' is in {summary.cases} of {cases} cases: not every fold can validate it"
        if summary.voxel_fraction < RARE_VOXELS:
            share = f"{summary.voxel_fraction:.2g}"
            yield f"class '{summary.name}' is {share} of the voxels: expect its Dice to vary much"


def _spacing_warnings(spacings: npt.NDArray[np.float64]) -> Iterator[str]:
    low, high = spacings.min(axis=0), spacings.max(axis=0)
    if (high > SPACINGS_APART * low).any():
        finest, coarsest = (" x ".join(f"{step:.3g}" for step in steps) for steps in (low, high))
        yield f"the spacing goes from {finest} to {coarsest} mm: a network sees voxels, not millimetres"


def _scale_warnings(channel: str, deviations: npt.NDArray[np.float64]) -> Iterator[str]:
    varied = deviations[deviations > 0]
    constant = len(deviations) - len(varied)
    if constant:
        yield f"channel '{channel}' is constant in {constant} of {len(deviations)} cases: it tells nothing there"
    if len(varied) and varied.max() > SCALES_APART * varied.min():
        ratio = varied.max() / varied.min()
        yield f"the intensities of channel '{channel}' differ {ratio:,.0f}-fold in scale between cases"


def _same_images(notes: Sequence[_Note]) -> Iterator[tuple[str, str]]:
    seen: dict[str, str] = {}
    for note in notes:
        if note.image_digest in seen:
            yield seen[note.image_digest], note.name
        seen.setdefault(note.image_digest, note.name)


def _digest(dataset: Dataset, notes: Sequence[_Note]) -> str:
    measured = [(note.shape, note.spacing, note.image_digest, note.label_digest) for note in notes]
    # Another version of a library may make synthetic voxels that differ in the last bit, and are the same data still.
    content = dataset.origin or measured
    names = [note.name for note in notes]
    return hashlib.sha256(repr((dataset.channels, dataset.classes, names, content)).encode()).hexdigest()
