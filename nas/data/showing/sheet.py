"""What is shown of a data set: its warnings, and some cases with their planes, volumes and the warnings about them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from nas.data.dataset import Case, Dataset, Volume
from nas.data.drawing.picture import Scale, Style, Window, draw, scale_of, styles, window_of
from nas.data.drawing.planes import Plane, close_up, planes
from nas.data.fingerprint import Fingerprint
from nas.data.preprocessing import CT
from nas.data.showing.choosing import about, choose

COLOURS = (("red", "green", "blue"), ("r", "g", "b"), ("channel 0", "channel 1", "channel 2"))
"""Names of channels that are shown as colours: those of layouts, and of pictures that nothing describes."""
MOST_CHANNELS = 4
"""Channels of a case that are drawn; those after the first in one plane."""
WIDENED = 0.5
"""Of the range of intensities inside the structures, what is shown of CT on both sides of it."""


@dataclass(frozen=True)
class Layer:
    """What is drawn at a time: one channel, or three as colours."""

    name: str
    channels: tuple[int, ...]
    windows: tuple[Window, ...]


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
    """A case as it is shown. amounts: of the classes that it has. absent: the names of the others."""

    name: str
    reason: str
    facts: str
    panels: tuple[Panel, ...]
    amounts: tuple[Amount, ...]
    absent: tuple[str, ...]
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
    amounts = tuple(_amounts(fingerprint, volume, styles(dataset.classes)))
    return CaseView(
        name=case.name,
        reason=reason,
        facts=_facts(volume),
        panels=tuple(_panels(dataset, fingerprint, volume)),
        amounts=tuple(amount for amount in amounts if amount.amount),
        absent=tuple(amount.style.name for amount in amounts if not amount.amount),
        unit=_unit(volume),
        warnings=tuple(warning for warning in fingerprint.warnings if about(warning, case.name)),
    )


def _facts(volume: Volume) -> str:
    geometry = volume.geometry
    sizes = " x ".join(str(size) for size in volume.label.shape)
    steps = " x ".join(f"{step:.3g}" for step in geometry.spacing)
    size = f"{steps} mm" if geometry.measured else "unknown size"
    voxels = f"{sizes} {'voxels' if volume.label.ndim == 3 else 'pixels'} of {size}"
    code = geometry.orientation.code if geometry.oriented else ""
    return f"{voxels}, stored as {code}" if code else voxels


def _panels(dataset: Dataset, fingerprint: Fingerprint, volume: Volume) -> Iterator[Panel]:
    """Planes with outlines, then closer where structures are small, the same without outlines, and other channels."""
    drawn, among = planes(volume), styles(dataset.classes)
    unit = "mm" if volume.geometry.measured else "px"
    scale = scale_of(drawn, unit, "voxel" if len(drawn) > 1 else "pixel")
    windows = [_window(volume, index, fingerprint) for index in range(len(dataset.channels))]
    first, *others = _layers(dataset.channels, windows)
    for plane in drawn:
        yield _panel(plane, first, scale, among)
    close = close_up(drawn[0])
    near = (drawn[0], scale) if close is None else (close, scale_of([close] * len(drawn), unit, scale.voxel))
    if close is not None:
        yield _panel(near[0], first, near[1], among)
    if near[0].label.any():
        yield _panel(near[0], first, near[1], ())
    for layer in others:
        yield _panel(near[0], layer, near[1], among)


def _layers(channels: Sequence[str], windows: Sequence[Window]) -> list[Layer]:
    """What is drawn at a time: each channel, or red, green and blue together."""
    if tuple(name.lower() for name in channels) in COLOURS:
        together = min(low for low, _ in windows), max(high for _, high in windows)  # else their hue would change
        return [Layer("in colours", (0, 1, 2), (together,) * 3)]
    layers = [Layer(name, (index,), (windows[index],)) for index, name in enumerate(channels)]
    return layers[:MOST_CHANNELS]


def _panel(plane: Plane, layer: Layer, scale: Scale, among: Sequence[Style]) -> Panel:
    parts = (layer.name, plane.caption, "" if among else "without outlines")
    caption = ", ".join(part for part in parts if part)
    return Panel(draw(plane, layer.channels, layer.windows, scale, among), caption)


def _window(volume: Volume, channel: int, fingerprint: Fingerprint) -> Window:
    """Of CT the same for all cases, around what the structures have; of any other most of what the case has."""
    summary = fingerprint.channels[channel]
    if summary.name.strip().upper() == CT:
        low, high = summary.foreground.low, summary.foreground.high
        return low - WIDENED * (high - low), high + WIDENED * (high - low)
    return window_of(volume.image[channel])


def _amounts(fingerprint: Fingerprint, volume: Volume, among: Sequence[Style]) -> Iterator[Amount]:
    counts = np.bincount(volume.label.ravel(), minlength=256)
    factor = prod(volume.geometry.spacing) / _millimetres(volume)
    for style, summary in zip(among, fingerprint.classes[1:], strict=True):
        _, median, most = summary.volumes
        amount = float(counts[style.number]) * factor
        yield Amount(style, amount, median / _millimetres(volume), most / _millimetres(volume))


def figure(amount: float) -> str:
    """An amount in few digits."""
    return f"{amount:,.0f}" if amount >= 1000 else f"{amount:.4g}"


def _millimetres(volume: Volume) -> float:
    """Cubic or square millimetres in the unit of amounts."""
    return 1000.0 if volume.label.ndim == 3 and volume.geometry.measured else 1.0


def _unit(volume: Volume) -> str:
    if not volume.geometry.measured:
        return "voxels" if volume.label.ndim == 3 else "pixels"
    return "ml" if volume.label.ndim == 3 else "mm²"
