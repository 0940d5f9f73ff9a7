"""Readable PyTorch source with weights in bfloat16: half the size, and fast where the processor has it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from nas.export.ensemble import joined, scores_of
from nas.export.formats import Classes, Scores, pytorch
from nas.model import TrainedModel

SUMMARY = "as pytorch, with weights in bfloat16, to be run in it: half the size"
TOLERANCE = 0.25
ONE_NETWORK = True
AGREEMENT = 0.9
_ARCHITECTURE = "architecture.json"
_USE = "network = Network().bfloat16(); network.load_state_dict(weights); network(image.bfloat16()).float()"


def write(model: TrainedModel, folder: Path) -> None:
    """model.py, architecture.json, and weights.safetensors (further members: weights_1.safetensors ...)."""
    pytorch.write(replace(model, states=tuple(map(_shortened, model.states))), folder)
    document = json.loads((folder / _ARCHITECTURE).read_text(encoding="utf-8"))
    document |= {"numbers": "bfloat16", "use": _USE}
    (folder / _ARCHITECTURE).write_text(json.dumps(document, indent=1), encoding="utf-8")


def opened(folder: Path, model: TrainedModel) -> Scores:
    """The class of the written file in bfloat16, with the written weights."""
    scores = scores_of(joined([member.bfloat16() for member in pytorch.members_of(folder)]))

    def in_short(images: Tensor) -> Tensor:
        return scores(images.bfloat16()).float()

    return in_short


def segmenting(folder: Path, model: TrainedModel) -> Classes | None:
    """None: it is a network, and leaves what comes before and after to its user."""
    return None


def _shortened(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Its numbers in bfloat16; counters as they are."""
    return {name: tensor.to(torch.bfloat16) if tensor.is_floating_point() else tensor for name, tensor in state.items()}
