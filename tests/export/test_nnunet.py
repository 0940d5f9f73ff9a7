"""What is written for nnU-Net is what it asks for, and stock nnU-Net segments with it.

`make nnunet` makes an environment with nnunetv2 and runs what needs it, which is skipped otherwise. NNUNET is the
folder of nnU-Net's programs.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import torch

from nas.data import Geometry, Image, Normalisation
from nas.errors import InputError
from nas.export.exporting import export
from nas.export.formats.nnunet import network_of
from nas.model import TrainedModel, segment
from nas.training import Slicing, inference
from tests.benchmarks.nnunet_windows import even
from tests.model.factories import model, nifti, voxels

CT = Normalisation(low=-100, high=300, mean=50, deviation=80)
SUPERVISED = model(reference="nnU-Net", strides=((1, 2, 2), (2, 2, 2), (2, 2, 2)))


def written(made: TrainedModel, folder: Path) -> Path:
    export(made, ["nnunet"], folder)
    return folder


@pytest.mark.parametrize("training", [False, True])
def test_the_switch_alone_says_what_is_returned(training: bool, tmp_path: Path) -> None:
    folder = written(SUPERVISED, tmp_path / "out")
    network = network_of(folder, deep_supervision=True).train(training)
    image = torch.zeros(1, 1, 16, 16, 16)
    scores = network(image)
    assert isinstance(scores, list)
    assert [tuple(score.shape[2:]) for score in scores] == [(16, 16, 16), (16, 8, 8), (8, 4, 4)]
    network.decoder.deep_supervision = False
    assert network(image).shape == (1, 3, 16, 16, 16)


@pytest.mark.parametrize("made", [SUPERVISED, model(), model(axes=2), model(members=2)], ids=str)
def test_there_is_a_stride_more_than_outputs_and_nnunet_s_scales_are_those_of_the_outputs(
    made: TrainedModel, tmp_path: Path
) -> None:
    folder = written(made, tmp_path / "out")
    plans = json.loads((folder / "plans.json").read_text())
    (configuration,) = plans["configurations"].values()
    strides = configuration["architecture"]["arch_kwargs"]["strides"]
    scales = np.cumprod(np.vstack(strides), axis=0)[:-1]  # as nnUNetTrainer reckons them
    outputs = network_of(folder, deep_supervision=True)(torch.zeros(2, made.task.channels, *made.task.patch))
    assert [list(output.shape[2:]) for output in outputs] == [list(made.task.patch // scale) for scale in scales]


def test_the_checkpoint_holds_tensors_and_plain_values_alone(tmp_path: Path) -> None:
    folder = written(model(mirrored=True), tmp_path / "out")
    checkpoint = torch.load(folder / "fold_0" / "checkpoint_final.pth", weights_only=True)
    assert checkpoint["trainer_name"] == "nnUNetTrainerNoDeepSupervision"
    assert checkpoint["init_args"]["configuration"] == "3d_fullres"
    assert checkpoint["inference_allowed_mirroring_axes"] == (0, 1, 2)


@pytest.mark.parametrize(
    ("made", "forward", "spacing", "reader"),
    [
        (model(), [2, 1, 0], [1.0, 1.5, 2.0], "NibabelIOWithReorient"),
        (model(slicing=Slicing(2, 0)), [0, 2, 1], [2.0, 1.0, 1.5], "NibabelIOWithReorient"),
        (model(slicing=Slicing(1, 0)), [1, 2, 0], [1.5, 1.0, 2.0], "NibabelIOWithReorient"),
        (model(axes=2), [0, 1, 2], [1.0, 1.5], "NaturalImage2DIO"),
    ],
)
def test_axes_stand_in_the_order_that_the_network_sees(
    made: TrainedModel, forward: list[int], spacing: list[float], reader: str, tmp_path: Path
) -> None:
    plans = json.loads((written(made, tmp_path / "out") / "plans.json").read_text())
    (configuration,) = plans["configurations"].values()
    backward = plans["transpose_backward"]
    assert (plans["transpose_forward"], configuration["spacing"], plans["image_reader_writer"]) == (
        forward,
        spacing,
        reader,
    )
    assert [forward[axis] for axis in backward] == [0, 1, 2]


def test_fixed_units_become_nnunet_s_of_ct(tmp_path: Path) -> None:
    plans = json.loads((written(model(normalisation=CT), tmp_path / "out") / "plans.json").read_text())
    assert plans["configurations"]["3d_fullres"]["normalization_schemes"] == ["CTNormalization"]
    intensities = plans["foreground_intensity_properties_per_channel"]["0"]
    assert [intensities[name] for name in ("percentile_00_5", "percentile_99_5", "mean", "std")] == [-100, 300, 50, 80]


def test_neighbours_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--as nnunet: .* export it --as onnx"):
        export(model(slicing=Slicing(2, 1), channels=2), ["nnunet"], tmp_path / "out")


def test_values_that_are_lost_are_told(tmp_path: Path) -> None:
    text = (written(model(values=(0, 7, 500)), tmp_path / "out") / "README.md").read_text()
    assert "background: 0, front: 7, back: 500" in text


STOCK = {
    "volume": model(),
    "deep supervision, mirrored": model(reference="nnU-Net", strides=((1, 2, 2), (2, 2, 2), (2, 2, 2)), mirrored=True),
    "fixed units, ensemble": model(members=2, normalisation=CT),
    "content": model(normalisation=Normalisation(inside=True)),
    "slices": model(slicing=Slicing(2, 0)),
}


def stock(program: str, *arguments: str, model: Path, data: Path, **environment: str) -> None:
    """Run a program of nnU-Net's own that finds the network of a model's folder, its data below another."""
    folders = {name: str(data / name) for name in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results")}
    ended = subprocess.run(
        [str(Path(os.environ["NNUNET"]) / program), *arguments],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, **folders, **environment, "PYTHONPATH": str(model)},
    )
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-4000:]


def stock_classes(folder: Path, tmp_path: Path, array: Any, affine: Any, *, mirrored: bool) -> Any:
    """What nnU-Net's own program makes of a volume with the model in a folder."""
    nifti(tmp_path / "images" / "one_0000.nii.gz", array, affine)
    places = ["-i", str(tmp_path / "images"), "-o", str(tmp_path / "labels"), "-m", str(folder), "-f", "0"]
    disabled = [] if mirrored else ["--disable_tta"]
    options = ["-device", "cpu", "-npp", "1", "-nps", "1", *disabled]
    stock("nnUNetv2_predict_from_modelfolder", *places, *options, model=folder, data=tmp_path)
    return np.asarray(nibabel.load(tmp_path / "labels" / "one.nii.gz").dataobj)


