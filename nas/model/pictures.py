"""Cases as pictures: the image, and outlines of truth and prediction in the same slices, from the worst case on."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nas.data import files
from nas.data.dataset import Volume
from nas.data.drawing.picture import Style, draw, font, scale_of, styles, window_of
from nas.data.drawing.planes import Plane, planes
from nas.errors import InputError
from nas.model.evaluating import Evaluation, Scored, by_name, class_indices, mean_of_defined
from nas.model.labelling import Labelling
from nas.model.predicting import list_images

_LINE, _GAP, _NARROWEST = 20, 6, 640
"""Pixels of a line's height, between pictures, and of the whole width at least."""


def write_pictures(
    evaluation: Evaluation,
    predictions: Path,
    labels: Path,
    images: Path,
    to: Path,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> tuple[Path, ...]:
    """A PNG for each case that was compared, numbered from the lowest Dice to the highest.

    Args:
        evaluation: of the segmentations.
        predictions: their folder.
        labels: of the truth.
        images: folder of the images, named as `nas predict` takes them.
        to: folder to write.
        progress: hears how many of how many are drawn.

    Raises:
        InputError: an image is missing or not on its label's grid, or the folder cannot be written.
    """
    truths, seen, labelling = by_name(labels), by_name(predictions), evaluation.labelling
    shown = {listed.name: listed.paths for listed in list_images(images, 3)}
    cases = sorted(evaluation.scored, key=lambda case: (_dice(case), case.case))
    written = []
    for number, case in enumerate(cases, 1):
        if case.case not in shown:
            raise InputError(f"--images: {images} has no image of {case.case}; give the folder that was segmented")
        volume = _stacked(shown[case.case], truths[case.case], seen[case.case], labelling)
        path = to / f"{number:0{len(str(len(cases)))}d}_{case.case}.png"
        _save(_picture(volume, case, evaluation.targets, styles(labelling.classes)), path)
        written.append(path)
        progress(number, len(cases))
    return tuple(written)


def _dice(case: Scored) -> float:
    return mean_of_defined(np.array(case.values["dice"]))


def _stacked(images: Sequence[Path], label: Path, prediction: Path, labelling: Labelling) -> Volume:
    """The image with the prediction as its last channel, so that it is cut where the truth is."""
    truth = files.read_label(label)
    predicted = class_indices(prediction, files.read_label(prediction, truth), labelling)
    channels = [files.read_image(path) for path in images]
    for path, stored in zip(images, channels, strict=True):
        if stored.shape != truth.shape:
            raise InputError(
                f"{path}: shape {stored.shape}, but {label} has {truth.shape}; give the images of the labels"
            )
    layers = [*(stored.voxels for stored in channels), predicted[None].astype(np.float32)]
    return Volume(np.concatenate(layers), class_indices(label, truth, labelling), truth.geometry)


def _picture(volume: Volume, case: Scored, targets: Sequence[str], among: Sequence[Style]) -> Any:
    """Rows of planes: without outlines, with those of the truth, with those of the prediction."""
    shown = (0, 1, 2) if len(volume.image) == 4 and volume.label.ndim == 2 else (0,)
    windows = [window_of(volume.image[channel]) for channel in shown]
    told = ", ".join(f"{name} {_figure(value)}" for name, value in zip(targets, case.values["dice"], strict=True))
    legend = ", ".join(f"{style.number} {style.name}" for style in among)
    rows = [_words([f"{case.case}: Dice {told}", legend])]
    drawn = planes(volume)
    scale = scale_of(drawn, "mm" if volume.geometry.measured else "px", "voxel" if len(drawn) > 1 else "pixel")
    panels = [[draw(one, shown, windows, scale, among) for one in _three(plane)] for plane in drawn]
    width = max(panel.width for panel, *_ in panels)
    for plane, three in zip(drawn, panels, strict=True):
        names = ["image", "truth", "prediction"]
        rows.append(_beside(three, [f"{name}, {plane.caption}" if plane.caption else name for name in names], width))
    return _below(rows)


def _three(plane: Plane) -> Iterator[Plane]:
    predicted = plane.image[-1].astype(np.uint8)
    for label in (np.zeros_like(plane.label), plane.label, predicted):
        yield replace(plane, label=np.ascontiguousarray(label))


def _figure(value: float) -> str:
    return "in neither" if value != value else f"{value:.4f}"


def _beside(panels: Sequence[Any], captions: Sequence[str], width: int) -> Any:
    columns = [_below([_words([caption], width), panel]) for panel, caption in zip(panels, captions, strict=True)]
    return _laid(columns, across=True)


def _below(rows: Sequence[Any]) -> Any:
    return _laid(rows, across=False)


def _laid(pictures: Sequence[Any], *, across: bool) -> Any:
    from PIL import Image

    widths, heights = ([getattr(picture, side) for picture in pictures] for side in ("width", "height"))
    gaps = _GAP * (len(pictures) - 1)
    size = (sum(widths) + gaps, max(heights)) if across else (max(widths), sum(heights) + gaps)
    canvas, place = Image.new("RGB", size, "white"), 0
    for picture in pictures:
        canvas.paste(picture, (place, 0) if across else (0, place))
        place += _GAP + (picture.width if across else picture.height)
    return canvas


def _words(lines: Sequence[str], width: int = _NARROWEST) -> Any:
    from PIL import Image, ImageDraw

    canvas = Image.new("RGB", (width, 4 + _LINE * len(lines)), "white")
    ImageDraw.Draw(canvas).multiline_text((4, 4), "\n".join(lines), fill="black", font=font(_LINE - 6))
    return canvas


def _save(picture: Any, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path)
    except OSError as error:
        raise InputError(f"--pictures: {path} cannot be written ({error.strerror}); name another folder") from None
