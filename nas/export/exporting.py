"""A trained model written in one or several forms, each tried after it was written."""

import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from nas.data import Geometry, Image
from nas.errors import InputError
from nas.export.ensemble import module_of
from nas.export.formats import Classes, Fitted, Format, Reduced, Scores, Single, format_of
from nas.export.sample import Loss, Sample, loss_of, windows_of
from nas.graph import Axes, Graph
from nas.model import Segmenter, TrainedModel
from nas.model.folder import refuse_others, replace_folder
from nas.training.inference import predict

_AGREEING = 0.999
"""Share of the voxels of a whole image that must have the same class: float32 adds up in another order elsewhere, and a
network that was not trained has many voxels between two classes."""


LOSS = "loss.json"
"""What fewer bits cost, beside what was written."""


@dataclass(frozen=True)
class Exported:
    """What was written, and how it was tried.

    sizes: of the images that were run. difference: the largest in the scores, as a share of their range. agreement: the
    share of the voxels of a whole image that have the class that nas gives them. reduced: whether it has fewer bits,
    and loss: what these cost, where there were cases to measure it on.
    """

    form: str
    folder: Path
    files: tuple[Path, ...]
    sizes: tuple[Axes, ...]
    difference: float
    agreement: float
    reduced: bool = False
    loss: Loss | None = None


def export(model: TrainedModel, forms: Sequence[str], to: Path, sample: Sample | None = None) -> tuple[Exported, ...]:
    """Write a model in forms by name: into the folder itself if it is one, else each into one of its own there.

    Each is written aside, read back and run by its own tool against the network over several sizes and on a whole
    image, and put in place only if it agrees.

    Args:
        model: what to write.
        forms: names (`nas.export.formats.format_names`).
        to: a new or an empty folder, or one of an earlier export.
        sample: cases that forms of fewer bits are fitted to and measured on.

    Raises:
        InputError: an unknown form, a package that is missing, a network that cannot be written so, or a folder that
            holds something else or cannot be written.
    """
    chosen = {name: format_of(name) for name in forms}
    made = []
    for name, form in chosen.items():
        folder = Path(to) if len(chosen) == 1 else Path(to) / name
        made.append(_exported(model, name, form, folder, sample))
    return tuple(made)


def _exported(model: TrainedModel, name: str, form: Format, folder: Path, sample: Sample | None) -> Exported:
    kind = f"nas export {name}"
    if model.graphs and isinstance(form, Single):
        raise InputError(
            f"--as {name}: holds the source of one network, and this is an ensemble of different ones; give model, "
            "onnx or pt2, or export one network alone"
        )
    try:
        refuse_others(folder.resolve(), kind)  # before the work, not after it
        with tempfile.TemporaryDirectory() as scratch:
            written = Path(scratch) / name
            written.mkdir()
            _write(model, form, written, sample)
            tried = _tried(model, name, form, written, sample)
            for cached in written.rglob("__pycache__"):
                shutil.rmtree(cached)
            return replace(tried, folder=folder, files=replace_folder(written, folder, kind))
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be written ({error.strerror or error}); free space or name another"
        ) from None


def _tried(model: TrainedModel, name: str, form: Format, folder: Path, sample: Sample | None) -> Exported:
    """What is written in a folder, run against the network; InputError where it does not agree."""
    scores, segmenting = form.opened(folder, model), form.segmenting(folder, model)
    sizes = _sizes(model.graph)
    difference = _largest_difference(model, scores, sizes)
    agreement = _agreement(model, scores, segmenting)
    wanted = form.AGREEMENT if isinstance(form, Reduced) else _AGREEING
    if not difference <= form.TOLERANCE or agreement < wanted:
        raise InputError(
            f"--as {name}: what was written does not agree with the network (scores differ by {difference:.2g} of "
            f"their range, {agreement:.2%} of a whole image has the same class); export it in another form"
        )
    loss = None
    if isinstance(form, Reduced) and sample is not None:
        loss = loss_of(model, segmenting or _segmenting(model, scores), sample)
        (folder / LOSS).write_text(json.dumps(loss.to_json(sample), indent=1), encoding="utf-8")
    return Exported(name, folder, (), sizes, difference, agreement, isinstance(form, Reduced), loss)


