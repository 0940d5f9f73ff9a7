"""Segment images with the network beside this file. It needs NumPy, nibabel and ONNX Runtime alone.

    python segment.py IMAGE.nii.gz --to LABELS.nii.gz
    python segment.py FLAIR.nii.gz T1.nii.gz --to LABELS.nii.gz     # a file for each channel, in the model's order
    python segment.py PICTURE.npy --to LABELS.npy                   # channels, rows, columns

Images are prepared as for training (model.json says how), seen through windows, and the result put back on the grid of
the image. In Python: `segment(load(folder), voxels, spacing, affine)`.
"""

import argparse
import itertools
import json
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ANISOTROPIC = 3
SMALLEST = 16
MATCHES = 0.01


@dataclass(frozen=True)
class Model:
    """A session of ONNX Runtime, and what model.json says."""

    session: Any
    about: dict[str, Any]

    @property
    def axes(self) -> int:
        """Spatial axes of an image."""
        return len(self.about["preprocessing"]["spacing"])


def load(folder: Path) -> Model:
    """The model in a folder."""
    import onnxruntime

    about = json.loads((Path(folder) / "model.json").read_text(encoding="utf-8"))
    return Model(onnxruntime.InferenceSession(str(Path(folder) / "model.onnx")), about)


def segment(model: Model, image: Any, spacing: Any, affine: Any) -> Any:
    """Class indices (*spatial) of an image (channels, *spatial) of a spacing in mm and an affine, (4, 4)."""
    return restored(image, spacing, affine, model.about, lambda prepared: _classes(model, prepared))


def restored(image: Any, spacing: Any, affine: Any, about: dict[str, Any], classes_of: Callable[[Any], Any]) -> Any:
    """Class indices (*spatial) of an image, from those of the prepared image, which `classes_of` gives."""
    axes = len(about["preprocessing"]["spacing"])
    if image.ndim != axes + 1 or len(image) != len(about["channels"]):
        expected = f"{len(about['channels'])} channels ({', '.join(about['channels'])}) and {axes} axes"
        raise ValueError(f"image of shape {image.shape}, expected {expected}")
    if not np.isfinite(image).all():
        raise ValueError("the image has voxels that are NaN or infinite")
    order, signs = _orientation(affine, axes)
    turned = _mirrored(image.transpose(0, *(1 + axis for axis in order)), signs)
    steps = tuple(spacing[axis] for axis in order)
    prepared, box, coarse = _prepared(turned.astype(np.float32), steps, about["preprocessing"])
    classes = classes_of(prepared)
    canvas = np.zeros(turned.shape[1:], np.uint8)
    size = tuple(stop - start for start, stop in box)
    inside = classes if classes.shape == size else _resampled_classes(classes, size, coarse)
    canvas[tuple(slice(*ends) for ends in box)] = inside
    return np.ascontiguousarray(_mirrored(canvas[None], signs)[0].transpose(np.argsort(order)))


def _orientation(affine: Any, axes: int) -> tuple[tuple[int, ...], tuple[bool, ...]]:
    """Which axes of the file lead to right, anterior and superior, and which of them are mirrored."""
    if axes != 3:
        return tuple(range(axes)), (False,) * axes
    import nibabel

    directions = nibabel.io_orientation(affine)
    order = tuple(int(axis) for axis in np.argsort(directions[:, 0]))
    return order, tuple(bool(directions[axis, 1] < 0) for axis in order)


def _mirrored(array: Any, signs: tuple[bool, ...]) -> Any:
    axes = tuple(1 + axis for axis, mirrored in enumerate(signs) if mirrored)
    return np.flip(array, axes) if axes else array


def _prepared(image: Any, spacing: tuple[float, ...], settings: dict[str, Any]) -> tuple[Any, Any, int | None]:
    """The image as the network sees it, the box that it was cut to, and the axis that is not interpolated."""
    content = (image != 0).any(axis=0)
    box = _box(content) if settings["crop"] else tuple((0, size) for size in content.shape)
    within = tuple(slice(*ends) for ends in box)
    image, content = image[(slice(None), *within)], content[within]
    inside = _filled(content) if any(how["inside"] for how in settings["channels"]) else None
    pairs = zip(image, settings["channels"], strict=True)
    image = np.stack([_normalised(channel, how, inside) for channel, how in pairs])
    size = tuple(
        old if abs(step / target - 1) <= MATCHES else max(round(old * step / target), 1)
        for old, step, target in zip(content.shape, spacing, settings["spacing"], strict=True)
    )
    if size == content.shape:
        return image, box, None
    coarse = _coarse_axis(spacing)
    coarse = _coarse_axis(settings["spacing"]) if coarse is None else coarse
    resampled = [_resampled(channel, size, 3, coarse).clip(channel.min(), channel.max()) for channel in image]
    return np.stack(resampled), box, coarse


