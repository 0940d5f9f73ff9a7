"""The data commands as a person or a script meets them."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from nas.cli import main

from ..data.factories import (
    BOX,
    Spoil,
    deleting,
    describing,
    intensities,
    labels,
    msd,
    nnunet_nifti,
    nnunet_png,
    nnunet_regions,
    writing,
)
from ..data.test_bad_input import MOVED, claiming_to_be_vast
from ..data.test_fingerprint import turned

Captured = pytest.CaptureFixture[str]
Layout = Callable[[Path], Path]


@pytest.fixture
def nas(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> "Run":
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    return Run(monkeypatch)


class Run:
    def __init__(self, monkeypatch: pytest.MonkeyPatch):
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: str) -> int:
        """The exit code of `nas ARGUMENTS`."""
        self._monkeypatch.setattr(sys, "argv", ["nas", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code
        assert isinstance(code, int)
        return code


def test_check_says_what_a_person_needs(nas: Run, tmp_path: Path, capsys: Captured) -> None:
    assert nas("data", "check", str(msd(tmp_path / "data"))) == 0
    shown = capsys.readouterr().out
    for words in (
        "Tiny: 3 cases, 3D, stored as RAS: 3",
        "feet to head",
        "least ml",
        "in training: spacing stays 1 x 1.5 x 2 mm",
        "in training: channel 'MR0': each case to mean 0 and deviation 1",
        "warning: cases case_1 and case_2 have the same label",
    ):
        assert words in shown


def test_check_of_pictures_and_of_regions(nas: Run, tmp_path: Path, capsys: Captured) -> None:
    assert nas("data", "check", str(nnunet_png(tmp_path / "pictures"))) == 0
    shown = capsys.readouterr().out
    assert "the files tell no spacing: voxels count as equally long along all axes" in shown
    assert "in training: voxels stay as they are" in shown
    assert nas("data", "check", str(nnunet_regions(tmp_path / "regions"))) == 0
    shown = capsys.readouterr().out
    assert "region whole = whole alone + core" in shown
    assert "22.22% of the voxels are of unknown class and do not count" in shown


def test_check_shows_names_as_they_are_and_what_the_options_say(nas: Run, tmp_path: Path, capsys: Captured) -> None:
    folder = msd(tmp_path / "data")
    describing(labels={"0": "background", "1": "kidney [left]", "2": "lesion [/T2]"}, modality={"0": "T1 [gd]"})(folder)
    assert nas("data", "check", str(folder), "--labels", "2=腎臓 [右]", "--groups", "case_{group}") == 0
    shown = capsys.readouterr().out
    for words in (
        "kidney [left]",
        "腎臓 [右]",
        "T1 [gd]",
        "folds: 3, from nnU-Net's rule, 3 groups of cases kept together",
    ):
        assert words in shown
    assert "lesion" not in shown


def test_the_fingerprint_is_one_json_object(nas: Run, tmp_path: Path, capsys: Captured) -> None:
    assert nas("data", "check", str(msd(tmp_path / "data")), "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["cases"] == len(document["case_summaries"]) == 3
    assert [item["name"] for item in document["classes"]] == ["background", "front", "back"]


def test_prepare_builds_and_verifies(nas: Run, tmp_path: Path, capsys: Captured) -> None:
    folder = str(msd(tmp_path / "data"))
    assert nas("data", "prepare", folder, "--json") == 0
    first = json.loads(capsys.readouterr().out)
    assert first["cases"] == 3
    assert first["folder"].startswith("runs/cache/Tiny-")
    assert nas("data", "prepare", folder, "--json", "--verify") == 0
    assert json.loads(capsys.readouterr().out) == first
    image = Path(first["folder"]) / "case_2/image.npy"
    image.write_bytes(image.read_bytes()[:-1] + b"?")
    assert nas("data", "prepare", folder, "--verify") == 2
    assert f"{image}: is not what was written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("check", "nowhere"), "nowhere: no such folder"),
        (("prepare", "nowhere"), "nowhere: no such folder"),
        (("fetch", "Task04_Hipocampus"), "did you mean 'Task04_Hippocampus'?"),
    ],
)
def test_mistakes_end_with_their_message_and_code_2(
    arguments: tuple[str, ...], message: str, nas: Run, capsys: Captured
) -> None:
    assert nas("data", *arguments) == 2
    shown = capsys.readouterr()
    assert message in shown.err
    assert shown.out == ""


def an_image_for_a_label(folder: Path) -> None:
    shutil.copy(folder / "imagesTr/case_1.nii.gz", folder / "labelsTr/case_2.nii.gz")


WRONG = [
    (msd, writing("labelsTr/case_2.nii.gz", labels((18, 17, 5))), "shape (18, 17, 5), but"),
    (msd, writing("labelsTr/case_2.nii.gz", labels(BOX), MOVED), "its affine differs from that of"),
    (msd, an_image_for_a_label, "undeclared label values 3, 4, 5, 6, 7, ...; expected 0, 1, 2"),
    (msd, writing("imagesTr/case_2.nii.gz", intensities("a", (*BOX, 2))), "channels: found 2; expected the 1 declared"),
    (msd, describing(labels={str(value): f"class {value}" for value in range(256)}), "256 classes"),
    (msd, claiming_to_be_vast, "more than this machine's"),
    (nnunet_nifti, deleting("imagesTr/case_2_0000.nii.gz"), "case case_2 has the channels 0001; expected 2"),
    (nnunet_png, writing("labelsTr/case_2.png", labels((24, 21))), "shape (24, 21), but"),
]


@pytest.mark.parametrize(("layout", "spoil", "message"), WRONG, ids=[message for *_, message in WRONG])
@pytest.mark.parametrize("command", [("data", "check"), ("data", "prepare"), ("search", "--space", "tiny", "--data")])
def test_data_that_cannot_be_trained_on_end_every_command(
    command: tuple[str, ...], layout: Layout, spoil: Spoil, message: str, nas: Run, tmp_path: Path, capsys: Captured
) -> None:
    folder = layout(tmp_path / "data")
    spoil(folder)
    assert nas(*command, str(folder)) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_mixed_orientations_are_turned_with_a_warning(nas: Run, tmp_path: Path, capsys: Captured) -> None:
    folder = msd(tmp_path / "data")
    turned(folder)
    assert nas("data", "check", str(folder)) == 0
    shown = capsys.readouterr().out
    assert "Tiny: 3 cases, 3D, stored as ALS: 1, RAS: 2" in shown
    assert "warning: the images are stored in different orientations (1 ALS, 2 RAS): all are turned to RAS" in shown


def halved(cache: Path) -> None:
    image = cache / "case_2/image.npy"
    image.write_bytes(image.read_bytes()[:100])


def of_another_version(cache: Path) -> None:
    index = json.loads((cache / "index.json").read_text())
    (cache / "index.json").write_text(json.dumps({**index, "version": index["version"] + 1}))


@pytest.mark.parametrize("spoil", [halved, of_another_version])
def test_a_cache_half_written_or_of_another_version_is_built_again(
    spoil: Spoil, nas: Run, tmp_path: Path, capsys: Captured
) -> None:
    folder = str(msd(tmp_path / "data"))
    assert nas("data", "prepare", folder, "--json") == 0
    first = json.loads(capsys.readouterr().out)
    spoil(Path(first["folder"]))
    assert nas("data", "prepare", folder, "--json", "--verify") == 0
    assert json.loads(capsys.readouterr().out) == first
