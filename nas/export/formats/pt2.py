"""PyTorch's own exported program: a graph and weights that torch runs without any source."""

import json
import warnings
from pathlib import Path

import torch
from torch import Tensor

from nas.export.ensemble import module_of
from nas.export.formats import Classes, Scores
from nas.export.program import program_of, sizes_of
from nas.model import TrainedModel
from nas.model.folder import to_json

SUMMARY = "model.pt2, which torch.export.load reads, for any batch and sizes"
TOLERANCE = 1e-4
_FILE = "model.pt2"


def write(model: TrainedModel, folder: Path) -> None:
    """model.pt2, and model.json with all else."""
    program = program_of(module_of(model), model.graph)
    with warnings.catch_warnings():
        # torch warns of its own use of what torch has deprecated.
        warnings.simplefilter("ignore")
        torch.export.save(program, folder / _FILE)
    document = to_json(model, {}) | {"format": "nas pt2", "sizes": sizes_of(program, model.graph)}
    (folder / "model.json").write_text(json.dumps(document, indent=1), encoding="utf-8")


def opened(folder: Path, model: TrainedModel) -> Scores:
    """The program that was written, loaded by torch."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = torch.export.load(folder / _FILE).module()

    def scores(images: Tensor) -> Tensor:
        with torch.no_grad():
            found: Tensor = module(images)
        return found

    return scores


def segmenting(folder: Path, model: TrainedModel) -> Classes | None:
    """None: it is a network, and leaves what comes before and after to its user."""
    return None
