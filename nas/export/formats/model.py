"""The folder that `nas predict` takes: all that belongs to segmenting images, with checksums."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from nas.data import Image
from nas.export.ensemble import module_of, scores_of
from nas.export.formats import Classes, Scores
from nas.model import Segmenter, TrainedModel, load_model, save_model

SUMMARY = "model.json and weights, for nas predict"
TOLERANCE = 1e-6


def write(model: TrainedModel, folder: Path) -> None:
    """model.json, weights_0.safetensors ... and MODEL_CARD.md."""
    save_model(model, folder)


def opened(folder: Path, model: TrainedModel) -> Scores:
    """The networks, loaded again."""
    return scores_of(module_of(load_model(folder)))


def segmenting(folder: Path, model: TrainedModel) -> Classes | None:
    """nas itself, in the precision that it is compared in: in half precision a network that is unsure differs."""
    segmenter = Segmenter(load_model(folder).in_float32)

    def classes(image: Image) -> npt.NDArray[np.uint8]:
        return segmenter(image).classes

    return classes
