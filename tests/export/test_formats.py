"""Each form of a trained model is run by its own tool and agrees with the model."""

import json
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import torch

from nas.data import Normalisation
from nas.errors import InputError
from nas.export.exporting import export, phantom
from nas.export.formats import format_names, format_of
from nas.model import TrainedModel, segment
from nas.training import Slicing, Window
from tests.model.factories import model, nifti, voxels

onnx = pytest.importorskip("onnxruntime", reason="pip install 'nas[onnx]'")

MODELS = {
    "volume": model(),
    "mirrored, cropped content": model(mirrored=True, normalisation=Normalisation(inside=True)),
    "fixed units, ensemble": model(members=2, normalisation=Normalisation(low=-100, high=300, mean=50, deviation=80)),
    "picture": model(axes=2, channels=3),
    "picture at once": model(axes=2, window=Window(), mirrored=True),
    "slices at once": model(slicing=Slicing(2, 0), window=Window()),
    "slices with neighbours": model(slicing=Slicing(2, 1), channels=2),
}


def cases() -> list[Any]:
    """Every form with one model, and those that are quick, or all of them where there is time, with every model."""
    quick = {("onnx", "mirrored, cropped content"), ("pt2", "picture"), ("monai", "fixed units, ensemble")}
    quick |= {("onnx", "picture at once"), ("monai", "slices at once"), ("monai", "picture at once")}
    found = []
    for form, name in product(("model", "pytorch", "onnx", "pt2", "monai", "nnunet"), MODELS):
        if form not in ("monai", "nnunet") or name != "slices with neighbours":
            slow = form not in ("model", "pytorch", "nnunet") and (form, name) not in quick
            found.append(
                pytest.param(form, MODELS[name], id=f"{form}: {name}", marks=[pytest.mark.slow] if slow else [])
            )
    return found


@pytest.mark.parametrize(("form", "made"), cases())
def test_what_is_written_agrees_over_sizes_and_on_a_whole_image(form: str, made: TrainedModel, tmp_path: Path) -> None:
    (found,) = export(made, [form], tmp_path / "out")
    assert found.difference <= format_of(form).TOLERANCE
    assert found.agreement >= 0.999
    assert len(found.sizes) >= 2
    assert all(path.is_file() for path in found.files)


@pytest.mark.slow
@pytest.mark.parametrize("reference", ["U-Net", "nnU-Net", "DeepLabv3+ R50", "Attention U-Net", "Tiramisu-67"])
def test_published_networks_become_onnx(reference: str, tmp_path: Path) -> None:
    made = model(axes=2, patch=64, reference=reference)
    (found,) = export(made, ["onnx"], tmp_path / "out")
    assert found.agreement >= 0.999
    sizes = json.loads((tmp_path / "out" / "model.json").read_text())["sizes"]
    assert sizes["multiple"] == list(made.graph.total_stride)
    assert all(least >= 1 for least in sizes["minimum"])


ALONE = """
import runpy, sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("nas", "torch", "scipy", "monai", "onnx"):
            raise ImportError(f"{name} must not be needed")

sys.meta_path.insert(0, Refuse())
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_the_runner_needs_numpy_nibabel_and_onnx_runtime_alone(tmp_path: Path) -> None:
    made = model(mirrored=True, values=(0, 7, 500))
    export(made, ["onnx"], tmp_path / "out")
    image = phantom(made)
    path = nifti(tmp_path / "image.nii.gz", image.voxels[0], image.geometry.affine, descrip=b"mine")
    to = tmp_path / "labels.nii.gz"
    command = [sys.executable, "-I", "-c", ALONE, str(tmp_path / "out" / "segment.py"), str(path), "--to", str(to)]
    subprocess.run(command, check=True, cwd=tmp_path)
    written = nibabel.load(to)
    expected = np.array(made.values)[segment(made, image).classes]
    assert np.mean(np.asarray(written.dataobj) == expected) > 0.999
    assert np.allclose(written.affine, nibabel.load(path).affine)
    assert bytes(written.header["descrip"]).startswith(b"mine")


def test_the_runner_refuses_an_image_of_another_kind(tmp_path: Path) -> None:
    export(model(), ["onnx"], tmp_path / "out")
    np.save(tmp_path / "flat.npy", voxels(shape=(20, 20)))
    command = [sys.executable, str(tmp_path / "out" / "segment.py"), str(tmp_path / "flat.npy"), "--to", "x.npy"]
    ended = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode == 1
    assert "expected 1 channels (channel 0) and 3 axes" in ended.stderr


def test_several_forms_have_a_folder_each(tmp_path: Path) -> None:
    found = export(model(axes=2), ["pytorch", "pt2"], tmp_path / "out")
    assert [entry.folder.name for entry in found] == ["pytorch", "pt2"]
    export(model(axes=2, members=2), ["pytorch", "pt2"], tmp_path / "out")  # an earlier export is replaced
    assert (tmp_path / "out" / "pytorch" / "weights_1.safetensors").is_file()


def test_a_form_replaces_nothing_but_itself(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("...")
    with pytest.raises(InputError, match="exists and is no earlier nas export pytorch"):
        export(model(axes=2), ["pytorch"], tmp_path)


def test_an_unknown_form_is_refused_with_the_nearest() -> None:
    assert {"pytorch", "onnx", "pt2"} <= set(format_names())
    with pytest.raises(InputError, match="--as: 'onx' is unknown; did you mean 'onnx'"):
        format_of("onx")


def test_a_form_that_does_not_agree_is_not_put_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        format_of("pt2"), "opened", lambda folder, made: lambda images: torch.zeros(len(images), 3, *images.shape[2:])
    )
    with pytest.raises(InputError, match="--as pt2: what was written does not agree with the network"):
        export(model(axes=2), ["pt2"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_monai_refuses_neighbours_which_it_cannot_show(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--as monai: .* export it --as onnx"):
        export(MODELS["slices with neighbours"], ["monai"], tmp_path / "out")


@pytest.mark.slow
def test_monai_s_own_tools_verify_a_bundle_and_run_it(tmp_path: Path) -> None:
    made, bundle = model(mirrored=False, values=(0, 7, 500)), tmp_path / "bundle"
    export(made, ["monai"], bundle)
    image = phantom(made)
    nifti(tmp_path / "images" / "one.nii.gz", image.voxels[0], image.geometry.affine)
    configured = ["--meta_file", "configs/metadata.json", "--config_file", "configs/inference.json"]
    folders = ["--dataset_dir", str(tmp_path / "images"), "--output_dir", str(tmp_path / "labels")]
    commands = [
        ["verify_metadata", "--meta_file", "configs/metadata.json", "--filepath", "configs/schema.json"],
        ["verify_net_in_out", "network", *configured, "--device", "cpu"],
        ["run", *configured, *folders],
    ]
    for command in commands:
        subprocess.run([sys.executable, "-m", "monai.bundle", *command], cwd=bundle, check=True, capture_output=True)
    written = np.asarray(nibabel.load(tmp_path / "labels" / "one.nii.gz").dataobj)
    assert np.mean(written == np.array(made.values)[segment(made, image).classes]) > 0.999
