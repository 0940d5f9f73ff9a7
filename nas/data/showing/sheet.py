"""What is shown of a data set: its warnings, and some cases with their planes, volumes and the warnings about them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from nas.data.dataset import Case, Dataset, Volume
from nas.data.fingerprint import Fingerprint
from nas.data.preprocessing import CT
from nas.data.showing.choosing import about, choose
from nas.data.showing.drawing import Style, Window, draw, scale_of, styles
from nas.data.showing.planes import planes

COLOURS = 3
SAMPLED = 100_000
MOST_CHANNELS = 4
"""Channels of a case that are drawn; beyond the first, in the first plane alone."""
PERCENTILES = (0.5, 99.5)
WIDENED = 0.5
"""Of the range of intensities inside the structures, what is shown of CT on both sides of it."""


@dataclass(frozen=True, eq=False)
class Panel:
    """A drawn plane and what it is."""

    picture: Any
    caption: str


@dataclass(frozen=True)
class Amount:
    """How much of a class a case has, beside the median and the most over all cases; in the sheet's unit."""

    style: Style
    amount: float
    median: float
    most: float


@dataclass(frozen=True, eq=False)
class CaseView:
    """A case as it is shown."""

    name: str
    reason: str
    facts: str
    panels: tuple[Panel, ...]
    amounts: tuple[Amount, ...]
    unit: str
    warnings: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Sheet:
    """A data set as it is shown. warnings: those that name none of the cases shown."""

    title: str
    facts: str
    classes: tuple[Style, ...]
    warnings: tuple[str, ...]
    cases: tuple[CaseView, ...]


def make_sheet(dataset: Dataset, fingerprint: Fingerprint, most: int = 8) -> Sheet:
    """The sheet of a checked data set with at most so many cases.

    Raises:
        InputError: a case can no longer be read.
    """
    chosen = choose(fingerprint, most)
    cases = [case for case in dataset.cases if case.name in chosen]
    views = tuple(_view(dataset, fingerprint, case, chosen[case.name]) for case in cases)
    named = {warning for view in views for warning in view.warnings}
    return Sheet(
        title=fingerprint.name,
        facts=f"{fingerprint.cases} cases, {fingerprint.axes}D, {len(views)} of them shown",
        classes=tuple(styles(dataset.classes)),
        warnings=tuple(warning for warning in fingerprint.warnings if warning not in named),
        cases=views,
    )


def _view(dataset: Dataset, fingerprint: Fingerprint, case: Case, reason: str) -> CaseView:
    volume = dataset.load(case)
    return CaseView(
        name=case.name,
        reason=reason,
        facts=_facts(volume),
        panels=tuple(_panels(dataset, fingerprint, volume)),
        amounts=tuple(_amounts(fingerprint, volume, styles(dataset.classes))),
        unit=_unit(volume),
        warnings=tuple(warning for warning in fingerprint.warnings if about(warning, case.name)),
    )


def _facts(volume: Volume) -> str:
    geometry = volume.geometry
    voxels = " x ".join(str(size) for size in volume.label.shape)
    step = " x ".join(f"{step:.3g}" for step in geometry.spacing)
    place = f"stored as {geometry.orientation.code}" if geometry.oriented and geometry.orientation.code else ""
    facts = (f"{voxels} voxels", f"{step} mm" if geometry.measured else "of unknown size", place)
    return ", ".join(fact for fact in facts if fact)


def _panels(dataset: Dataset, fingerprint: Fingerprint, volume: Volume) -> Iterator[Panel]:
    drawn, among = planes(volume), styles(dataset.classes)
    scale = scale_of(drawn, "mm" if volume.geometry.measured else "px")
    windows = [_window(volume, index, fingerprint) for index in range(len(dataset.channels))]
    if len(drawn) == 1 and len(dataset.channels) == COLOURS:
        yield Panel(draw(drawn[0], (0, 1, 2), [_together(windows)] * COLOURS, scale, among), "in colours")
        return
    for index, name in enumerate(dataset.channels[:MOST_CHANNELS]):
        for plane in drawn if index == 0 else drawn[:1]:
            caption = f"{name}, {plane.caption}" if plane.caption else name
            yield Panel(draw(plane, [index], [windows[index]], scale, among), caption)


def _window(volume: Volume, channel: int, fingerprint: Fingerprint) -> Window:
    """Of CT the same for all cases, around what the structures have; of any other most of what the case has."""
    summary = fingerprint.channels[channel]
    if summary.name.strip().upper() == CT:
        low, high = summary.foreground.low, summary.foreground.high
        return low - WIDENED * (high - low), high + WIDENED * (high - low)
    voxels = volume.image[channel].ravel()
    low, high = np.percentile(voxels[:: max(len(voxels) // SAMPLED, 1)], PERCENTILES)
    return float(low), float(high)


def _together(windows: Sequence[Window]) -> Window:
    """One window for colours, which would else change their hue."""
    return min(low for low, _ in windows), max(high for _, high in windows)


def _amounts(fingerprint: Fingerprint, volume: Volume, among: Sequence[Style]) -> Iterator[Amount]:
    counts = np.bincount(volume.label.ravel(), minlength=256)
    factor = prod(volume.geometry.spacing) / _millimetres(volume)
    for style, summary in zip(among, fingerprint.classes[1:], strict=True):
        _, median, most = summary.volumes
        amount = float(counts[style.number]) * factor
        yield Amount(style, amount, median / _millimetres(volume), most / _millimetres(volume))


def _millimetres(volume: Volume) -> float:
    """Cubic or square millimetres in the unit of amounts."""
    return 1000.0 if volume.label.ndim == 3 and volume.geometry.measured else 1.0


def _unit(volume: Volume) -> str:
    if not volume.geometry.measured:
        return "voxels" if volume.label.ndim == 3 else "pixels"
    return "ml" if volume.label.ndim == 3 else "mm²"
