"""Forms of fewer bits run, are small, and say what they cost."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from nas.data import Case, Dataset, Geometry, Image, Volume
from nas.errors import InputError
from nas.export.exporting import LOSS, export
from nas.export.formats import format_of, int8
from nas.export.sample import expect_same_classes, loss_of, sample_of
from nas.model import TrainedModel, segment
from tests.model.factories import model, voxels

onnxruntime: Any = pytest.importorskip("onnxruntime", reason="pip install 'nas[onnx]'")

MODEL = model(axes=2)


def dataset(count: int = 6, labelled_by: TrainedModel = MODEL) -> Dataset:
    """Cases labelled with what the model sees in them, so that float32 loses nothing."""

    def load(case: Case) -> Volume:
        image = voxels(int(case.name), (40, 30))[None]
        geometry = Geometry((1.0, 1.5))
        return Volume(image, segment(labelled_by, Image(image, geometry)).classes, geometry)

    cases = tuple(Case(str(number)) for number in range(count))
    return Dataset("phantoms", None, 2, MODEL.channels, MODEL.classes, cases, load)


def test_int8_is_small_fitted_to_cases_and_measured_on_others(tmp_path: Path) -> None:
    sample = sample_of(dataset(), "phantoms", measured=("1", "4"), barred=("0",))
    assert [case.name for case in sample.fitted] == ["2", "3", "5"]
    (entry,) = export(MODEL, ["int8"], tmp_path / "out", sample)
    assert entry.loss is not None
    assert (entry.loss.cases, entry.loss.full) == (2, 1.0)
    assert 0 < entry.loss.lost < 0.3
    written = json.loads((tmp_path / "out" / LOSS).read_text())
    assert written["cases"] == ["1", "4"]
    assert written["dice"] == entry.loss.reduced
    assert "windows" in json.loads((tmp_path / "out" / "model.json").read_text())["numbers"]
    kinds = operations(tmp_path / "out" / "model.onnx")
    assert {"QuantizeLinear", "DequantizeLinear"} <= kinds
    assert {path.name for path in entry.files} == {"model.onnx", "model.json", "segment.py", LOSS}


def operations(path: Path) -> set[str]:
    import onnx

    return {node.op_type for node in onnx.load(path).graph.node}


def test_int8_needs_no_data(tmp_path: Path) -> None:
    form = format_of("int8")
    form.write(MODEL, tmp_path)
    assert "ConvInteger" in operations(tmp_path / "model.onnx")
    classes = form.segmenting(tmp_path, MODEL)
    assert classes is not None
    image = Image(voxels(0, (40, 30))[None], Geometry((1.0, 1.5)))
    assert np.mean(classes(image) == segment(MODEL, image).classes) > int8.AGREEMENT


@pytest.mark.parametrize("made", [MODEL, model(members=2)], ids=["picture", "ensemble of volumes"])
def test_bf16_is_half_the_size_and_runs_as_its_description_says(made: TrainedModel, tmp_path: Path) -> None:
    import runpy

    import torch
    from safetensors.torch import load_file

    short, whole = (export(made, [form], tmp_path / form)[0] for form in ("bf16", "pytorch"))
    assert short.reduced
    assert short.loss is None
    weights = load_file(tmp_path / "bf16" / "weights.safetensors")
    assert {tensor.dtype for tensor in weights.values()} <= {torch.bfloat16, torch.int64}
    sizes = [
        sum(path.stat().st_size for path in entry.files if path.suffix == ".safetensors") for entry in (short, whole)
    ]
    assert sizes[0] < 0.7 * sizes[1]
    names = runpy.run_path(str(tmp_path / "bf16" / "model.py")) | {
        "weights": weights,
        "image": torch.zeros(1, made.task.channels, *made.task.patch),
    }
    use = json.loads((tmp_path / "bf16" / "architecture.json").read_text())["use"]
    *before, last = use.split("; ")
    exec("\n".join(before), names)
    scores = eval(last, names)
    assert scores.shape == (1, 3, *made.task.patch)
    assert scores.dtype == torch.float32


def test_a_loss_is_the_difference_of_mean_dice() -> None:
    sample = sample_of(dataset(4), "phantoms")
    assert [case.name for case in sample.measured] == ["0", "2"]

    def nothing(image: Image) -> npt.NDArray[np.uint8]:
        return np.zeros(image.voxels.shape[1:], np.uint8)

    loss = loss_of(MODEL, nothing, sample)
    assert (loss.full, loss.reduced, loss.lost) == (1.0, 0.0, 1.0)


def test_cases_of_another_kind_are_refused() -> None:
    with pytest.raises(InputError, match="data: phantoms is 2D with the classes background, front, back"):
        expect_same_classes(model(), dataset())
    with pytest.raises(InputError, match="none of the cases that the network was scored on"):
        sample_of(dataset(), "phantoms", measured=("99",))


def test_so_few_bits_that_nothing_is_left_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    form = format_of("bf16")
    monkeypatch.setattr(form, "opened", lambda folder, made: lambda images: 0 * images.expand(-1, 3, -1, -1))
    with pytest.raises(InputError, match="--as bf16: what was written does not agree with the network"):
        export(MODEL, ["bf16"], tmp_path / "out")
    assert not (tmp_path / "out").exists()
