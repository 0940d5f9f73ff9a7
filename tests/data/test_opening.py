"""From what the user names to a data set."""

from pathlib import Path

import pytest

from nas.data import open_dataset
from nas.errors import InputError

from .factories import msd


@pytest.mark.parametrize("source", [None, "brain"])
def test_without_a_folder_the_data_are_built_in_and_said_to_be_synthetic(source: str | None) -> None:
    dataset = open_dataset(source)
    assert dataset.synthetic
    assert dataset.name == "brain (synthetic)"


def test_a_folder_is_named_by_text_or_path(tmp_path: Path) -> None:
    folder = msd(tmp_path)
    assert open_dataset(str(folder)) == open_dataset(folder)
    assert not open_dataset(folder).synthetic


def test_a_misspelt_folder_is_recognised(tmp_path: Path) -> None:
    msd(tmp_path / "Task04_Hippocampus")
    with pytest.raises(InputError, match=r"Hipocampus: no such folder; did you mean 'Task04_Hippocampus'\?"):
        open_dataset(tmp_path / "Task04_Hipocampus")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nowhere/at/all", "nowhere/at/all: no such folder; expected the folder of a data set"),
        ("brian", "brian: no such folder; did you mean 'brain'"),
        ("empty", "empty: is empty"),
        ("file.nii", "file.nii: is a file; expected the folder"),
        ("other", "other: holds no data set in a layout that is known"),
    ],
)
def test_what_cannot_be_opened(source: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.nii").touch()
    (tmp_path / "other").mkdir()
    (tmp_path / "other/readme.txt").touch()
    with pytest.raises(InputError, match=message):
        open_dataset(source)
