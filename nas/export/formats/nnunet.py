"""A results folder of nnU-Net version 2: its `nnUNetv2_predict_from_modelfolder` segments with it.

nnU-Net prepares images as nas does (Isensee et al. 2021), so its plan says how: axes turned to right, anterior,
superior by its reader for NIfTI, then in this order, or with the axis of slices first.
"""

import importlib.util
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from nas.errors import InputError
from nas.export.ensemble import module_of, scores_of
from nas.export.formats import Classes, Scores
from nas.export.source import source
from nas.graph import Axes, Graph
from nas.model import TrainedModel

SUMMARY = "a results folder of nnU-Net v2, which predicts with it"
TOLERANCE = 1e-4
ONE_NETWORK = True
_PLANS, _DATASET, _CHECKPOINT = "plans.json", "dataset.json", "checkpoint_final.pth"
_FOLD = "fold_0"


def write(model: TrainedModel, folder: Path) -> None:
    """plans.json, dataset.json, fold_0/checkpoint_final.pth, the module of the network, and README.md."""
    if model.slicing is not None and model.slicing.neighbours:
        raise InputError(
            "--as nnunet: nnU-Net shows a network one slice at a time, and this one sees neighbours; export it --as "
            "onnx, whose program shows it all"
        )
    plans, dataset, name = _plans(model), _dataset(model), _module_name(model)
    _write_json(folder / _PLANS, plans)
    _write_json(folder / _DATASET, dataset)
    (folder / f"{name}.py").write_text(_network_source(model), encoding="utf-8")
    (folder / _FOLD).mkdir()
    checkpoint = {
        "network_weights": {f"network.{key}": tensor for key, tensor in module_of(model).state_dict().items()},
        "trainer_name": _trainer(model),
        "init_args": {"plans": plans, "configuration": _configuration(model), "fold": 0, "dataset_json": dataset},
        "inference_allowed_mirroring_axes": tuple(model.mirrored) or None,
    }
    torch.save(checkpoint, folder / _FOLD / _CHECKPOINT)
    (folder / "README.md").write_text(_readme(model, name), encoding="utf-8")


def opened(folder: Path, model: TrainedModel) -> Scores:
    """The network as nnU-Net makes it for prediction, from the written module and checkpoint."""
    network = network_of(folder, deep_supervision=False)
    return scores_of(network.eval())


def segmenting(folder: Path, model: TrainedModel) -> Classes | None:
    """None: segmenting is nnU-Net's."""
    return None


def network_of(folder: Path, *, deep_supervision: bool) -> Any:
    """The network in a written folder, with its weights; nothing is unpickled.

    Args:
        folder: that was written.
        deep_supervision: whether it returns a list of scores.
    """
    plans = json.loads((folder / _PLANS).read_text(encoding="utf-8"))
    (configuration,) = plans["configurations"].values()
    architecture = configuration["architecture"]
    name = architecture["network_class_name"].partition(".")[0]
    specification = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    labels = json.loads((folder / _DATASET).read_text(encoding="utf-8"))
    counts = len(labels["channel_names"]), len(labels["labels"])
    network = module.Network(*counts, deep_supervision=deep_supervision, **architecture["arch_kwargs"])
    checkpoint = torch.load(folder / _FOLD / _CHECKPOINT, map_location="cpu", weights_only=True)
    network.load_state_dict(checkpoint["network_weights"])
    return network