def _write(model: TrainedModel, form: Format, folder: Path, sample: Sample | None) -> None:
    if sample is not None and isinstance(form, Fitted):
        form.write_fitted(model, folder, windows_of(model, sample))
    else:
        form.write(model, folder)


def _segmenting(model: TrainedModel, scores: Scores) -> Classes:
    """Whole images as nas does, by the scores of a form."""
    segmenter = Segmenter(model.in_float32)
    segmenter.scores = scores
    return lambda image: segmenter(image).classes


def _sizes(graph: Graph) -> tuple[Axes, ...]:
    """The window, and sizes around it: smaller, larger, and of other proportions."""
    patch, strides = graph.task.patch, graph.total_stride
    longer = tuple(size + stride * (axis + 1) for axis, (size, stride) in enumerate(zip(patch, strides, strict=True)))
    shorter = tuple(max(size - stride, stride) for size, stride in zip(patch, strides, strict=True))
    return tuple(dict.fromkeys([patch, longer, shorter if min(shorter) >= min(patch) / 2 else patch]))


def _largest_difference(model: TrainedModel, scores: Scores, sizes: Sequence[Axes]) -> float:
    """Over batches of one, two and three, as a share of the scores' range."""
    module, generator = module_of(model), torch.Generator().manual_seed(0)
    largest = 0.0
    for batch, size in enumerate(sizes, 1):
        images = torch.randn(batch, model.task.channels, *size, generator=generator)
        with torch.inference_mode():
            expected = module(images)
        difference = (scores(images) - expected).abs().max() / (expected.max() - expected.min()).clamp(min=1e-6)
        largest = max(largest, float(difference))
    return largest


def _agreement(model: TrainedModel, scores: Scores, segmenting: Classes | None) -> float:
    """On a whole image: of the form's own segmenting, or else of its scores seen through nas's windows."""
    image, own = phantom(model), Segmenter(model.in_float32)
    if segmenting is not None:
        return float(np.mean(segmenting(image) == own(image).classes))
    prepared = torch.from_numpy(np.array(own.prepared(image).image))

    def classes(forward: Scores) -> Tensor:
        return predict(forward, prepared, model.task.patch, slicing=model.slicing, mirrored=model.mirrored)

    return float((classes(scores) == classes(own.scores)).float().mean())


def phantom(model: TrainedModel) -> Image:
    """An image that no training has seen: smooth noise, of an odd size, turned, and coarser than the model's grid."""
    from scipy.ndimage import gaussian_filter

    spacing = [step * 1.2 for step in model.preprocessing.spacing]
    window = [*model.task.patch]
    if model.slicing is not None:
        window.insert(model.slicing.axis, 5)
    shape = tuple(round(size * 1.1) + 3 for size in window)
    generator = np.random.default_rng(0)
    noise = generator.normal(0, 1, (len(model.channels), *shape))
    smooth = np.stack([gaussian_filter(channel, 2.0) for channel in noise])
    centre, scale = _intensities(model)
    voxels = (centre + smooth / smooth.std() * scale).astype(np.float32)
    affine = None
    if len(shape) == 3:
        affine = np.diag([*spacing, 1.0])
        affine[0, 0] *= -1
    return Image(voxels, Geometry(tuple(spacing), affine))


def _intensities(model: TrainedModel) -> tuple[float, float]:
    """Between what fixed units of the first channel are clipped to, or anything."""
    how = model.preprocessing.channels[0]
    return (how.mean, how.deviation) if how.low is not None else (100.0, 20.0)
