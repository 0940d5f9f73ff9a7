"""`nas report` as a person meets it."""

from pathlib import Path

import pytest

from nas.study.sql.opening import create_or_resume
from nas.study.sql.storage import open_storage
from tests.cli.command import Command
from tests.study.conftest import SETTINGS
from tests.study.runs import complete


@pytest.fixture
def storage(tmp_path: Path) -> str:
    address = str(tmp_path / "nas.db")
    with open_storage(address) as opened:
        study = create_or_resume(opened, SETTINGS)
        complete(study, "a", 0.25, reference="U-Net")
        complete(study, "b", 0.5)
    return address


def test_a_study_is_written_as_a_page_and_its_figures_as_csv(nas: Command, storage: str, tmp_path: Path) -> None:
    to, csv = tmp_path / "report.html", tmp_path / "csv"
    ended = nas("report", "--storage", storage, "--to", str(to), "--csv", str(csv))
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[0] == str(to)
    assert f"{csv}/front.csv" in ended.out.splitlines()
    text = to.read_text(encoding="utf-8")
    assert "Trial 1, a network that the search proposed, with Dice 0.5000" in text
    assert f"nas report hippocampus --to report.html --storage {storage}" in text
    assert "There are no cases to show" in text
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("to", "words"),
    [
        ("report.pdf", "--to: found 'report.pdf'; expected a file that ends in .html"),
        ("none/report.html", "there is no folder none"),
        ("folder.html", "is a folder; give a file in it"),
    ],
)
def test_a_place_that_cannot_be_written_is_told_before_anything_is_read(
    to: str, words: str, nas: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.html").mkdir()
    ended = nas("report", "--storage", "nothing.db", "--to", to)
    assert ended.code == 2
    assert words in ended.err
    assert len(ended.err.splitlines()) == 1


def test_a_study_that_is_not_there_is_told(nas: Command, storage: str, tmp_path: Path) -> None:
    ended = nas("report", "hippocampos", "--storage", storage, "--to", str(tmp_path / "report.html"))
    assert ended.code == 2
    assert "did you mean 'hippocampus'?" in ended.err


def test_a_folder_for_tables_that_cannot_be_made_is_told(nas: Command, storage: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ended = nas(
        "report", "--storage", storage, "--to", str(tmp_path / "r.html"), "--csv", str(tmp_path / "file" / "csv")
    )
    assert ended.code == 2
    assert "--csv:" in ended.err
