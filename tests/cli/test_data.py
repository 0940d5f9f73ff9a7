"""The data commands as a person or a script meets them."""

import json
import sys
from pathlib import Path

import pytest

from nas.cli import main

from ..data.factories import msd, nnunet_png, nnunet_regions

Captured = pytest.CaptureFixture[str]


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
    assert "the files tell no spacing: 1 stands for a pixel" in capsys.readouterr().out
    assert nas("data", "check", str(nnunet_regions(tmp_path / "regions"))) == 0
    shown = capsys.readouterr().out
    assert "region whole = whole alone + core" in shown
    assert "22.22% of the voxels are of unknown class and do not count" in shown


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
