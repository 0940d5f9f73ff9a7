"""The folder that `nas predict` takes: all that belongs to segmenting images, with checksums."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from nas.data import Image
from nas.export.ensemble import module_of
from nas.export.formats import Classes, Scores
from nas.model import Segmenter, TrainedModel, load_model, save_model

SUMMARY = "model.json and weights, for nas predict"
TOLERANCE = 1e-6


def write(model: TrainedModel, folder: Path) -> None:
    """model.json, weights_0.safetensors ... and MODEL_CARD.md."""
    save_model(model, folder)


def opened(folder: Path, model: TrainedModel) -> Scores:
    """The networks, loaded again."""
    module = module_of(load_model(folder))

    def scores(images: Tensor) -> Tensor:
        with torch.inference_mode():
            found: Tensor = module(images)
        return found

    return scores


def segmenting(folder: Path, model: TrainedModel) -> Classes | None:
    """nas itself, in the precision that it is compared in: in half precision a network that is unsure differs."""
    model = load_model(folder)
    segmenter = Segmenter(replace(model, plan=replace(model.plan, precision="float32")))

    def classes(image: Image) -> npt.NDArray[np.uint8]:
        return segmenter(image).classes

    return classes
