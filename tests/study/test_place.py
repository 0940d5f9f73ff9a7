"""Databases that share a folder of files keep apart, however they came there; what has moved is found again."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from nas.study.history import Result, State
from nas.study.sql.opening import create_or_resume, open_study
from nas.study.sql.storage import Storage, open_storage
from nas.study.sql.study import SqlStudy
from nas.study.upkeep.checking import check
from nas.study.upkeep.copying import remove_study
from tests.study.conftest import SETTINGS
from tests.study.runs import begun, started


@contextmanager
def opened(path: Path, artifacts: Path | None = None) -> Iterator[SqlStudy]:
    with open_storage(path, artifacts=artifacts) as storage:
        yield create_or_resume(storage, SETTINGS)


def train(study: SqlStudy, digest: str) -> int:
    """A trained network of these weights."""
    with study.at_work("cpu", lease=30) as worker:
        claim = started(study, worker, digest)
        file = study.storage.artifacts.parent / f"{digest}.safetensors"
        file.write_text(digest)
        study.keep(claim, "weights", file)
        study.finish(claim, Result(state=State.COMPLETE, values={"dice": 0.5}))
    return claim.run


def weights(study: SqlStudy) -> list[str]:
    runs = [run for trial in study.history().trials for run in trial.runs if run.state is State.COMPLETE]
    return [study.file(run.id, "weights").read_text() for run in runs]


def mended(path: Path) -> list[str]:
    """What is the matter with the study of a database, which is set right."""
    with open_storage(path, create=False) as storage:
        return [fault.what for fault in check(open_study(storage, SETTINGS.name), repair=True)]


def test_two_databases_in_one_folder_keep_apart(tmp_path: Path) -> None:
    for name in ("one", "other"):
        with opened(tmp_path / f"{name}.db") as study:
            train(study, f"net of {name}")
    for name in ("one", "other"):
        assert mended(tmp_path / f"{name}.db") == []
    with opened(tmp_path / "one.db") as study:
        remove_study(study)
    with opened(tmp_path / "other.db") as study:
        assert weights(study) == ["net of other"]


def test_two_databases_of_one_name_that_share_a_folder_keep_apart(tmp_path: Path) -> None:
    for name in ("one", "other"):
        with opened(tmp_path / name / "nas.db", tmp_path / "shared") as study:
            train(study, f"net of {name}")
    for name in ("one", "other"):
        assert mended(tmp_path / name / "nas.db") == []
        with opened(tmp_path / name / "nas.db") as study:
            assert weights(study) == [f"net of {name}"]


def test_a_database_and_its_files_that_have_moved_are_found_again(tmp_path: Path) -> None:
    with opened(tmp_path / "here" / "nas.db") as study:
        train(study, "a")
        part = study.storage.part
    (tmp_path / "here").rename(tmp_path / "there")
    with opened(tmp_path / "there" / "nas.db") as study:
        assert study.storage.part == part
        train(study, "b")
        assert weights(study) == ["a", "b"]
        (study.storage.artifacts / part / SETTINGS.name / "nobody's").write_text("stray")
    assert mended(tmp_path / "there" / "nas.db") == [
        f"no trial names the file {part}/{SETTINGS.name}/nobody's in {tmp_path / 'there' / 'artifacts'}"
    ]


@pytest.mark.parametrize("before", [0, 1], ids=["before its first file", "later"])
def test_a_database_and_its_copy_in_one_folder_leave_each_others_files_alone(tmp_path: Path, before: int) -> None:
    original, copy = tmp_path / "nas.db", tmp_path / "copy.db"
    with opened(original) as study:
        for number in range(before):
            train(study, f"shared {number}")
    shutil.copy(original, copy)
    with opened(original) as one, opened(copy) as other:  # both open at one moment
        train(one, "the original's")
        train(other, "the copy's")
        assert one.storage.part != other.storage.part
    shared = [f"shared {number}" for number in range(before)]
    expected = {original: [*shared, "the original's"], copy: [*shared, "the copy's"]}
    for path in (original, copy, original):
        assert mended(path) == []
    for path, contents in expected.items():
        with opened(path) as study:
            assert weights(study) == contents
    with opened(copy) as study:
        study.prune(0)
        remove_study(study)
    with opened(original) as study:
        assert weights(study) == expected[original]


def test_a_copied_folder_is_its_databases_own(tmp_path: Path) -> None:
    with opened(tmp_path / "first" / "nas.db") as study:
        train(study, "a")
    shutil.copytree(tmp_path / "first", tmp_path / "second")
    with opened(tmp_path / "second" / "nas.db") as study:
        assert weights(study) == ["a"]
        train(study, "b")
        remove_study(study)
        files = [path for path in study.storage.artifacts.rglob("*") if path.is_file() and path.name[0] != "."]
        assert files == []
    with opened(tmp_path / "first" / "nas.db") as study:
        assert weights(study) == ["a"]


def test_a_file_where_an_earlier_nas_kept_it_is_found_and_replaced(storage: Storage, study: SqlStudy) -> None:
    run = train(study, "a")
    old = storage.artifacts / SETTINGS.name / str(run) / "weights-0123456789abcdef.safetensors"
    old.parent.mkdir(parents=True)
    study.file(run, "weights").rename(old)
    with storage.begin() as session:
        address = old.relative_to(storage.artifacts).as_posix()
        session.execute(text("UPDATE nas_artifact SET address = :address"), {"address": address})
    assert study.file(run, "weights") == old
    assert check(study, repair=True) == []
    assert weights(study) == ["a"]
    study.prune(0)
    assert not old.exists()


def test_reading_makes_no_folder(tmp_path: Path) -> None:
    with opened(tmp_path / "nas.db") as study:
        begun(study, "a")
    mended(tmp_path / "nas.db")
    assert not (tmp_path / "artifacts").exists()
