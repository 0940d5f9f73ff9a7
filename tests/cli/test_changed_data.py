"""Data that change under a study are refused, told case by case, and the study stays as it was."""

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.command import Command
from tests.data.factories import BOX, CASES, Spoil, describing, intensities, labels, msd, writing

SEARCH = ("search", "--space", "tiny", "--data", "data", "--dimensions", "2", "--steps", "2", "--budget", "1h")
STUDY = "tiny-Tiny"


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the study was begun, with its data."""
    folder = tmp_path_factory.mktemp("begun")
    msd(folder / "data")
    return folder


@pytest.fixture
def folder(nas: Command, begun: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, so that each test spoils its own."""
    monkeypatch.chdir(begun)
    if not (begun / "runs").exists():
        ended = nas(*SEARCH, "--trials", "1")
        assert ended.code == 0, ended.err
    copy = tmp_path / "copy"
    shutil.copytree(begun, copy)
    monkeypatch.chdir(copy)
    return copy


def listing(*names: str) -> Spoil:
    return describing(
        training=[{"image": f"imagesTr/{name}.nii.gz", "label": f"labelsTr/{name}.nii.gz"} for name in names]
    )


def without_case_3(folder: Path) -> None:
    for place in ("imagesTr", "labelsTr"):
        (folder / place / "case_3.nii.gz").unlink()
    listing(*CASES[:2])(folder)


def with_case_4(folder: Path) -> None:
    for place in ("imagesTr", "labelsTr"):
        shutil.copy(folder / place / "case_1.nii.gz", folder / place / "case_4.nii.gz")
    listing(*CASES, "case_4")(folder)


def several(folder: Path) -> None:
    writing("imagesTr/case_1.nii.gz", intensities("other", BOX))(folder)
    without_case_3(folder)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (writing("imagesTr/case_2.nii.gz", intensities("other", BOX)), "(case case_2 has changed)"),
        (writing("labelsTr/case_2.nii.gz", labels(BOX, (2, 1, 0))), "(case case_2 has changed)"),
        (without_case_3, "(case case_3 is gone)"),
        (with_case_4, "(case case_4 is new)"),
        (several, "(case case_1 has changed; case case_3 is gone)"),
        (
            describing(labels={"0": "background", "1": "front", "2": "rear"}),
            "(classes were background, front, back and are background, front, rear)",
        ),
        (describing(modality={"0": "CT"}), "(channels were MR0 and are CT)"),
    ],
)
def test_what_changed_is_told(nas: Command, folder: Path, change: Spoil, told: str) -> None:
    before, caches = nas("trials", STUDY, "--format", "json").json, sorted(Path("runs/cache").iterdir())
    change(folder / "data")
    for command in ((*SEARCH, "--trials", "2"), ("worker", "--study", STUDY, "--data", "data", "--trials", "2")):
        ended = nas(*command)
        assert ended.code == 2
        assert f"--data: Tiny is not what study 'tiny-Tiny' was made with {told}; give a copy" in ended.err
    assert nas("trials", STUDY, "--format", "json").json == before
    assert sorted(Path("runs/cache").iterdir()) == caches


def test_data_that_are_as_they_were_again_go_on(nas: Command, folder: Path) -> None:
    image = Path("data/imagesTr/case_2.nii.gz")
    content = image.read_bytes()
    writing("imagesTr/case_2.nii.gz", intensities("other", BOX))(folder / "data")
    assert nas(*SEARCH, "--trials", "2").code == 2
    image.write_bytes(content)
    ended = nas(*SEARCH, "--trials", "2")
    assert ended.code == 0, ended.err
    assert json.loads(nas("best", STUDY, "--json").out)["distinct"] == 2
