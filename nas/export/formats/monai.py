"""A bundle of MONAI: `python -m monai.bundle run` segments a folder with it, and MONAI's own tools verify it."""

import json
import shutil
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from nas.data import Image
from nas.errors import InputError
from nas.export.ensemble import module_of, scores_of
from nas.export.formats import Classes, Scores
from nas.export.formats.onnx import description
from nas.export.source import source
from nas.model import TrainedModel
from nas.model.card import card

SUMMARY = "a MONAI bundle: configs, weights, and code that needs MONAI and nibabel"
TOLERANCE = 1e-4
ONE_NETWORK = True
_SCHEMA = "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/meta_schema_20240725.json"
_HERE = Path(__file__).parent


def write(model: TrainedModel, folder: Path) -> None:
    """configs, models, docs and scripts, as MONAI lays a bundle out."""
    if model.slicing is not None and model.slicing.neighbours:
        raise InputError(
            "--as monai: MONAI's windows show a network one slice at a time, and this one sees neighbours; export it "
            "--as onnx, whose program shows it all"
        )
    for name in ("configs", "models", "docs", "scripts"):
        (folder / name).mkdir()
    _write_json(folder / "configs" / "metadata.json", _metadata(model))
    _write_json(folder / "configs" / "inference.json", _inference(model))
    shutil.copyfile(_HERE / "_monai_schema.json", folder / "configs" / "schema.json")
    torch.save(module_of(model).state_dict(), folder / "models" / "model.pt")
    (folder / "docs" / "README.md").write_text(f"{card(model)}\n{_USE}", encoding="utf-8")
    (folder / "LICENSE").write_text(_LICENCE, encoding="utf-8")
    (folder / "scripts" / "__init__.py").write_text('"""What this bundle runs."""\n', encoding="utf-8")
    (folder / "scripts" / "network.py").write_text(_network_source(model), encoding="utf-8")
    shutil.copyfile(_HERE / "_runner.py", folder / "scripts" / "preparing.py")
    shutil.copyfile(_HERE / "_monai_run.py", folder / "scripts" / "run.py")
    _write_json(folder / "configs" / "model.json", description(model, "nas monai"))


def opened(folder: Path, model: TrainedModel) -> Scores:
    """The network that MONAI's parser makes of the bundle, with its weights."""
    network = _parsed(folder, "network")
    network.load_state_dict(torch.load(folder / "models" / "model.pt", weights_only=True))
    return scores_of(network.eval())


def segmenting(folder: Path, model: TrainedModel) -> Classes | None:
    """What the bundle's run does to each image, with the inferer that MONAI's parser makes."""
    scores, inferer = opened(folder, model), _parsed(folder, "inferer")
    runner = _module(folder, "run")

    def classes(image: Image) -> Any:
        about = json.loads((folder / "configs" / "model.json").read_text(encoding="utf-8"))
        affine = torch.eye(4).numpy() if image.geometry.affine is None else image.geometry.affine
        return runner.segmented(image.voxels, image.geometry.spacing, affine, scores, inferer, about, "cpu")

    return classes


def _metadata(model: TrainedModel) -> dict[str, Any]:
    task = model.task
    structures = ", ".join(model.target_names)
    about = model.provenance
    tensor = {"type": "image", "format": "magnitude", "dtype": "float32", "is_patch_data": True}
    return {
        "schema": _SCHEMA,
        "version": "0.1.0",
        "changelog": {"0.1.0": "written by nas"},
        "monai_version": version("monai"),
        "pytorch_version": version("torch").partition("+")[0],
        "numpy_version": version("numpy"),
        "required_packages_version": {"nibabel": version("nibabel")},
        "name": str(about.get("study") or "nas"),
        "task": f"segmentation of {structures}",
        "description": f"A network of {model.graph.parameters:,} parameters that segments {structures}.",
        "authors": "written by nas",
        "copyright": "of whoever trained it",
        "data_source": str(about.get("data") or "not recorded"),
        "intended_use": "Research. It is no medical device.",
        "network_data_format": {
            "inputs": {
                "image": {
                    **tensor,
                    "num_channels": task.channels,
                    "spatial_shape": list(task.patch),
                    "value_range": [-10, 10],
                    "channel_def": {str(number): name for number, name in enumerate(model.channels)},
                }
            },
            "outputs": {
                "pred": {
                    **tensor,
                    "format": "segmentation",
                    "num_channels": task.classes,
                    "spatial_shape": list(task.patch),
                    "value_range": [],
                    "channel_def": {str(number): name for number, name in enumerate(model.classes)},
                }
            },
        },
    }


