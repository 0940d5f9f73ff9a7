"""Best, median and worst case as slices, with the outlines of the truth, of the best network and of its rival."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nas.report.material import Material
from nas.report.volumes import CaseVolume, case_volume
from nas.wording import metric_name

if TYPE_CHECKING:
    from nas.data import Dataset
    from nas.data.dataset import Volume
    from nas.data.drawing.planes import Plane
    from nas.data.images import Image as StoredImage

_PLANES = 2
"""Of a volume: axial and coronal. More would make a page too large to be mailed."""
_COLOURS = 64
"""Of a picture: grey and a few outlines need no more, and are a third as large."""

Segment = Callable[["StoredImage"], npt.NDArray[np.uint8]]
"""The class of each voxel of an image on its own grid."""


@dataclass(frozen=True)
class Image:
    """A PNG and what is to be seen in it."""

    png: bytes
    words: str
    caption: str


@dataclass(frozen=True)
class CaseImages:
    """A case as it was segmented."""

    title: str
    words: str
    images: tuple[Image, ...]
    volume: CaseVolume | None = None


@dataclass(frozen=True)
class Images:
    """Cases with their outlines, and the colours of classes; or why there are none, as a sentence.

    of_networks: a picture of each case as further networks segment it, by their trials.
    """

    cases: tuple[CaseImages, ...] = ()
    legend: tuple[tuple[str, str], ...] = ()
    of_networks: Mapping[int, tuple[Image, ...]] = field(default_factory=dict)
    missing: str = "Pictures of cases need the data and the weights, and were not asked for."


def chosen_cases(material: Material) -> dict[str, str]:
    """The names of the best network's best, median and worst case, and which one each is."""
    scores = material.scores_of(material.winner)
    if scores is None:
        return {}
    ranked = sorted(
        (value, case) for case, value in zip(scores.cases, scores.by_case.tolist(), strict=True) if value == value
    )
    places = {"best case": len(ranked) - 1, "median case": len(ranked) // 2, "worst case": 0} if ranked else {}
    chosen: dict[str, str] = {}
    for what, place in places.items():
        chosen.setdefault(ranked[place][1], what)
    return chosen


def case_images(
    material: Material,
    dataset: "Dataset",
    segmenters: Mapping[str, Segment],
    further: Mapping[int, Segment] | None = None,
) -> Images:
    """The chosen cases, segmented and drawn.

    Args:
        material: the study.
        dataset: its data.
        segmenters: by the names of networks: of those that stand side by side.
        further: by trials: of those that are shown one at a time.

    Raises:
        InputError: a case cannot be read, or is not what a network takes.
    """
    from nas.data.drawing.picture import styles

    chosen = chosen_cases(material)
    there = {case.name: case for case in dataset.cases}
    gone = [name for name in chosen if name not in there]
    if gone or not chosen:
        return Images(missing=f"Pictures of cases are left out: the data have no case {', '.join(gone) or 'to show'}.")
    cases, of_networks = [], dict[int, list[Image]]()
    for name, what in chosen.items():
        title, volume = f"{what.capitalize()}: {name}", dataset.load(there[name])
        cases.append(_shown(title, _words(material, name), dataset, name, volume, segmenters))
        for trial, segment in (further or {}).items():
            slices = _slices(dataset, name, volume, {title: _seen(segment, volume)})
            of_networks.setdefault(trial, []).append(list(slices)[1])
    legend = tuple((f"rgb{style.colour}", f"{style.number} {style.name}") for style in styles(dataset.classes))
    return Images(tuple(cases), legend, {trial: tuple(slices) for trial, slices in of_networks.items()})


def _words(material: Material, case: str) -> str:
    told = []
    for trial in (material.winner, material.rival):
        scores = material.scores_of(trial)
        if trial is not None and scores is not None and case in scores.cases:
            value = float(scores.by_case[scores.cases.index(case)])
            told.append(f"{value:.4f} by {material.name(trial)}")
    return f"{metric_name(material.metric)} {', '.join(told)}."


def _seen(segment: Segment, volume: "Volume") -> npt.NDArray[np.uint8]:
    from nas.data.images import Image as StoredImage

    return segment(StoredImage(volume.image, volume.geometry))


def _shown(
    title: str, words: str, dataset: "Dataset", case: str, volume: "Volume", segmenters: Mapping[str, Segment]
) -> CaseImages:
    from nas.data.drawing.picture import window_of

    seen = {name: _seen(segment, volume) for name, segment in segmenters.items()}
    turning = None
    if volume.label.ndim == 3:
        turning = case_volume(volume, {"truth": volume.label, **seen}, window_of(volume.image[0]))
    return CaseImages(title, words, tuple(_slices(dataset, case, volume, seen)), turning)


def _slices(
    dataset: "Dataset", name: str, volume: "Volume", seen: Mapping[str, npt.NDArray[np.uint8]]
) -> Iterator[Image]:
    from nas.data.dataset import Volume
    from nas.data.drawing.picture import draw, scale_of, styles, window_of
    from nas.data.drawing.planes import close_up, planes
    from nas.data.showing.sheet import COLOURS

    # Segmentations are cut as further channels are: so they are seen in the very slices in which the truth is.
    classes = [label[None].astype(np.float32) for label in seen.values()]
    stacked = Volume(np.concatenate([volume.image, *classes]), volume.label, volume.geometry)
    channels = (0, 1, 2) if tuple(channel.lower() for channel in dataset.channels) in COLOURS else (0,)
    windows = [window_of(volume.image[channel]) for channel in channels]
    count, unit = len(volume.image), "mm" if volume.geometry.measured else "px"
    for plane in planes(stacked)[:_PLANES]:
        near = close_up(plane) or plane
        scale = scale_of([near, near], unit, "voxel" if volume.label.ndim == 3 else "pixel")
        for caption, label in _labels(near, count, tuple(seen)):
            picture = draw(replace(near, label=label), channels, windows, scale, styles(dataset.classes))
            what = f"{caption}, {near.caption}" if near.caption else caption
            yield Image(_png(picture), f"{name}, outlines of {what}", what)


def _labels(plane: "Plane", count: int, names: Sequence[str]) -> Iterator[tuple[str, npt.NDArray[np.uint8]]]:
    yield "truth", plane.label
    for index, name in enumerate(names):
        yield name, np.ascontiguousarray(plane.image[count + index]).astype(np.uint8)


def _png(picture: Any) -> bytes:
    buffer = BytesIO()
    picture.quantize(_COLOURS).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
