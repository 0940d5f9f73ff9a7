"""Read every case once, refuse what cannot be used, and sum up the rest."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nas.data.advice import warnings_of
from nas.data.dataset import Case, Dataset
from nas.data.disagreement import disagreements
from nas.data.fingerprint import (
    CaseSummary,
    ChannelSummary,
    ClassSummary,
    Fingerprint,
    FoldSummary,
    ForegroundIntensities,
    RegionSummary,
)
from nas.data.observing import Observation, observe
from nas.data.parallel import each
from nas.data.preparing import room_problem
from nas.data.preprocessing import plan_preprocessing
from nas.data.problems import refuse
from nas.data.splits import FOLDS
from nas.errors import InputError


def check(
    dataset: Dataset,
    progress: Callable[[int, int], None] | None = None,
    *,
    processes: int = 1,
    threads: int = 1,
) -> Fingerprint:
    """Load every case once and sum the data set up; `progress` is told (cases done, cases in all).

    Each process, or each thread of this one where there is one process, holds one case in memory.

    InputError lists all problems of all cases, a line each: the first 20, then how many more there are.
    """
    observations: list[Observation] = []
    problems: list[str] = []
    for done, outcome in enumerate(each(_Observing(dataset), dataset.cases, processes, threads), start=1):
        if isinstance(outcome, Observation):
            observations.append(outcome)
        else:
            problems += outcome.splitlines()
        if progress:
            progress(done, len(dataset.cases))
    refuse(problems)
    refuse((*_absent_classes(dataset, observations), *disagreements(observations)))
    fingerprint = _fingerprint(dataset, observations)
    refuse(_oversized(fingerprint))
    return fingerprint


@dataclass(frozen=True)
class _Observing:
    """Observes a case of a data set, or tells what is wrong with it."""

    dataset: Dataset

    def __call__(self, case: Case) -> Observation | str:
        try:
            return observe(case.name, self.dataset.load(case), len(self.dataset.classes))
        except InputError as error:
            return str(error)


def _absent_classes(dataset: Dataset, cases: Sequence[Observation]) -> Iterator[str]:
    voxels = np.sum([case.voxels for case in cases], axis=0)
    for name, count in zip(dataset.classes, voxels, strict=True):
        if not count:
            yield (
                f"{dataset.folder or dataset.name}: class '{name}' is declared but occurs in none of the "
                f"{len(cases)} cases; take it out of the declared labels, or add cases that show it"
            )


def _oversized(fingerprint: Fingerprint) -> Iterator[str]:
    """Cases that could not be prepared, found out before any is."""
    settings = plan_preprocessing(fingerprint)
    for case in fingerprint.case_summaries:
        problem = room_problem(len(fingerprint.channels), case.shape, case.spacing, settings.spacing, case.content)
        if problem:
            yield f"case {case.name}: {problem}"


def _fingerprint(dataset: Dataset, cases: Sequence[Observation]) -> Fingerprint:
    shapes = np.array([case.shape for case in cases])
    spacings = np.array([case.spacing for case in cases])
    classes = _class_summaries(dataset, cases)
    ignored = sum(case.ignored for case in cases)
    return Fingerprint(
        name=dataset.name,
        cases=len(cases),
        axes=dataset.axes,
        shape_minimum=_whole(shapes.min(axis=0)),
        shape_median=_whole(np.median(shapes, axis=0)),
        shape_maximum=_whole(shapes.max(axis=0)),
        spacing_minimum=_real(spacings.min(axis=0)),
        spacing_median=_real(np.median(spacings, axis=0)),
        spacing_maximum=_real(spacings.max(axis=0)),
        orientations=dict(sorted(Counter(case.orientation for case in cases if case.oriented).items())),
        channels=tuple(_channel_summary(index, name, cases) for index, name in enumerate(dataset.channels)),
        classes=classes,
        regions=tuple(
            RegionSummary(region.name, tuple(dataset.classes[index] for index in region.classes))
            for region in dataset.regions
        ),
        ignored_fraction=ignored / int(shapes.prod(axis=1).sum()),
        warnings=(*dataset.warnings, *warnings_of(dataset, classes, cases)),
        digest=_digest(dataset, cases),
        case_summaries=tuple(
            CaseSummary(
                case.name,
                case.shape,
                case.spacing,
                case.orientation if case.oriented else "",
                case.content,
                _case_digest(dataset, case),
            )
            for case in cases
        ),
        measured=all(case.measured for case in cases),
        folds=_folds(dataset),
        left_out=dataset.left_out,
    )


def _folds(dataset: Dataset) -> FoldSummary:
    groups = {case.group or case.name for case in dataset.cases}
    count = len(dataset.splits) or min(FOLDS, len(groups))
    splits = [dataset.split(fold) for fold in range(count)] if len(groups) > 1 or dataset.splits else []
    return FoldSummary(
        count=len(splits),
        source=dataset.split_source or "nnU-Net's rule",
        groups=len(groups) if any(case.group for case in dataset.cases) else 0,
        digest=hashlib.sha256(repr(splits).encode()).hexdigest()[:16],
    )


def _whole(numbers: npt.NDArray[Any]) -> tuple[int, ...]:
    return tuple(round(float(number)) for number in numbers)


def _real(numbers: npt.NDArray[Any]) -> tuple[float, ...]:
    return tuple(float(number) for number in numbers)


def _channel_summary(index: int, name: str, cases: Sequence[Observation]) -> ChannelSummary:
    minima, maxima, means, deviations = np.array([case.intensities[index] for case in cases]).T
    inside = np.concatenate([case.foreground[index] for case in cases]).astype(np.float64)
    low, high = np.percentile(inside, (0.5, 99.5))
    return ChannelSummary(
        name=name,
        minimum=float(minima.min()),
        maximum=float(maxima.max()),
        mean=float(np.median(means)),
        deviation=float(np.median(deviations)),
        foreground=ForegroundIntensities(float(low), float(high), float(inside.mean()), float(inside.std())),
    )


def _class_summaries(dataset: Dataset, cases: Sequence[Observation]) -> tuple[ClassSummary, ...]:
    voxels = np.array([case.voxels for case in cases])
    volumes = voxels * np.array([np.prod(case.spacing) for case in cases])[:, None]
    return tuple(
        ClassSummary(
            name=name,
            voxel_fraction=float(voxels[:, index].sum() / voxels.sum()),
            cases=int((voxels[:, index] > 0).sum()),
            volumes=_least_median_most(volumes[voxels[:, index] > 0, index]),
        )
        for index, name in enumerate(dataset.classes)
    )


def _least_median_most(values: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    return float(values.min()), float(np.median(values)), float(values.max())


def _case_digest(dataset: Dataset, case: Observation) -> str:
    if dataset.origin:
        content: tuple[Any, ...] = (dataset.origin, case.name)
    else:
        content = (case.shape, case.spacing, case.orientation, case.image_digest, case.label_digest)
    return hashlib.sha256(repr(content).encode()).hexdigest()[:16]


def _digest(dataset: Dataset, cases: Sequence[Observation]) -> str:
    measured = [(case.shape, case.spacing, case.orientation, case.image_digest, case.label_digest) for case in cases]
    # Another version of a library may make synthetic voxels that differ in the last bit, and are the same data still.
    content = dataset.origin or measured
    names = [case.name for case in cases]
    described = (dataset.channels, dataset.classes, names, content)
    # Only where there are any: the digest of data without regions stays what studies have on record.
    return hashlib.sha256(repr((*described, dataset.regions) if dataset.regions else described).encode()).hexdigest()
