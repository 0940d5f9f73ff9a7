"""What a person should know about a data set before training on it, in sentences."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nas.data.dataset import Dataset
from nas.data.fingerprint import ClassSummary
from nas.data.notes import listed, sentences
from nas.data.observing import Observation
from nas.data.patients import groups_in_names, pattern_of
from nas.data.splits import crossing_groups

RARE_CASES = 5  # as many as there are folds: with fewer, some fold cannot validate the class
RARE_VOXELS = 0.001
SCALES_APART = 100
SPACINGS_APART = 1.1
UNLIKE_SHARE, UNLIKE_DEVIATIONS = 0.25, 4.0
MOST_CAMPS = 3
OUTLYING = 5
"""Times a spacing is above or below the median before it is more likely wrong than so."""
LARGEST_SPACING = 100
"""Millimetres: more than lies between slices of any scanner, so that the unit is likely another."""
SMALLEST_GROUPS = 4
"""Cases of which some can be said to be on another scale than the others."""
EXPLAINED = 0.9
"""The share of the variance between two groups; one bell has 0.64 of it, an even spread 0.75."""
SCALED = 8
"""Times the deviation of intensities differs between 0 to 255 and 0 to 4095, halved; scanners do not differ so much."""


def warnings_of(dataset: Dataset, classes: Sequence[ClassSummary], cases: Sequence[Observation]) -> Iterator[str]:
    """The sentences, the gravest kinds first."""
    yield from sentences((case.name, note) for case in cases for note in case.notes)
    yield from _bright_background(cases)
    yield from _classes_apart(dataset.classes, cases)
    yield from _patients(dataset)
    yield from _unlike_labels(cases)
    for first, second in _same(cases, lambda case: case.image_digest):
        yield f"cases {first} and {second} have the same image: one may train what the other validates"
    for first, second in _same([case for case in cases if case.voxels[1:].any()], lambda case: case.label_digest):
        yield f"cases {first} and {second} have the same label: one of them is probably another's"
    yield from _class_warnings(classes, len(cases))
    yield from _empty_labels(cases)
    yield from _spacing_warnings(cases)
    yield from _orientation_warnings([case.orientation for case in cases])
    for index, name in enumerate(dataset.channels):
        yield from _scale_warnings(
            name, [case.name for case in cases], np.array([case.intensities[index] for case in cases])
        )


def _bright_background(cases: Sequence[Observation]) -> Iterator[str]:
    """Palettes in which the background is the brightest, though structures are drawn on black nearly everywhere."""
    bright = []
    for case in cases:
        colours = dict(case.palette or ())
        if len(colours) > 1 and 0 in colours and sum(colours[0]) == max(map(sum, colours.values())) > 0:
            bright.append(case.name)
    if bright:
        yield (
            f"the palette of {listed(bright)} shows value 0, the background, as the brightest colour: look whether "
            "it is not the structure"
        )


def _classes_apart(classes: Sequence[str], cases: Sequence[Observation]) -> Iterator[str]:
    """Classes that are never in one case: often one structure, whose value is not the same in all files."""
    present = {case.name: [index for index in range(1, len(classes)) if case.voxels[index]] for case in cases}
    camps = _camps([indices for indices in present.values() if indices])
    if len(camps) < 2:
        return
    sides = [(camp, [name for name, indices in present.items() if camp & set(indices)]) for camp in camps]
    words = " and ".join(f"{_quoted(classes, camp)} in {listed(names)}" for camp, names in sides[:MOST_CAMPS])
    more = f" and {len(sides) - MOST_CAMPS} more" if len(sides) > MOST_CAMPS else ""
    yield (
        f"no case shows both {words}{more}: if they are one structure, join their values with "
        '--labels "VALUE,VALUE=NAME"'
    )


def _camps(groups: Iterable[Sequence[int]]) -> list[set[int]]:
    """The sets of classes that are connected by cases which show several of them."""
    camps: list[set[int]] = []
    for group in groups:
        touching = [camp for camp in camps if camp & set(group)]
        camps = [camp for camp in camps if not camp & set(group)] + [set(group).union(*touching)]
    return sorted(camps, key=min)


def _quoted(classes: Sequence[str], camp: Iterable[int]) -> str:
    return ", ".join(f"'{classes[index]}'" for index in sorted(camp))


def _patients(dataset: Dataset) -> Iterator[str]:
    """A word on names that show several cases of one patient, where a fold has them on both sides."""
    groups = groups_in_names([case.name for case in dataset.cases])
    if not groups or any(case.group for case in dataset.cases):
        return
    if dataset.splits and not any(crossing_groups(groups, dataset.splits, "")):
        return
    pattern = pattern_of(groups)
    option = f'"{pattern}"' if pattern else "FILE"
    first = next(iter(groups.values()))
    names = [name for name, group in groups.items() if group == first]
    yield (
        f"{listed(names)} look like cases of one patient ({len(set(groups.values()))} patients in all), which folds "
        f"may part: keep them together with --groups {option}"
    )


def _unlike_labels(cases: Sequence[Observation]) -> Iterator[str]:
    """Labels that explain far less of their image than the others do of theirs."""
    explained = [case for case in cases if case.explained == case.explained]
    shares = np.array([case.explained for case in explained])
    if len(shares) < RARE_CASES:
        return
    middle = float(np.median(shares))
    spread = 1.4826 * float(np.median(np.abs(shares - middle)))  # a deviation that outliers do not widen
    limit = min(UNLIKE_SHARE * middle, middle - UNLIKE_DEVIATIONS * spread)
    unlike = [case.name for case, share in zip(explained, shares, strict=True) if share < limit]
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


def _spacing_warnings(cases: Sequence[Observation]) -> Iterator[str]:
    spacings = np.array([case.spacing for case in cases])
    low, high = spacings.min(axis=0), spacings.max(axis=0)
    if (high > SPACINGS_APART * low).any():
        finest, coarsest = (" x ".join(f"{step:.3g}" for step in steps) for steps in (low, high))
        yield f"the spacing goes from {finest} to {coarsest} mm: all cases are resampled to one"
    ratios = spacings / np.median(spacings, axis=0)
    far = ((ratios > OUTLYING) | (ratios < 1 / OUTLYING)).any(axis=1)
    if far.any():
        yield f"{_named('the spacing', _names(cases, far))} is far from that of the others: look whether it is right"
    vast = np.any(spacings > LARGEST_SPACING, axis=1) & np.array([case.measured for case in cases])
    if vast.any():
        named = _named("the spacing", _names(cases, vast))
        yield f"{named} is more than {LARGEST_SPACING} mm: look whether its unit is right"


def _names(cases: Sequence[Observation], chosen: Iterable[Any]) -> list[str]:
    return [case.name for case, is_chosen in zip(cases, chosen, strict=True) if is_chosen]


def _orientation_warnings(codes: Sequence[str]) -> Iterator[str]:
    kinds = sorted(set(codes))
    if len(kinds) > 1:
        listed = ", ".join(f"{codes.count(kind)} {kind or 'unknown'}" for kind in kinds)
        yield f"the images are stored in different orientations ({listed}): all are turned to RAS"


def _scale_warnings(channel: str, names: Sequence[str], intensities: npt.NDArray[np.float64]) -> Iterator[str]:
    """Of a channel's minimum, maximum, mean and deviation in each case, (cases, 4)."""
    deviations = intensities[:, 3]
    varied = deviations > 0
    constant = len(deviations) - int(varied.sum())
    if constant:
        yield f"channel '{channel}' is constant in {constant} of {len(deviations)} cases: it tells nothing there"
    if not varied.any():
        return
    names = [name for name, is_varied in zip(names, varied, strict=True) if is_varied]
    intensities = intensities[varied]
    ratio = intensities[:, 3].max() / intensities[:, 3].min()
    if ratio > SCALES_APART:
        low, high = names[int(intensities[:, 3].argmin())], names[int(intensities[:, 3].argmax())]
        yield (
            f"the intensities of channel '{channel}' differ {ratio:,.0f}-fold in scale between cases, least in {low} "
            f"and most in {high}: normalising each case evens that out"
        )
        return
    typical = float(np.median(intensities[:, 3]))
    shifted = _two_groups(intensities[:, 2], typical) or _two_groups(np.log(intensities[:, 3]), np.log(SCALED))
    if shifted is not None:
        sides = [[name for name, high in zip(names, shifted, strict=True) if high is side] for side in (False, True)]
        means = [float(np.median(intensities[np.array(shifted) == side, 2])) for side in (False, True)]
        yield (
            f"the intensities of channel '{channel}' are on two scales: mean {means[0]:.4g} in {listed(sides[0])}, "
            f"{means[1]:.4g} in {listed(sides[1])}; bring them to one where the numbers mean something, as in CT"
        )


def _two_groups(values: npt.NDArray[np.float64], apart: float) -> list[bool] | None:
    """Which values are in the higher of two groups, None where they are not clearly two.

    They are where the groups are that far `apart`, and lie around their means so closely that these explain nearly all.
    """
    ordered = np.sort(values)
    gaps = np.diff(ordered)
    if len(values) < SMALLEST_GROUPS or not gaps.size:
        return None
    cut = int(gaps.argmax())
    low, high = ordered[: cut + 1], ordered[cut + 1 :]
    within = (low.var() * len(low) + high.var() * len(high)) / len(values)
    clear = gaps[cut] >= apart and within <= (1 - EXPLAINED) * values.var()
    return [bool(value >= high[0]) for value in values] if clear else None


def _same(cases: Iterable[Observation], key: Callable[[Observation], str]) -> Iterator[tuple[str, str]]:
    first: dict[str, str] = {}
    for case in cases:
        if key(case) in first:
            yield first[key(case)], case.name
        first.setdefault(key(case), case.name)


def _named(what: str, names: Sequence[str]) -> str:
    """What of which cases, as a subject in the singular."""
    return f"{what} of {listed(names)}" if len(names) == 1 else f"{what} of each of {listed(names)}"
