"""`nas predict` and `nas evaluate` as a person types them, on images good and bad."""

import csv
import gzip
import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import numpy.typing as npt
import psutil
import pytest
import tifffile
import torch
from PIL import Image as Picture
from safetensors.torch import save_file

from nas.data import Normalisation, read_image
from nas.model import load_model, segment
from nas.network import build
from tests.cli.command import Command
from tests.model.factories import OBLIQUE, SHAPE, model, nifti, saved, voxels


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model, and two images for it."""
    saved(tmp_path, model(values=(0, 7, 500)))
    for number in range(2):
        nifti(tmp_path / "images" / f"case_{number}.nii.gz", voxels(number))
    return tmp_path


def predict(nas: Command, folder: Path, *further: str, code: int = 0, to: str = "out") -> str:
    ended = nas(
        "predict", str(folder / "model"), "--images", str(folder / "images"), "--to", str(folder / to), *further
    )
    assert ended.code == code, ended.err
    assert "Traceback" not in ended.err
    return ended.out + ended.err


def array(path: Path) -> npt.NDArray[np.generic]:
    return np.asarray(nibabel.load(path).dataobj)


def test_images_are_segmented_on_their_own_grid_with_their_header(nas: Command, folder: Path) -> None:
    nifti(folder / "images" / "case_1.nii.gz", voxels(1), descrip=b"from the scanner", qform_code=1)
    text = predict(nas, folder)
    assert "2 of 2 images segmented" in text
    assert "GiB of memory" in text
    written, image = (nibabel.load(folder / name / "case_1.nii.gz") for name in ("out", "images"))
    assert np.array_equal(written.affine, image.affine)
    assert written.header["descrip"] == image.header["descrip"]
    assert written.get_data_dtype() == np.uint16
    made = load_model(folder / "model")
    expected = segment(made, read_image((folder / "images" / "case_1.nii.gz",), 3, made.channels)).classes
    assert np.array_equal(array(folder / "out" / "case_1.nii.gz"), np.array(made.values)[expected])


def test_the_networks_are_built_once(nas: Command, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(folder, model(members=2))
    built = []
    monkeypatch.setattr("nas.model.trained.build", lambda graph: built.append(graph) or build(graph))
    predict(nas, folder)
    assert len(built) == 2


STORED: dict[str, Callable[[Path], object]] = {
    "int16 with a slope": lambda p: scaled(p),
    "NIfTI without compression": lambda p: nifti(p.with_suffix("").with_suffix(".nii"), voxels()),
    "uint8": lambda p: nifti(p, voxels().clip(0, 255).astype(np.uint8)),
    "float64": lambda p: nifti(p, voxels().astype(np.float64)),
    "a fourth axis of one": lambda p: nifti(p, voxels()[..., None]),
    "one slice": lambda p: nifti(p, voxels(shape=(20, 20, 1))),
    "finer and turned": lambda p: nifti(p, voxels(shape=(30, 31, 32)), OBLIQUE[:, [2, 0, 1, 3]] * [0.5, 0.5, 0.5, 1]),
}


def scaled(path: Path) -> None:
    image = nibabel.Nifti1Image(voxels().astype(np.int16), OBLIQUE)
    image.header.set_slope_inter(0.5, 10)
    nibabel.save(image, path)


@pytest.mark.parametrize("store", STORED.values(), ids=list(STORED))
def test_every_way_of_storing_a_volume_gives_labels_of_its_shape(
    store: Callable[[Path], object], nas: Command, folder: Path
) -> None:
    (folder / "images" / "case_1.nii.gz").unlink()
    store(folder / "images" / "case_1.nii.gz")
    predict(nas, folder)
    (image,) = (folder / "images").glob("case_1*")
    written = nibabel.load(folder / "out" / image.name)
    assert written.shape == nibabel.load(image).shape[:3]
    assert set(np.unique(np.asanyarray(written.dataobj))) <= {0, 7, 500}


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
def test_pictures_are_segmented(suffix: str, nas: Command, tmp_path: Path) -> None:
    saved(tmp_path, model(axes=2, channels=3))
    (tmp_path / "images").mkdir()
    pixels = np.stack([voxels(n, (40, 30)) for n in range(3)], axis=-1).clip(0, 255).astype(np.uint8)
    if suffix == ".tif":
        tifffile.imwrite(tmp_path / "images" / "a.tif", pixels, photometric="rgb")
    else:
        Picture.fromarray(pixels).save(tmp_path / "images" / f"a{suffix}")
    predict(nas, tmp_path)
    (written,) = [path for path in (tmp_path / "out").iterdir() if path.stem == "a"]
    assert written.suffix == (".png" if suffix == ".jpg" else suffix)  # what loses nothing
    labels = tifffile.imread(written) if suffix == ".tif" else np.asarray(Picture.open(written))
    assert labels.shape == (40, 30)


def test_numbered_files_are_the_channels_of_one_image(nas: Command, tmp_path: Path) -> None:
    saved(tmp_path, model(channels=2))
    for channel in range(2):
        nifti(tmp_path / "images" / f"case_{channel:04d}.nii.gz", voxels(channel))
    predict(nas, tmp_path)
    assert (tmp_path / "out" / "case.nii.gz").is_file()


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "not an image": (lambda p: p.write_bytes(b"nothing"), "cannot be read"),
    "cut short": (lambda p: cut(p), "cannot be read"),
    "another number of channels": (lambda p: nifti(p, np.ones((*SHAPE, 2), np.float32)), "channels: found 2"),
    "NaN": (lambda p: nifti(p, np.full(SHAPE, np.nan, np.float32)), "NaN or infinite"),
    "flat": (lambda p: nifti(p, np.ones((20, 20), np.float32)), "2D"),
    "complex": (lambda p: nifti(p, np.ones(SHAPE, np.complex64)), "expected real numbers"),
}


def cut(path: Path) -> None:
    nifti(path, voxels())
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:2000]))


@pytest.mark.parametrize(("spoil", "expected"), BAD.values(), ids=list(BAD))
def test_bad_files_are_listed_and_the_good_ones_are_done(
    spoil: Callable[[Path], object], expected: str, nas: Command, folder: Path
) -> None:
    spoil(folder / "images" / "bad.nii.gz")
    text = predict(nas, folder, "--report", str(folder / "report.json"), code=1)
    assert "2 of 3 images segmented" in text
    assert "left out: bad:" in text
    assert expected in text
    report = json.loads((folder / "report.json").read_text())
    assert (report["segmented"], report["left_out"]) == (2, 1)
    assert [case["name"] for case in report["cases"] if case["reason"]] == ["bad"]
    assert sorted(path.name for path in (folder / "out").glob("*.nii.gz")) == ["case_0.nii.gz", "case_1.nii.gz"]


def other_weights(folder: Path) -> None:
    """What one network was trained to in the description of another, checksums and all."""
    path = folder / "weights_0.safetensors"
    save_file({"strange": torch.zeros(1)}, path)
    document = json.loads((folder / "model.json").read_text())
    content = path.read_bytes()
    document["weights"][0] |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (folder / "model.json").write_text(json.dumps(document))


REFUSED: dict[str, tuple[Callable[[Path], object], tuple[str, ...], str]] = {
    "no model": (lambda f: (f / "model" / "model.json").unlink(), (), "no model.json in it"),
    "a changed weight": (
        lambda f: (f / "model" / "weights_0.safetensors").write_bytes(b"x"), (), "not those written"
    ),
    "weights of another network": (lambda f: other_weights(f / "model"), (), "tensors are not this network's"),
    "no images": (lambda f: [path.unlink() for path in (f / "images").iterdir()], (), "holds no image"),
    "two of one name": (lambda f: nifti(f / "images" / "case_0.nii", voxels()), (), "both would be segmented"),
    "a folder with something else": (
        lambda f: ((f / "out").mkdir(), (f / "out" / "thesis.tex").write_text("...")), (), "holds no predictions of nas"
    ),
    "an unknown class": (lambda f: None, ("--largest", "frnt"), "did you mean 'front'"),
    "no volume": (lambda f: None, ("--minimum-volume", "front"), "expected CLASS=MM3"),
    "no device": (lambda f: None, ("--device", "quantum"), "--device: found 'quantum', expected cpu"),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "options", "expected"), REFUSED.values(), ids=list(REFUSED))
def test_what_cannot_begin_is_refused_in_a_line(
    spoil: Callable[[Path], object], options: tuple[str, ...], expected: str, nas: Command, folder: Path
) -> None:
    spoil(folder)
    text = predict(nas, folder, *options, code=2)
    assert text.startswith("error: ")
    assert expected in text
    assert text.count("\n") == 1


def test_what_is_done_is_not_done_again_and_what_changed_is(nas: Command, folder: Path) -> None:
    predict(nas, folder)
    (folder / "out" / "case_0.nii.gz").unlink()
    before = (folder / "out" / "case_1.nii.gz").stat().st_mtime_ns
    assert "1 of 2 images to segment" in predict(nas, folder)
    assert (folder / "out" / "case_1.nii.gz").stat().st_mtime_ns == before
    nifti(folder / "images" / "case_1.nii.gz", voxels(5))
    assert "1 of 2 images to segment" in predict(nas, folder)
    assert "0 of 2 images to segment" in predict(nas, folder)


def test_other_options_want_another_folder(nas: Command, folder: Path) -> None:
    predict(nas, folder)
    assert "name a new folder" in predict(nas, folder, "--probabilities", code=2)


def test_probabilities_are_written_where_asked(nas: Command, folder: Path) -> None:
    predict(nas, folder, "--probabilities")
    with np.load(folder / "out" / "case_0.npz") as written:
        assert written["probabilities"].shape == (3, *SHAPE)
        assert np.allclose(written["probabilities"].astype(np.float32).sum(axis=0), 1, atol=0.01)
        assert json.loads(str(written["classes"])) == ["background", "front", "back"]


def test_largest_part_and_smallest_volume(nas: Command, folder: Path) -> None:
    from scipy.ndimage import label

    predict(nas, folder, "--largest", "front", "--minimum-volume", "back=200")
    classes = array(folder / "out" / "case_0.nii.gz")
    assert label(classes == 7, np.ones((3, 3, 3)))[1] <= 1
    numbers, count = label(classes == 500, np.ones((3, 3, 3)))
    voxel = abs(np.linalg.det(OBLIQUE[:3, :3]))
    assert all((numbers == number).sum() * voxel >= 190 for number in range(1, count + 1))


def test_units_that_are_not_the_training_s_are_warned_of(nas: Command, folder: Path) -> None:
    saved(folder / "ct", model(normalisation=Normalisation(low=-100, high=300, mean=50, deviation=80)))
    ended = nas(
        "predict", str(folder / "ct" / "model"), "--images", str(nifti(folder / "a.nii.gz", voxels() / 1e4)),
        "--to", str(folder / "out"),
    )  # fmt: skip
    assert ended.code == 0
    assert "warning: a: channel channel 0: intensities" in ended.err
    assert "Hounsfield" in ended.err


def test_a_spacing_far_from_the_training_s_is_warned_of(nas: Command, folder: Path) -> None:
    far = nifti(folder / "far.nii.gz", voxels(), OBLIQUE @ np.diag([6.0, 1, 1, 1]))
    ended = nas("predict", str(folder / "model"), "--images", str(far), "--to", str(folder / "out"))
    assert ended.code == 0, ended.err
    assert "mm is far from the 1 x 1.5 x 2 mm that the model was trained at; look at the result" in ended.err


@pytest.mark.parametrize("told", [True, False])
def test_pictures_without_a_spacing_are_warned_of_where_those_trained_on_had_one(
    told: bool, nas: Command, tmp_path: Path
) -> None:
    saved(tmp_path, model(axes=2, provenance={"spacing_measured": told}))
    (tmp_path / "images").mkdir()
    Picture.fromarray(voxels(0, (40, 30)).clip(0, 255).astype(np.uint8)).save(tmp_path / "images" / "a.png")
    assert ("tells no spacing; taken as 1" in predict(nas, tmp_path)) == told


def test_memory_is_said_of_the_grid_that_is_seen_and_what_does_not_fit_is_left_out(
    nas: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nifti(folder / "images" / "large.nii.gz", voxels(shape=(60, 60, 60)), OBLIQUE @ np.diag([8.0, 8, 8, 1]))
    machine = psutil.virtual_memory()._replace(total=2**30, available=2**30)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: machine)
    text = predict(nas, folder, code=1)
    (said,) = re.findall(r"at most ([\d.]+) GiB of memory", text)
    assert float(said) > 2  # the network sees hundreds of times the voxels of the file
    assert "2 of 3 images segmented" in text
    assert "left out: large:" in text
    assert "and this machine has 1.0 GiB" in text


def test_cases_are_drawn_from_the_worst_on(nas: Command, folder: Path) -> None:
    predict(nas, folder)
    shutil.copytree(folder / "out", folder / "labels")
    wrong = np.where(array(folder / "labels" / "case_0.nii.gz") == 7, 500, 7).astype(np.uint16)
    nifti(folder / "labels" / "case_0.nii.gz", wrong)
    places = ["evaluate", str(folder / "out"), "--labels", str(folder / "labels"), "--images", str(folder / "images")]
    assert nas(*places).code == 2
    ended = nas(*places, "--pictures", str(folder / "drawn"))
    assert ended.code == 0, ended.err
    assert sorted(path.name for path in (folder / "drawn").iterdir()) == ["1_case_0.png", "2_case_1.png"]
    with Picture.open(folder / "drawn" / "1_case_0.png") as worst:
        assert worst.width > 640  # three planes beside each other, of three directions
        assert worst.height > 900
    (folder / "images" / "case_0.nii.gz").unlink()
    ended = nas(*places, "--pictures", str(folder / "drawn"))
    assert ended.code == 2
    assert "has no image of case_0; give the folder that was segmented" in ended.err


@pytest.mark.slow
def test_several_processes_give_the_same(nas: Command, folder: Path) -> None:
    predict(nas, folder)
    predict(nas, folder, "--processes", "2", to="again")
    for name in ("case_0.nii.gz", "case_1.nii.gz"):
        assert np.array_equal(array(folder / "out" / name), array(folder / "again" / name))


def labelled(folder: Path, change: Callable[[npt.NDArray[np.int16]], object] = lambda label: None) -> Path:
    """Labels that differ from the predictions in a corner."""
    for path in (folder / "out").glob("*.nii.gz"):
        label = array(path).astype(np.int16)
        label[:9] = np.roll(label[:9], 1, axis=1)
        change(label)
        nifti(folder / "labels" / path.name, label, nibabel.load(path).affine)
    return folder / "labels"


def evaluate(nas: Command, folder: Path, *further: str, code: int = 0) -> str:
    ended = nas("evaluate", str(folder / "out"), "--labels", str(folder / "labels"), *further)
    assert ended.code == code, ended.err
    return ended.out + ended.err


def test_an_independent_script_has_the_same_dice(nas: Command, folder: Path) -> None:
    predict(nas, folder)
    labels = labelled(folder)
    assert "2 cases" in evaluate(nas, folder, "--to", str(folder / "metrics.csv"))
    rows = list(csv.DictReader((folder / "metrics.csv").read_text().splitlines()))
    assert len(rows) == 4
    for row in rows:
        value = {"front": 7, "back": 500}[row["target"]]
        a, b = (array(part / f"{row['case']}.nii.gz") == value for part in (folder / "out", labels))
        assert float(row["dice"]) == pytest.approx(2 * np.sum(a & b) / (a.sum() + b.sum()), abs=1e-6)
    evaluate(nas, folder, "--to", str(folder / "metrics.json"))
    document = json.loads((folder / "metrics.json").read_text())
    mean = np.mean([float(row["dice"]) for row in rows if row["target"] == "front"])
    assert document["mean"]["dice"]["front"] == pytest.approx(mean)
    assert set(document["mean"]) == {"dice", "iou", "volume_error", "hausdorff95", "surface_dice"}


@pytest.mark.parametrize(
    ("endings", "unit"), [((".nii.gz",), "mm"), ((".png",), "px"), ((".nii.gz", ".png"), "mm or px")]
)
def test_distances_are_said_in_pixels_where_no_spacing_is_known(
    endings: tuple[str, ...], unit: str, nas: Command, tmp_path: Path
) -> None:
    square = np.zeros((12, 12, 3), np.uint8)
    square[3:8, 3:8] = 1
    for part, labels in (("out", np.roll(square, 1, axis=0)), ("labels", square)):
        (tmp_path / part).mkdir()
        if ".nii.gz" in endings:
            nifti(tmp_path / part / "volume.nii.gz", labels)
        if ".png" in endings:
            Picture.fromarray(labels[..., 0]).save(tmp_path / part / "picture.png")
    text = evaluate(nas, tmp_path)
    assert f"HD95 {unit}" in " ".join(text.split())
    assert json.loads(evaluate(nas, tmp_path, "--json"))["unit"] == unit


def test_classes_that_differ_between_model_and_labels_are_listed(nas: Command, folder: Path) -> None:
    predict(nas, folder)
    labelled(folder, lambda label: label.__setitem__((0, 0, 0), 3))
    text = evaluate(nas, folder, code=1)
    assert "found the value 3, which is no class's; expected background 0, front 7, back 500" in text
    assert "left out" not in evaluate(nas, folder, "--ignore", "3")


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda f: nifti(f / "labels" / "case_1.nii.gz", np.zeros((5, 5, 5), np.uint8)), "shape"),
        (lambda f: nifti(f / "labels" / "case_1.nii.gz", np.zeros(SHAPE, np.uint8), np.eye(4)), "affine"),
        (lambda f: nifti(f / "labels" / "case_9.nii.gz", np.zeros(SHAPE, np.uint8)), "has no segmentation of its name"),
        (lambda f: (f / "labels" / "case_1.nii.gz").write_bytes(b"x"), "cannot be read"),
    ],
    ids=["another shape", "another place", "no segmentation", "damaged"],
)
def test_pairs_that_cannot_be_compared_are_listed(
    spoil: Callable[[Path], object], expected: str, nas: Command, folder: Path
) -> None:
    predict(nas, folder)
    labelled(folder)
    spoil(folder)
    text = evaluate(nas, folder, code=1)
    assert "left out" in text
    assert expected in text


def test_without_words_every_value_is_a_class(nas: Command, folder: Path) -> None:
    predict(nas, folder)
    labelled(folder)
    (folder / "out" / "predictions.json").unlink()
    assert "500" in evaluate(nas, folder)
    assert "tumour" in evaluate(nas, folder, "--classes", "7=tumour,500=oedema")
    assert "expected values from 1 up" in evaluate(nas, folder, "--classes", "tumour", code=2)


def test_no_common_name_is_refused(nas: Command, folder: Path) -> None:
    predict(nas, folder)
    nifti(folder / "labels" / "other.nii.gz", np.zeros(SHAPE, np.uint8))
    assert "no segmentation is called as a label" in evaluate(nas, folder, code=2)
