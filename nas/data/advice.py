"""What a person should know about a data set before training on it, in sentences."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from nas.data.fingerprint import ClassSummary
from nas.data.observing import Observation

RARE_CASES = 5  # as many as there are folds: with fewer, some fold cannot validate the class
RARE_VOXELS = 0.001
SCALES_APART = 100
SPACINGS_APART = 1.1
UNLIKE_SHARE, UNLIKE_DEVIATIONS = 0.25, 4.0
MOST_NAMED = 5


def warnings_of(
    channels: Sequence[str], classes: Sequence[ClassSummary], cases: Sequence[Observation]
) -> Iterator[str]:
    """The sentences, the gravest kinds first."""
    yield from _unlike_labels(cases)
    for first, second in _same(cases, lambda case: case.image_digest):
        yield f"cases {first} and {second} have the same image: one may train what the other validates"
    for first, second in _same([case for case in cases if case.voxels[1:].any()], lambda case: case.label_digest):
        yield f"cases {first} and {second} have the same label: one of them is probably another's"
    yield from _class_warnings(classes, len(cases))
    yield from _empty_labels(cases)
    yield from _spacing_warnings(np.array([case.spacing for case in cases]))
    yield from _orientation_warnings([case.orientation for case in cases])
    for index, name in enumerate(channels):
        yield from _scale_warnings(name, np.array([case.intensities[index, 3] for case in cases]))


def _unlike_labels(cases: Sequence[Observation]) -> Iterator[str]:
    """Labels that explain far less of their image than the others do of theirs."""
    seen = [case for case in cases if case.explained == case.explained]
    shares = np.array([case.explained for case in seen])
    if len(shares) < RARE_CASES:
        return
    middle = float(np.median(shares))
    spread = 1.4826 * float(np.median(np.abs(shares - middle)))  # a deviation that outliers do not widen
    limit = min(UNLIKE_SHARE * middle, middle - UNLIKE_DEVIATIONS * spread)
    unlike = [case.name for case, share in zip(seen, shares, strict=True) if share < limit]
    if unlike:
        yield (
            f"{_named('the label', unlike)} follows the image far less than the labels of the other cases do: "
            "look whether it is another case's"
        )


def _class_warnings(classes: Iterable[ClassSummary], cases: int) -> Iterator[str]:
    for summary in classes:
        if summary.cases < min(RARE_CASES, cases):
            yield f"class '{summary.name}' is in {summary.cases} of {cases} cases: not every fold can validate it"
        if summary.voxel_fraction < RARE_VOXELS:
            share = f"{summary.voxel_fraction:.2g}"
            yield f"class '{summary.name}' is {share} of the voxels: expect its Dice to vary much"


def _empty_labels(cases: Sequence[Observation]) -> Iterator[str]:
    empty = [case.name for case in cases if not case.voxels[1:].any()]
    if empty:
        yield f"{_named('the label', empty)} shows no structure: right only where there is none to see"


def _spacing_warnings(spacings: npt.NDArray[np.float64]) -> Iterator[str]:
    low, high = spacings.min(axis=0), spacings.max(axis=0)
    if (high > SPACINGS_APART * low).any():
        finest, coarsest = (" x ".join(f"{step:.3g}" for step in steps) for steps in (low, high))
        yield f"the spacing goes from {finest} to {coarsest} mm: all cases are resampled to one"


def _orientation_warnings(codes: Sequence[str]) -> Iterator[str]:
    kinds = sorted(set(codes))
    if len(kinds) > 1:
        listed = ", ".join(f"{codes.count(kind)} {kind or 'unknown'}" for kind in kinds)
        yield f"the images are stored in different orientations ({listed}): all are turned to RAS"


def _scale_warnings(channel: str, deviations: npt.NDArray[np.float64]) -> Iterator[str]:
    varied = deviations[deviations > 0]
    constant = len(deviations) - len(varied)
    if constant:
        yield f"channel '{channel}' is constant in {constant} of {len(deviations)} cases: it tells nothing there"
    if len(varied) and varied.max() > SCALES_APART * varied.min():
        ratio = varied.max() / varied.min()
        yield (
            f"the intensities of channel '{channel}' differ {ratio:,.0f}-fold in scale between cases: "
            "normalising each case evens that out"
        )


def _same(cases: Iterable[Observation], key: Callable[[Observation], str]) -> Iterator[tuple[str, str]]:
    seen: dict[str, str] = {}
    for case in cases:
        if key(case) in seen:
            yield seen[key(case)], case.name
        seen.setdefault(key(case), case.name)


def _named(what: str, names: Sequence[str]) -> str:
    """What of which cases, as a subject in the singular."""
    listed = ", ".join(names[:MOST_NAMED]) + (f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else "")
    return f"{what} of {listed}" if len(names) == 1 else f"{what} of each of {listed}"
