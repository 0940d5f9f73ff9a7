"""ONNX, with a program of one file beside it that needs NumPy, nibabel and ONNX Runtime alone."""

import importlib.util
import json
import shutil
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.export import ExportedProgram

from nas.data import Image
from nas.errors import InputError
from nas.export.ensemble import module_of
from nas.export.formats import Classes, Scores, needed
from nas.export.program import program_of, sizes_of
from nas.model import TrainedModel
from nas.model.folder import to_json

SUMMARY = "model.onnx for any batch and sizes, and segment.py, which needs NumPy, nibabel and ONNX Runtime alone"
TOLERANCE = 1e-3
_FILE, _RUNNER, _DESCRIPTION = "model.onnx", "segment.py", "model.json"


def write(model: TrainedModel, folder: Path) -> None:
    """model.onnx, segment.py and model.json, which says how images are prepared and what sizes the network takes."""
    expect_packages()
    exported = program_of(module_of(model), model.graph)
    sizes = sizes_of(exported, model.graph)
    converted(exported).save(folder / _FILE)
    document = description(model, "nas onnx") | {"patch": list(model.task.patch), "sizes": sizes}
    (folder / _DESCRIPTION).write_text(json.dumps(document, indent=1), encoding="utf-8")
    shutil.copyfile(Path(__file__).parent / "_runner.py", folder / _RUNNER)


def expect_packages() -> None:
    """Refuse to go on without what ONNX needs.

    Raises:
        InputError: a package is not installed.
    """
    for package in ("onnx", "onnxscript", "onnxruntime"):
        needed(package, "onnx")


def description(model: TrainedModel, kind: str) -> dict[str, Any]:
    """What the program of one file reads of a model: all but the weights, and how it looks at images."""
    seen = {"windows": model.windows.to_json(), "mirrored": list(model.mirrored)}
    return to_json(model, {}) | {"format": kind} | seen


def converted(program: ExportedProgram) -> Any:
    """A program as torch's ONNX program, of input "image" and output "scores"."""
    with warnings.catch_warnings():
        # torch's exporter warns of its own use of what torch has deprecated.
        warnings.simplefilter("ignore")
        return torch.onnx.export(
            program, (), dynamo=True, input_names=["image"], output_names=["scores"], verbose=False
        )


def opened(folder: Path, model: TrainedModel) -> Scores:
    """The file in ONNX Runtime, on the CPU."""
    import onnxruntime

    session = onnxruntime.InferenceSession(folder / _FILE, providers=["CPUExecutionProvider"])

    def scores(images: Tensor) -> Tensor:
        (found,) = session.run(None, {"image": images.contiguous().numpy()})
        return torch.from_numpy(found)

    return scores


def segmenting(folder: Path, model: TrainedModel) -> Classes | None:
    """The program that was written, imported from where it was written."""
    specification = importlib.util.spec_from_file_location("exported_segment", folder / _RUNNER)
    if specification is None or specification.loader is None:
        raise InputError(f"{folder / _RUNNER}: cannot be loaded")
    runner = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = runner  # dataclasses look themselves up there
    specification.loader.exec_module(runner)
    loaded = runner.load(folder)

    def classes(image: Image) -> Any:
        affine = np.eye(4) if image.geometry.affine is None else image.geometry.affine
        return runner.segment(loaded, image.voxels, image.geometry.spacing, affine)

    return classes