def _box(content: Any) -> tuple[tuple[int, int], ...]:
    box = []
    for axis, size in enumerate(content.shape):
        places = np.flatnonzero(content.any(axis=tuple(other for other in range(content.ndim) if other != axis)))
        start, stop = (int(places[0]), int(places[-1]) + 1) if len(places) else (0, size)
        missing = max(min(SMALLEST, size) - (stop - start), 0)
        start = min(max(start - missing // 2, 0), max(size - (stop - start) - missing, 0))
        box.append((start, max(stop, min(start + SMALLEST, size))))
    return tuple(box)


def _normalised(channel: Any, how: dict[str, Any], inside: Any) -> Any:
    if how["low"] is not None:
        return ((np.clip(channel, how["low"], how["high"]) - how["mean"]) / how["deviation"]).astype(np.float32)
    chosen = inside if how["inside"] and inside is not None and inside.any() else np.ones(channel.shape, bool)
    values, filled = channel[chosen], np.zeros(channel.shape, np.float32)
    if values.max() > values.min():
        filled[chosen] = (values - values.mean(dtype=np.float64)) / values.std(dtype=np.float64)
    return filled


def _filled(content: Any) -> Any:
    """What is inside or in a hole of it: all that cannot be reached from the border along the axes."""
    outside = np.zeros(tuple(size + 2 for size in content.shape), bool)
    free = np.pad(~content, 1, constant_values=True)
    outside[(0,) * content.ndim] = True
    before = 0
    while (count := int(outside.sum())) != before:
        before = count
        for axis, backwards in itertools.product(range(content.ndim), (False, True)):
            # Along a line, what is free and comes after something outside, with nothing solid between, is outside.
            reached, open_ = (np.flip(part, axis) if backwards else part for part in (outside, free))
            places = np.arange(reached.shape[axis]).reshape([-1 if a == axis else 1 for a in range(content.ndim)])
            last_reached = np.maximum.accumulate(np.where(reached, places, -1), axis)
            last_solid = np.maximum.accumulate(np.where(open_, -1, places), axis)
            grown = open_ & (last_reached > last_solid)
            outside |= np.flip(grown, axis) if backwards else grown
    return ~outside[(slice(1, -1),) * content.ndim]


def _coarse_axis(spacing: Any) -> int | None:
    if len(spacing) < 3:
        return None
    largest = int(np.argmax(spacing))
    others = [step for axis, step in enumerate(spacing) if axis != largest]
    thick = spacing[largest] > ANISOTROPIC * min(others) and spacing[largest] > max(others) * 1.01
    return largest if thick else None


def _resampled(array: Any, size: tuple[int, ...], order: int, coarse: int | None) -> Any:
    for axis in sorted(range(array.ndim), key=lambda axis: size[axis] / array.shape[axis]):
        old, new = array.shape[axis], size[axis]
        if old == new:
            continue
        if axis == coarse:
            array = array.take(np.clip(np.floor(_places(old, new) + 0.5).astype(int), 0, old - 1), axis=axis)
        else:
            weights = _cubic(old, new) if order == 3 else _linear(old, new)
            array = np.moveaxis(np.tensordot(weights.astype(np.float32), array, (1, axis)), 0, axis)
    return np.ascontiguousarray(array)


def _resampled_classes(classes: Any, size: tuple[int, ...], coarse: int | None) -> Any:
    """In each voxel the class whose share of it is largest."""
    present = np.unique(classes)
    chosen, largest = np.full(size, present[0], np.uint8), np.zeros(size, np.float32)
    for index in present:
        share = _resampled((classes == index).astype(np.float32), size, 1, coarse)
        chosen[share > largest] = index
        np.maximum(largest, share, out=largest)
    return chosen


def _places(old: int, new: int) -> Any:
    """Where the middles of new voxels lie among the old ones."""
    return (np.arange(new) + 0.5) * old / new - 0.5


def _linear(old: int, new: int) -> Any:
    places = np.clip(_places(old, new), 0, old - 1)
    return np.maximum(1 - np.abs(places[:, None] - np.arange(old)), 0)


def _cubic(old: int, new: int) -> Any:
    """The interpolating cubic spline through every unit impulse, the image going on as at its ends."""
    margin = 12  # beyond it an end is no longer felt
    wide = old + 2 * margin
    ends = np.clip(np.arange(wide) - margin, 0, old - 1)
    impulses = (ends[:, None] == np.arange(old)).astype(float)
    matrix = (np.eye(wide) * 4 + np.eye(wide, k=1) + np.eye(wide, k=-1)) / 6
    matrix[0, 1] = matrix[-1, -2] = 2 / 6  # mirrored at its own ends
    distance = np.abs(_places(old, new)[:, None] + margin - np.arange(wide))
    near = 2 / 3 - distance**2 * (2 - distance) / 2
    far = np.maximum(2 - distance, 0) ** 3 / 6
    return np.where(distance < 1, near, far) @ np.linalg.solve(matrix, impulses)


def _classes(model: Model, image: Any) -> Any:
    slicing = model.about["slicing"]
    if slicing is None:
        return _probabilities(model, image).argmax(0).astype(np.uint8)
    axis, neighbours = slicing["axis"], slicing["neighbours"]
    count, slices = image.shape[1 + axis], []
    for number in range(count):
        around = [min(max(at, 0), count - 1) for at in range(number - neighbours, number + neighbours + 1)]
        seen = np.concatenate([image.take(at, axis=1 + axis) for at in around])
        slices.append(_probabilities(model, seen).argmax(0).astype(np.uint8))
    return np.stack(slices, axis)


def _probabilities(model: Model, image: Any) -> Any:
    """Of each class, (classes, *size), averaged over the windows that see a voxel, weighted by a bell."""
    patch, overlap = _seen_at_once(model, image.shape[1:]), model.about["windows"]["overlap"]
    lacking = [max(wide - size, 0) for wide, size in zip(patch, image.shape[1:], strict=True)]
    ends = [(missing // 2, missing - missing // 2) for missing in lacking]
    filled = np.pad(image, [(0, 0), *ends], mode="edge")
    bell = _bell(patch)
    sums, weights = None, np.zeros(filled.shape[1:], np.float32)
    for start in itertools.product(*(_starts(*pair, overlap) for pair in zip(filled.shape[1:], patch, strict=True))):
        place = tuple(slice(at, at + wide) for at, wide in zip(start, patch, strict=True))
        found = _window(model, filled[(slice(None), *place)])
        if sums is None:
            sums = np.zeros((len(found), *filled.shape[1:]), np.float32)
        sums[(slice(None), *place)] += found * bell
        weights[place] += bell
    within = tuple(slice(a, a + size) for (a, _), size in zip(ends, image.shape[1:], strict=True))
    assert sums is not None
    return (sums / weights)[(slice(None), *within)]


def _seen_at_once(model: Model, size: tuple[int, ...]) -> tuple[int, ...]:
    """The window over an image of a size, as in validation: of one size, or all of it where it is not too large."""
    windows = model.about["windows"]
    if windows["size"] is not None:
        return tuple(windows["size"])
    whole = tuple(-(-along // step) * step for along, step in zip(size, windows["multiple"], strict=True))
    return whole if math.prod(whole) <= windows["most"] else tuple(model.about["patch"])


def _starts(size: int, wide: int, overlap: float) -> list[int]:
    step = max(int(wide * (1 - overlap)), 1)
    return [min(index * step, size - wide) for index in range(-(-(size - wide) // step) + 1)]


def _bell(patch: tuple[int, ...]) -> Any:
    weights = np.ones((), np.float32)
    for wide in patch:
        distance = (np.arange(wide) - (wide - 1) / 2) / (0.125 * wide)
        weights = weights[..., None] * np.exp(-0.5 * distance**2)
    return np.maximum(weights, 1e-3).astype(np.float32)


def mirrorings(about: dict[str, Any], first: int) -> list[tuple[int, ...]]:
    """All ways of mirroring that training had, none among them, as axes of an array whose spatial ones begin there."""
    axes = [first + axis for axis in about["mirrored"]]
    return [way for count in range(len(axes) + 1) for way in itertools.combinations(axes, count)]


def _window(model: Model, image: Any) -> Any:
    """Probabilities of one window, averaged over all ways of mirroring that training had."""
    sets = mirrorings(model.about, 1)
    total = 0.0
    for axes in sets:
        turned = np.ascontiguousarray(np.flip(image, axes) if axes else image, np.float32)
        (scores,) = model.session.run(None, {"image": turned[None]})
        powers = np.exp(scores[0] - scores[0].max(axis=0))
        shares = powers / powers.sum(axis=0)
        total = total + (np.flip(shares, axes) if axes else shares)
    return total / len(sets)


def main() -> None:
    """Segment one image."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", nargs="+", type=Path)
    parser.add_argument("--to", required=True, type=Path)
    arguments = parser.parse_args()
    model = load(Path(__file__).parent)
    values = np.array(model.about["values"], np.min_scalar_type(max(model.about["values"])))
    try:
        if arguments.images[0].suffix == ".npy":
            image = np.load(arguments.images[0], allow_pickle=False).astype(np.float32)
            image = image[None] if image.ndim == model.axes else image
            np.save(arguments.to, values[segment(model, image, (1.0,) * model.axes, np.eye(4))])
        else:
            _segment_nifti(model, arguments.images, arguments.to, values)
    except (ValueError, OSError) as error:
        sys.exit(f"error: {arguments.images[0]}: {error}")


def _segment_nifti(model: Model, paths: list[Path], to: Path, values: Any) -> None:
    import nibabel

    loaded = [nibabel.load(path) for path in paths]
    arrays = [np.asanyarray(file.dataobj).astype(np.float32) for file in loaded]
    channels = [np.moveaxis(a, -1, 0) if a.ndim > model.axes else a[None] for a in arrays]
    first = loaded[0]
    classes = segment(model, np.concatenate(channels), first.header.get_zooms()[: model.axes], first.affine)
    made = type(first)(values[classes], first.affine, first.header, dtype=values.dtype)
    made.header.set_slope_inter(1, 0)
    nibabel.save(made, to)


if __name__ == "__main__":
    main()
