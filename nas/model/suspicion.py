"""What speaks against an image being of the kind that a model was trained on."""

from collections.abc import Iterator

import numpy as np

from nas.data import Image
from nas.model.trained import TrainedModel

MEASURED = "spacing_measured"
"""In a model's provenance: whether the images that it was trained on told their spacing."""
_FAR = 3.0
"""Voxels this much coarser or finer than any that were trained on, along one axis, are no longer the same images."""


def suspicions(model: TrainedModel, image: Image) -> Iterator[str]:
    """Warnings, a line each; the image is segmented all the same."""
    yield from _of_spacing(model, image)
    yield from _of_intensities(model, image)


def _of_spacing(model: TrainedModel, image: Image) -> Iterator[str]:
    geometry, wanted = image.geometry, model.preprocessing.spacing
    told = " x ".join(f"{step:.4g}" for step in wanted)
    if not geometry.measured:
        if model.provenance.get(MEASURED, True) and set(wanted) != {1.0}:
            yield f"tells no spacing; taken as 1, where the model was trained at {told} mm"
        return
    spacing = geometry.orientation.sort(geometry.spacing)
    ratios = [max(step / target, target / step) for step, target in zip(spacing, wanted, strict=True)]
    if max(ratios) > _FAR:
        here = " x ".join(f"{step:.4g}" for step in spacing)
        yield f"spacing {here} mm is far from the {told} mm that the model was trained at; look at the result"


def _of_intensities(model: TrainedModel, image: Image) -> Iterator[str]:
    for name, how, voxels in zip(model.channels, model.preprocessing.channels, image.voxels, strict=True):
        low, high = float(voxels.min()), float(voxels.max())
        if low == high:
            yield f"channel {name}: every voxel is {low:g}; there is nothing to see"
        elif how.low is not None and how.high is not None:
            # Units that mean the same everywhere: of a scan in them, much lies between the ends.
            inside = float(np.mean((voxels > how.low) & (voxels < how.high)))
            if inside < 0.01 or (high - low) < 0.1 * (how.high - how.low):
                yield (
                    f"channel {name}: intensities {low:g} to {high:g} are not in the units of the training's "
                    f"({how.low:g} to {how.high:g} in the structures); rescale the image, such as to Hounsfield units"
                )
