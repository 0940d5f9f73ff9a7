"""Readable PyTorch source that needs torch alone, weights as safetensors, and a description."""

import importlib.util
from pathlib import Path

from torch import nn

from nas.export.ensemble import joined, scores_of
from nas.export.folder import write as write_folder
from nas.export.formats import Classes, Scores
from nas.model import TrainedModel
from nas.model.folder import to_json

SUMMARY = "model.py, which needs torch alone, with weights.safetensors"
TOLERANCE = 1e-4
ONE_NETWORK = True


def write(model: TrainedModel, folder: Path) -> None:
    """model.py, architecture.json, and weights.safetensors (further members: weights_1.safetensors ...)."""
    from safetensors.torch import save_file

    about = model.provenance
    facts = {
        **{name: value for name, value in about.items() if name != "architecture"},
        **{name: value for name, value in to_json(model, {}).items() if name in _TOLD},
    }
    write_folder(folder, model.graph, model.states[0], about.get("architecture") or {}, facts=facts)
    for number, state in enumerate(model.states[1:], 1):
        tensors = {name: tensor.cpu().contiguous() for name, tensor in state.items()}
        save_file(tensors, folder / f"weights_{number}.safetensors")


_TOLD = ("channels", "classes", "values", "regions", "slicing", "preprocessing", "recipe")


def opened(folder: Path, model: TrainedModel) -> Scores:
    """The class of the written file, with the written weights."""
    return scores_of(joined(members_of(folder)))


def members_of(folder: Path) -> list[nn.Module]:
    """The networks in a written folder, in evaluation mode."""
    from safetensors.torch import load_file

    specification = importlib.util.spec_from_file_location("exported_model", folder / "model.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    members: list[nn.Module] = []
    for path in sorted(folder.glob("weights*.safetensors"), key=lambda path: (len(path.name), path.name)):
        network = module.Network()
        network.load_state_dict(load_file(path))
        members.append(network.eval())
    return members


def segmenting(folder: Path, model: TrainedModel) -> Classes | None:
    """None: it is a network, and leaves what comes before and after to its user."""
    return None