@pytest.mark.nnunet
@pytest.mark.skipif("NNUNET" not in os.environ, reason="make nnunet")
@pytest.mark.parametrize("name", STOCK)
def test_stock_nnunet_segments_as_nas_does(name: str, tmp_path: Path) -> None:
    made, folder = STOCK[name], written(STOCK[name], tmp_path / "out")
    # One window: nnU-Net spreads windows over an image in another way.
    array = np.pad(voxels(shape=(16, 16, 16)), ((4, 1), (0, 3), (2, 2)))
    array[4:8, :3, 2:6] = 0  # outside the content too
    # Turned and mirrored, so that axes come in another order than the network's; of its spacing.
    affine = np.array([[0.0, 1.0, 0.0, 3.0], [-1.5, 0.0, 0.0, 7.0], [0.0, 0.0, 2.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    array = array.transpose(1, 0, 2)
    found = stock_classes(folder, tmp_path, array, affine, mirrored=bool(made.mirrored))
    stored = nibabel.load(tmp_path / "images" / "one_0000.nii.gz")
    image = Image(array[None].astype(np.float32), Geometry(tuple(map(float, stored.header.get_zooms())), stored.affine))
    # nnU-Net adds up in half precision, which rounds the scores in a window's corners to whole numbers, and averages
    # scores over mirrored images where nas averages probabilities; what was not trained has much between classes.
    assert np.mean(found == segment(made, image).classes) > (0.96 if made.mirrored else 0.99)


@pytest.mark.nnunet
@pytest.mark.skipif("NNUNET" not in os.environ, reason="make nnunet")
def test_stock_nnunet_s_several_windows_lie_where_nas_s_do_if_these_are_spread_evenly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, folder = STOCK["volume"], written(STOCK["volume"], tmp_path / "out")
    array = voxels(shape=(41, 37, 35))
    affine = np.diag([1.0, 1.5, 2.0, 1.0])
    found = stock_classes(folder, tmp_path, array, affine, mirrored=False)
    image = Image(array[None], Geometry((1.0, 1.5, 2.0), affine))
    before = float(np.mean(found == segment(made, image).classes))
    monkeypatch.setattr(inference, "_starts", even)
    # The rest: scores averaged, in half precision, by a bell of another middle; with a network that saw no image.
    assert max(before, 0.9) < np.mean(found == segment(made, image).classes)


SHORT = """
from nnunetv2.training.nnUNetTrainer.{file} import {trainer}


class Short({trainer}):
    def __init__(self, plans, configuration, fold, dataset_json, device):
        super().__init__(plans, configuration, fold, dataset_json, device)
        self.num_epochs, self.num_iterations_per_epoch, self.num_val_iterations_per_epoch = 1, 2, 1
"""
TRAINERS = {
    "volume": ("variants.network_architecture.nnUNetTrainerNoDeepSupervision", "nnUNetTrainerNoDeepSupervision"),
    "deep supervision, mirrored": ("nnUNetTrainer", "nnUNetTrainer"),
}
"""The module of each, which the folder's README names, and its class."""


@pytest.mark.nnunet
@pytest.mark.skipif("NNUNET" not in os.environ, reason="make nnunet")
@pytest.mark.parametrize("name", TRAINERS)
def test_stock_nnunet_trains_what_is_written_from_its_weights(name: str, tmp_path: Path) -> None:
    file, trainer = TRAINERS[name]
    folder = written(STOCK[name], tmp_path / "out")
    assert trainer == torch.load(folder / "fold_0" / "checkpoint_final.pth", weights_only=True)["trainer_name"]
    raw, preprocessed = tmp_path / "nnUNet_raw" / "Dataset001_nas", tmp_path / "nnUNet_preprocessed" / "Dataset001_nas"
    affine = np.diag([1.0, 1.5, 2.0, 1.0])
    for number in range(5):
        array = voxels(number, (20, 20, 20))
        nifti(raw / "imagesTr" / f"case{number}_0000.nii.gz", array, affine)
        label = np.digitize(array, np.quantile(array, [0.6, 0.8])).astype(np.uint8)
        nifti(raw / "labelsTr" / f"case{number}.nii.gz", label, affine)
    (raw / "dataset.json").write_text(
        json.dumps(json.loads((folder / "dataset.json").read_text()) | {"numTraining": 5})
    )
    (tmp_path / "trainers").mkdir()
    (tmp_path / "trainers" / "short.py").write_text(SHORT.format(file=file, trainer=trainer))
    one = {"nnUNet_n_proc_DA": "0", "nnUNet_def_n_proc": "1", "nnUNet_extTrainer": str(tmp_path / "trainers")}
    # As the folder's README has it.
    stock("nnUNetv2_extract_fingerprint", "-d", "1", "-np", "1", model=folder, data=tmp_path)
    (preprocessed / "nas.json").write_bytes((folder / "plans.json").read_bytes())
    (preprocessed / "dataset.json").write_bytes((raw / "dataset.json").read_bytes())
    prepared = ["-d", "1", "-plans_name", "nas", "-c", "3d_fullres", "-np", "1"]
    stock("nnUNetv2_preprocess", *prepared, model=folder, data=tmp_path)
    begun = folder / "fold_0" / "checkpoint_final.pth"
    trained = ["1", "3d_fullres", "0", "-p", "nas", "-tr", "Short", "-device", "cpu", "-pretrained_weights", str(begun)]
    stock("nnUNetv2_train", *trained, model=folder, data=tmp_path, **one)
    result = tmp_path / "nnUNet_results" / "Dataset001_nas" / "Short__nas__3d_fullres" / "fold_0"
    assert json.loads((result / "validation" / "summary.json").read_text())["mean"]
    before = torch.load(begun, weights_only=True)["network_weights"]
    after = torch.load(result / "checkpoint_final.pth", weights_only=False)["network_weights"]
    assert before.keys() == after.keys()
    moved = [float((after[key] - tensor).abs().max()) for key, tensor in before.items() if tensor.is_floating_point()]
    assert 0 < max(moved) < 1  # two steps away from where it began, not anew
