"""From a study to a folder that segments new images, without the data."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nas.model import load_model
from tests.cli.command import Command
from tests.model.factories import model, saved


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_study_s_network_becomes_a_model_that_predicts(nas: Command, folder: Path) -> None:
    short = ("--patch", "32,32", "--steps", "2", "--budget", "1h", "--device", "cpu")
    assert nas("search", "--space", "tiny", "--trials", "1", "--study", "s", *short).code == 0
    ended = nas("export", "s", "--as", "model,pytorch", "--to", "out", "--json")
    assert ended.code == 0, ended.err
    assert ended.json["study"] == "s"
    assert {Path(file).name for file in ended.json["files"]} >= {"model.json", "model.py", "weights.safetensors"}
    assert all(form["agreement"] > 0.999 for form in ended.json["forms"])
    about = load_model("out/model").provenance
    assert (about["study"], about["fold"], about["seed"]) == ("s", 0, 0)
    assert json.loads(Path("out/pytorch/architecture.json").read_text())["architecture"]["kind"]
    Path("images").mkdir()
    pixels = np.random.default_rng(0).integers(0, 255, (60, 50), np.uint8)
    Image.fromarray(pixels).save("images/a.png")
    assert nas("predict", "out/model", "--images", "images", "--to", "labels").code == 0
    assert np.asarray(Image.open("labels/a.png")).shape == (60, 50)
    # What fewer bits cost is measured on the cases of the fold.
    ended = nas("export", "s", "--as", "bf16", "--to", "short")
    assert ended.code == 0, ended.err
    assert "validation cases of fold 0" in ended.err
    assert json.loads(Path("short/loss.json").read_text())["cases"]


def test_the_best_of_a_study_are_averaged(nas: Command, folder: Path) -> None:
    short = ("--patch", "32,32", "--steps", "2", "--budget", "1h", "--device", "cpu")
    assert nas("search", "--space", "tiny", "--trials", "2", "--study", "s", *short).code == 0
    ended = nas("export", "s", "--top", "2", "--as", "model", "--to", "both")
    assert ended.code == 0, ended.err
    both = load_model("both")
    assert len({graph.digest for graph in both.of_each}) == 2
    assert "an ensemble of 2 trainings" in Path("both/MODEL_CARD.md").read_text()
    for arguments, expected in (
        (("s", "--top", "2", "--as", "pytorch"), "an ensemble of different ones; give model, onnx or pt2"),
        (("s", "--top", "3"), "has 2 networks that were trained to full length"),
        (("s", "--top", "2", "--trial", "0"), "--trial names one network"),
        (("both", "--top", "2"), "a model names one network"),
    ):
        ended = nas("export", *arguments, "--to", "other")
        assert (ended.code, expected in " ".join(ended.err.split())) == (2, True), ended.err


def test_a_model_s_folder_is_exported_without_a_study(nas: Command, folder: Path) -> None:
    saved(folder, model(axes=2))
    ended = nas("export", "model", "--to", "best")
    assert ended.code == 0, ended.err
    assert "pytorch: tried with" in ended.err
    assert sorted(path.name for path in Path("best").iterdir() if not path.name.startswith(".")) == [
        "architecture.json",
        "model.py",
        "weights.safetensors",
    ]


def test_without_data_a_loss_is_said_not_to_be_measured(nas: Command, folder: Path) -> None:
    saved(folder, model(axes=2))
    ended = nas("export", "model", "--as", "bf16", "--to", "out", "--json")
    assert ended.json["forms"][0]["loss"] is None
    assert "is not measured, as no data are here; give them as --data" in nas("export", "model", "--as", "bf16").err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("model", "--as", "onxx"), "--as: 'onxx' is unknown; did you mean 'onnx'"),
        (("nothing",), "a search has written"),
        (("model", "--as", "bf16", "--data", "brain"), "as the model was trained on"),
        (("model", "--to", "model"), "exists and is no earlier nas export pytorch"),
    ],
)
def test_what_cannot_be_exported_is_refused(
    arguments: tuple[str, ...], expected: str, nas: Command, folder: Path
) -> None:
    saved(folder, model(axes=2))
    ended = nas("export", *arguments)
    assert ended.code == 2
    assert expected in ended.err