def strides_of(graph: Graph) -> list[list[int]]:
    """One for each output and one more, from which nnU-Net reckons how coarse the targets of each output are."""
    reached: Axes = (1,) * graph.task.axes
    strides = []
    for position in graph.outputs:
        found = graph.nodes[position].strides
        strides.append([new // old for new, old in zip(found, reached, strict=True)])
        reached = found
    return [*strides, [2] * graph.task.axes]


def _module_name(model: TrainedModel) -> str:
    """Of its own for each network, as several may lie on one path."""
    return f"nas_network_{model.graph.digest[:12]}"


def _is_supervised(model: TrainedModel) -> bool:
    return len(model.graph.outputs) > 1 and len(model.states) == 1


def _trainer(model: TrainedModel) -> str:
    # nnU-Net's own trainer gives the coarsest output no weight, which leaves nothing where there is one alone.
    return "nnUNetTrainer" if _is_supervised(model) else "nnUNetTrainerNoDeepSupervision"


def _configuration(model: TrainedModel) -> str:
    return "3d_fullres" if model.task.axes == 3 else "2d"


def _order(model: TrainedModel) -> list[int]:
    """The axes of an image as nas has them, in nnU-Net's order: that of slices first."""
    axes = list(range(model.axes))
    if model.slicing is not None:
        axes.remove(model.slicing.axis)
        axes.insert(0, model.slicing.axis)
    return axes


def _plans(model: TrainedModel) -> dict[str, Any]:
    # nnU-Net's readers give axes in reverse; pictures come with an axis of one slice in front.
    forward = [2 - axis for axis in _order(model)] if model.axes == 3 else [0, 1, 2]
    spacing = [float(model.preprocessing.spacing[axis]) for axis in _order(model)]
    about = str(model.provenance.get("data") or "")
    # What training reads and prediction does not: the median case, of which a model keeps the spacing alone.
    shape = [*([1] if model.task.axes == 2 else []), *model.task.patch]
    return {
        "dataset_name": about if re.fullmatch(r"Dataset\d{3}_\w+", about) else "Dataset001_nas",
        "plans_name": "nas",
        "original_median_spacing_after_transp": [*([999.0] if model.axes == 2 else []), *spacing],
        "original_median_shape_after_transp": shape,
        "image_reader_writer": "NibabelIOWithReorient" if model.axes == 3 else "NaturalImage2DIO",
        "transpose_forward": forward,
        "transpose_backward": [forward.index(axis) for axis in range(3)],
        "configurations": {_configuration(model): _planned(model, spacing)},
        "experiment_planner_used": "nas",
        "label_manager": "LabelManager",
        "foreground_intensity_properties_per_channel": {
            str(number): {
                "mean": channel.mean,
                "std": channel.deviation,
                "median": channel.mean,
                "min": channel.low,
                "max": channel.high,
                "percentile_00_5": channel.low,
                "percentile_99_5": channel.high,
            }
            for number, channel in enumerate(model.preprocessing.channels)
        },
    }


def _planned(model: TrainedModel, spacing: Sequence[float]) -> dict[str, Any]:
    channels, configuration = model.preprocessing.channels, _configuration(model)
    resampled = {"is_seg": False, "order": 3, "order_z": 0, "force_separate_z": None}
    function = "resample_data_or_seg_to_shape"
    return {
        "data_identifier": f"nas_{configuration}",
        "preprocessor_name": "DefaultPreprocessor",
        "batch_size": model.recipe.batch,
        "patch_size": list(model.windows.size or model.task.patch),
        "median_image_size_in_voxels": list(model.task.patch),
        "spacing": list(spacing),
        "normalization_schemes": ["ZScoreNormalization" if c.low is None else "CTNormalization" for c in channels],
        "use_mask_for_norm": [channel.inside for channel in channels],
        "resampling_fn_data": function,
        "resampling_fn_data_kwargs": resampled,
        "resampling_fn_seg": function,
        "resampling_fn_seg_kwargs": resampled | {"is_seg": True, "order": 1},
        "resampling_fn_probabilities": function,
        "resampling_fn_probabilities_kwargs": resampled | {"order": 1},
        "architecture": {
            "network_class_name": f"{_module_name(model)}.Network",
            "arch_kwargs": {"strides": strides_of(model.graph) if _is_supervised(model) else _strides_of_one(model)},
            "_kw_requires_import": [],
        },
        "batch_dice": False,
    }


def _strides_of_one(model: TrainedModel) -> list[list[int]]:
    return [[1] * model.task.axes, [2] * model.task.axes]


def _dataset(model: TrainedModel) -> dict[str, Any]:
    return {
        "channel_names": {str(number): name for number, name in enumerate(model.channels)},
        "labels": {name: index for index, name in enumerate(model.classes)},
        "numTraining": 0,
        "file_ending": ".nii.gz" if model.axes == 3 else ".png",
    }


def _network_source(model: TrainedModel) -> str:
    """The network as nnU-Net makes it: what it returns follows a switch, also in evaluation mode."""
    text = source(model.graph).replace("class Network(", "class Member(")
    text = text.replace("if not self.training:", "if not self.switch.deep_supervision:")
    _, facts, *_ = text.split("\n\n", 2)
    body = text[text.index('"""', 3) + 3 :]
    if "\nimport torch\n" not in body:
        body = body.replace("\nfrom torch import", "\nimport torch\nfrom torch import", 1)
    members = len(model.states)
    made, mean = ("Member()", "") if members == 1 else (f"Mean({members})", _MEAN)
    return f'"""A network for nnU-Net.\n\n{facts}\n"""{body}{_SWITCH}{mean}{_NETWORK.format(made=made)}'


_SWITCH = '''

class Switch(nn.Module):
    """Whether the coarser scores are returned too. nnU-Net sets it."""

    def __init__(self, deep_supervision: bool) -> None:
        super().__init__()
        self.deep_supervision = deep_supervision
'''
_MEAN = '''

class Mean(nn.Module):
    """Trainings whose probabilities are averaged; the scores are their logarithm."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.members = nn.ModuleList(Member() for _ in range(count))
        for member in self.members:
            member.switch = Switch(False)

    def forward(self, image: Tensor) -> Tensor:
        mean = torch.stack([member(image).softmax(1) for member in self.members]).mean(0)
        return mean.clamp(min=torch.finfo(mean.dtype).tiny).log()
'''
_NETWORK = '''

class Network(nn.Module):
    """What nnU-Net asks of a network: these arguments, and `decoder.deep_supervision`.

    With it, it returns a list of scores, full resolution first, else these alone.
    """

    def __init__(
        self,
        input_channels: int,
        num_classes: int,
        deep_supervision: bool = True,
        **kwargs: object,
    ) -> None:
        super().__init__()
        self.network = {made}
        self.decoder = Switch(deep_supervision)
        self.network.switch = self.decoder

    def forward(self, image: Tensor) -> Tensor | list[Tensor]:
        scores = self.network(image)
        if not self.decoder.deep_supervision:
            return scores
        return list(scores) if isinstance(scores, tuple) else [scores]

    @staticmethod
    def initialize(module: nn.Module) -> None:
        """He's weights for convolutions, when nnU-Net trains anew."""
        kinds = (nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.ConvTranspose3d)
        if isinstance(module, kinds):
            nn.init.kaiming_normal_(module.weight, a=0.01)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
'''


def _readme(model: TrainedModel, name: str) -> str:
    trainer = "" if _is_supervised(model) else f" -tr {_trainer(model)}"
    notes = "".join(f"- {note}\n" for note in _notes(model))
    return _README.format(name=name, configuration=_configuration(model), trainer=trainer, notes=notes)


def _notes(model: TrainedModel) -> list[str]:
    """Where nnU-Net does something else than nas."""
    notes = [
        "nnU-Net averages scores over mirrored images and windows, nas probabilities.",
        "nnU-Net spreads windows evenly over an image; nas takes full steps and lays the last window at the end.",
        "nnU-Net adds up in half precision.",
    ]
    if list(model.values) != list(range(len(model.values))):
        pairs = ", ".join(f"{name}: {value}" for name, value in zip(model.classes, model.values, strict=True))
        notes.append(f"nnU-Net writes a class's number; the files that this was trained on held others ({pairs}).")
    if model.windows.size is None:
        notes.append("nas sees images whole where it can; nnU-Net looks through windows of the patch's size.")
    if not model.preprocessing.crop:
        notes.append("nnU-Net cuts away what is 0 around the content, nas does not for this model.")
    return notes


_README = """# A network of nas for nnU-Net version 2

Segment, with the folder of this file on the path, as the module `{name}` lies in it:

    PYTHONPATH=. nnUNetv2_predict_from_modelfolder -m . -f 0 -i IMAGES -o PREDICTIONS

Train on, on a data set of nnU-Net's, here number 1 (plans.json has `dataset_name`: set it to the data set's):

    nnUNetv2_extract_fingerprint -d 1
    cp plans.json $nnUNet_preprocessed/Dataset001_nas/nas.json
    cp $nnUNet_raw/Dataset001_nas/dataset.json $nnUNet_preprocessed/Dataset001_nas/
    nnUNetv2_preprocess -d 1 -plans_name nas -c {configuration}
    PYTHONPATH=. nnUNetv2_train 1 {configuration} 0 -p nas{trainer} -pretrained_weights fold_0/checkpoint_final.pth

Without `-pretrained_weights` it trains anew.

What differs from `nas predict`:

{notes}"""


def _write_json(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")