def _inference(model: TrainedModel) -> dict[str, Any]:
    return {
        "imports": ["$from scripts.run import segment_folder"],
        "bundle_root": "$__import__('os').getcwd()",
        "dataset_dir": "$@bundle_root + '/images'",
        "output_dir": "$@bundle_root + '/predictions'",
        "device": "$__import__('torch').device('cuda' if __import__('torch').cuda.is_available() else 'cpu')",
        "network_def": {"_target_": "scripts.network.Network"},
        "network": "$@network_def.to(@device)",
        "inferer": _inferer(model),
        "run": ["$segment_folder(@network, @inferer, @bundle_root, @dataset_dir, @output_dir, @device)"],
    }


def _inferer(model: TrainedModel) -> dict[str, Any]:
    size, overlap = model.windows.size or model.task.patch, model.windows.overlap
    windows: dict[str, Any] = {"roi_size": list(size), "sw_batch_size": 4, "overlap": overlap, "mode": "gaussian"}
    windows |= {"padding_mode": "replicate"}
    if model.slicing is None:
        return {"_target_": "monai.inferers.SlidingWindowInferer", **windows}
    return {"_target_": "monai.inferers.SliceInferer", "spatial_dim": model.slicing.axis, **windows}


def _network_source(model: TrainedModel) -> str:
    """The network, or an ensemble of it under the same name."""
    text = source(model.graph)
    if len(model.states) == 1:
        return text
    if "\nimport torch\n" not in text:
        text = text.replace("\nfrom torch import", "\nimport torch\nfrom torch import", 1)
    return f"{text.replace('class Network(', 'class Member(')}{_ENSEMBLE.format(count=len(model.states))}"


_ENSEMBLE = '''

class Network(nn.Module):
    """Trainings whose probabilities are averaged; the scores are their logarithm."""

    def __init__(self):
        super().__init__()
        self.members = nn.ModuleList(Member() for _ in range({count}))

    def forward(self, image: Tensor) -> Tensor:
        mean = torch.stack([member(image).softmax(1) for member in self.members]).mean(0)
        return mean.clamp(min=torch.finfo(mean.dtype).tiny).log()
'''
_USE = """## As a bundle

    cd BUNDLE
    python -m monai.bundle run --config_file configs/inference.json --meta_file configs/metadata.json \\
        --dataset_dir IMAGES --output_dir PREDICTIONS
    python -m monai.bundle verify_metadata --meta_file configs/metadata.json --filepath configs/schema.json
    python -m monai.bundle verify_net_in_out network --meta_file configs/metadata.json \\
        --config_file configs/inference.json --device cpu
"""
_LICENCE = (
    "Of the weights and the network: whoever trained them says. Of the data they were trained on: see docs/README.md.\n"
)


def _parsed(folder: Path, name: str) -> Any:
    """What MONAI makes of one entry of the configuration."""
    from monai.bundle import ConfigParser

    _forget()
    parser = ConfigParser()
    parser.read_config(str(folder / "configs" / "inference.json"))
    parser["bundle_root"] = str(folder)
    parser["device"] = "cpu"
    sys.path.insert(0, str(folder))
    try:
        return parser.get_parsed_content(name)
    finally:
        sys.path.remove(str(folder))
        _forget()


def _module(folder: Path, name: str) -> Any:
    from importlib import import_module

    _forget()
    sys.path.insert(0, str(folder))
    try:
        return import_module(f"scripts.{name}")
    finally:
        sys.path.remove(str(folder))
        _forget()


def _forget() -> None:
    """Another bundle's `scripts` must not stand for this one's."""
    for name in [name for name in sys.modules if name == "scripts" or name.startswith("scripts.")]:
        del sys.modules[name]


def _write_json(path: Path, document: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")
