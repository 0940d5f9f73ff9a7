"""Weights in a folder of the user's choice: every later command finds them, and none forgets what it cannot see."""

from pathlib import Path

import pytest

from nas import open_study
from nas.cli.output import OUT
from tests.cli.command import Command
from tests.data.factories import pairs


def test_later_commands_find_the_folder_that_a_search_was_given(
    nas: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(OUT, "_width", 200)
    pairs(tmp_path / "data")
    search = ("search", "--space", "tiny", "--data", "data", "--study", "mine", "--steps", "2", "--budget", "1h")
    ended = nas(*search, "--trials", "1", "--artifacts", "weights are here")
    assert ended.code == 0, ended.err
    place = tmp_path / "weights are here"
    assert f"artifacts  {place}\n" in ended.out
    monkeypatch.delenv("NAS_ARTIFACTS", raising=False)
    again = nas(*search, "--trials", "2")
    assert f"artifacts  {place}\n" in again.out
    assert nas("studies", "check").out == "all is well\n"
    assert nas("export").code == 0

    moved = place.rename(tmp_path / "elsewhere")
    repaired = nas("studies", "check", "--repair")
    assert f"files that trials name is in {place}; is it mounted" in repaired.out
    missing = nas("export")
    assert (missing.code, str(place) in missing.err) == (2, True)

    assert nas("studies", "check", "--artifacts", str(moved)).out == "all is well\n"
    assert nas("export", "--artifacts", str(moved)).code == 0
    assert open_study("mine", artifacts=str(moved)).best.module()
