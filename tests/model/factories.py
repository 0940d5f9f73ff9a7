"""Small trained models, and images for them on disk."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt

from nas.architecture import slim
from nas.catalog import load_space
from nas.data import Normalisation, Preprocessing
from nas.graph import Task, trace
from nas.model import TrainedModel, save_model
from nas.network import build
from nas.training import Augmentation, Recipe, Slicing
from tests.export.exported import trained

SHAPE = (22, 19, 20)
OBLIQUE = np.array([[-0.9, 0.3, 0.0, 7.0], [0.3, 1.4, 0.1, -3.0], [0.0, -0.1, 2.0, 11.0], [0, 0, 0, 1.0]])
"""Turned, mirrored along the first axis, of about 0.95 x 1.44 x 2 mm."""


def model(
    axes: int = 3,
    *,
    channels: int = 1,
    patch: int = 16,
    members: int = 1,
    slicing: Slicing | None = None,
    mirrored: bool = False,
    reference: str = "Tiny U-Net",
    strides: tuple[tuple[int, ...], ...] | None = None,
    **fields: Any,
) -> TrainedModel:
    """A network that has seen nothing, as if it were trained, for two foreground classes."""
    space = load_space("tiny" if reference == "Tiny U-Net" else "unet_family")
    seen = channels * (2 * slicing.neighbours + 1 if slicing else 1)
    task = Task(axes if slicing is None else 2, seen, 3, (patch,) * (axes if slicing is None else 2), strides)
    graph = trace(slim(space.references[reference], 0 if reference == "Tiny U-Net" else 6), task)
    states = tuple(trained(graph).state_dict() for _ in range(members))
    if members > 1:
        states = tuple(build(graph, seed=number).state_dict() for number in range(members))
    normalisation = fields.pop("normalisation", Normalisation())
    return TrainedModel(
        graph=graph,
        states=states,
        preprocessing=Preprocessing((1.0, 1.5, 2.0)[:axes], (normalisation,) * channels),
        channels=tuple(f"channel {number}" for number in range(channels)),
        classes=("background", "front", "back"),
        recipe=replace(Recipe(), augmentation=Augmentation(flips=True), mirrored=mirrored),
        slicing=slicing,
        **fields,
    )


def saved(folder: Path, made: TrainedModel | None = None) -> Path:
    """A model's folder."""
    save_model(made or model(), folder / "model")
    return folder / "model"


def voxels(seed: int = 0, shape: tuple[int, ...] = SHAPE) -> npt.NDArray[np.float32]:
    """Smooth noise."""
    from scipy.ndimage import gaussian_filter

    noise = np.random.default_rng(seed).normal(100, 50, shape)
    return gaussian_filter(noise, 1.5).astype(np.float32)


def nifti(path: Path, array: npt.NDArray[Any], affine: npt.NDArray[np.float64] = OBLIQUE, **header: Any) -> Path:
    """A NIfTI file."""
    image = nibabel.Nifti1Image(array, affine)
    for name, value in header.items():
        image.header[name] = value
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(image, path)
    return path


def changed(document: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    return {**document, **fields}
