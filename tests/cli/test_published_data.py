"""Data sets laid out as published, from the folder to a trained network in two commands."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.cli.command import Command
from tests.data.factories import msd
from tests.data.test_layouts import PUBLISHED

CASES = tuple(f"case_{number}" for number in range(5))


def decathlon(folder: Path) -> None:
    msd(folder, (24, 20, 18), cases=CASES)


SETS: Mapping[str, Callable[[Path], None]] = {"decathlon": decathlon, **PUBLISHED}
SEARCH = ("--space", "tiny", "--trials", "1", "--steps", "2", "--budget", "1h", "--device", "cpu", "--study", "first")


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_a_published_data_set_is_checked_and_searched_with_two_commands(
    nas: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).mkdir()
    SETS[name](tmp_path / name)
    checked = nas("data", "check", name)
    assert checked.code == 0, checked.err
    searched = nas("search", "--data", name, *SEARCH)
    assert searched.code == 0, searched.err
    assert "first: 1 network trained" in searched.out
