"""Opening databases: good ones, bad ones, and ones that turn bad."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import optuna
import pytest
from sqlalchemy import Engine

from nas.errors import InputError
from nas.study.settings import StudySettings
from nas.study.sql.errors import describe
from nas.study.sql.opening import create_or_resume, list_studies
from nas.study.sql.storage import Connection, Storage, open_storage
from tests.study.runs import complete, image

SECRET = "s3cret"


@pytest.mark.parametrize("form", [Path, str, lambda path: f"sqlite:///{quote(str(path))}"], ids=["path", "text", "URL"])
@pytest.mark.parametrize("name", ["nas.db", "a folder/of mine/nas.db", "100%/{odd}?#&.db", "größe.db"])
def test_a_file_is_given_as_a_path_or_a_url(tmp_path: Path, name: str, form: Callable[[Path], str | Path]) -> None:
    path = tmp_path / name
    with open_storage(form(path)) as storage:
        assert storage.optuna.get_all_studies() == []
        assert storage.artifacts == path.parent / "artifacts"
    assert path.is_file()


def test_a_relative_path_stays_where_it_was_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Callable[..., StudySettings]
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with open_storage("runs/nas.db") as storage:
        monkeypatch.chdir("elsewhere")
        image(create_or_resume(storage, settings()))
    assert storage.artifacts == tmp_path / "runs" / "artifacts"
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("engine_of", [lambda storage: storage.engine, lambda storage: storage.optuna.engine])
def test_sqlite_is_set_up_alike_for_our_connections_and_optunas(
    tmp_path: Path, engine_of: Callable[[Storage], Engine]
) -> None:
    expected = {"journal_mode": "wal", "synchronous": 1, "busy_timeout": 60_000, "foreign_keys": 1}
    with open_storage(tmp_path / "nas.db") as storage, engine_of(storage).connect() as connection:
        assert {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in expected} == expected


def test_a_study_deleted_in_optuna_takes_its_trials_along(storage: Storage) -> None:
    told = optuna.create_study(storage=storage.optuna, study_name="gone")
    trial = told.ask()
    trial.suggest_float("rate", 0, 1)
    told.tell(trial, 0.5)

    optuna.delete_study(study_name="gone", storage=storage.optuna)
    assert storage.optuna.get_all_studies() == []


def test_reading_makes_no_database(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"typo\.db does not exist"):
        open_storage(tmp_path / "typo.db", create=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("", "kept in a file"),
        ("sqlite://", "kept in a file"),
        ("sqlite:///:memory:", "kept in a file"),
        ("sqlite:///file:nas?mode=memory&uri=true", "kept in a file"),
        (".", "is a folder"),
        ("notes.txt", "(file is not a database); give the path of a database that nas or Optuna wrote"),
        ("notes.txt/runs/nas.db", "cannot be made: Not a directory; give a file in a folder that you may write to"),
        ("://", "is not a URL"),
        (f"postgresql://me:{SECRET}@host:port/nas", "is not a URL"),
        (f"nosuch://me:{SECRET}@host/nas", "begins with nosuch://; give a file's path or postgresql://"),
        (f"oracle+cx_oracle://me:{SECRET}@host/nas", "with oracle+cx_oracle://; studies are kept in SQLite or Postgre"),
        (f"mysql://me:{SECRET}@host/nas", "with mysql://; studies are kept in SQLite or PostgreSQL"),
        (f"postgresql+nosuch://me:{SECRET}@host/nas", "postgresql+nosuch://me:***@host/nas needs a database driver"),
        (f"postgresql://me:a@{SECRET}@host/nas", "more than one @; write those in a user or password as %40"),
        (f"postgresql://me:a@{SECRET}/{SECRET}@host/nas", "more than one @"),
    ],
)
def test_addresses_that_cannot_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("notes.txt").write_text("no database, but longer than the header of one " * 10)
    with pytest.raises(InputError) as refused:
        open_storage(address)
    assert message in str(refused.value)
    assert SECRET not in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="folder that you may write to"):
        open_storage(tmp_path / "nas.db")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that not even root may write")
def test_a_folder_that_nobody_may_write() -> None:
    with pytest.raises(
        InputError, match=r"unable to open database file\); give a file in a folder that you may write to"
    ):
        open_storage("/proc/nas.db")


@pytest.mark.parametrize(
    ("host", "message"),
    [("127.0.0.1:1", "start the server, or correct host and port"), ("host.invalid", "correct the host")],
)
def test_a_server_that_cannot_be_reached(host: str, message: str) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(InputError) as refused:
        open_storage(f"postgresql://me:{SECRET}@{host}/nas?sslpassword={SECRET}2")
    assert message in str(refused.value)
    assert f"postgresql+psycopg://me:***@{host}/nas cannot be used" in str(refused.value)
    assert SECRET not in str(refused.value)


def test_credentials_are_never_shown(storage: Storage) -> None:
    url = storage.engine.url.set(username="me", password=SECRET, query={"sslpassword": SECRET})
    assert SECRET not in describe(url)
    assert repr(storage) == f"Storage(artifacts={storage.artifacts!r})"


class FullDisk(Connection):
    """A connection to a database that may not grow beyond a few pages: SQLite says then that the disk is full."""

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)
        self.execute("PRAGMA max_page_count=4")


def test_a_disk_that_is_full_at_first_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as full:
        full.setattr("nas.study.sql.storage.Connection", FullDisk)
        with pytest.raises(InputError, match=r"disk is full\); free some space"):
            open_storage(tmp_path / "nas.db")
    with closing(sqlite3.connect(tmp_path / "nas.db")) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []

    with open_storage(tmp_path / "nas.db") as storage:
        assert list_studies(storage) == []


def test_a_disk_that_fills_up_later_keeps_what_was_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Callable[..., StudySettings]
) -> None:
    with open_storage(tmp_path / "nas.db") as storage:
        image(create_or_resume(storage, settings()))

    with monkeypatch.context() as full:
        full.setattr("nas.study.sql.storage.Connection", FullDisk)
        with open_storage(tmp_path / "nas.db") as storage:
            large = settings(name="large", recipe={"notes": "x" * 100_000})
            with pytest.raises(InputError, match=r"disk is full\); free some space"):
                create_or_resume(storage, large)
            with pytest.raises(InputError, match=r"disk is full\); free some space"), storage.guarded():
                optuna.load_study(study_name="hippocampus", storage=storage.optuna).set_user_attr("a", "x" * 100_000)

    with open_storage(tmp_path / "nas.db") as storage:
        assert [study.name for study in list_studies(storage)] == ["hippocampus"]


def test_optuna_is_quiet(
    tmp_path: Path, settings: Callable[..., StudySettings], capfd: pytest.CaptureFixture[str]
) -> None:
    with open_storage(tmp_path / "nas.db") as storage:
        study = create_or_resume(storage, settings())
        complete(study, "a", 0.5)
        assert [trial.value for trial in image(study).trials] == [0.5]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [("nas.study", {"sqlalchemy", "alembic", "optuna", "torch"}), ("nas.study.sql.opening", {"optuna", "torch"})],
)
def test_reading_a_study_starts_quickly(module: str, unwanted: set[str]) -> None:
    code = f"import sys, {module}; print(*{unwanted} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "\n"


def test_a_database_remembers_where_its_files_are(address: str, tmp_path: Path) -> None:
    with open_storage(address, artifacts=tmp_path / "shared") as storage:
        assert storage.artifacts == tmp_path / "shared"
    with open_storage(address, artifacts=tmp_path / "mounted elsewhere", create=False) as storage:
        assert storage.artifacts == tmp_path / "mounted elsewhere"
    with open_storage(address, create=False) as storage:
        assert storage.artifacts == tmp_path / "shared"
    with open_storage(address, artifacts=tmp_path / "moved"):
        pass
    with open_storage(address) as storage:
        assert storage.artifacts == tmp_path / "moved"


def test_a_server_remembers_the_working_folder_of_its_first_search(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        with open_storage(address) as storage:
            beside = storage.engine.dialect.name == "sqlite"
            expected = Path(storage.engine.url.database or "").parent if beside else tmp_path / "first"
            assert storage.artifacts == expected / "artifacts"


def test_files_beside_a_database_move_with_it(tmp_path: Path) -> None:
    with open_storage(tmp_path / "here" / "nas.db"):
        pass
    (tmp_path / "here").rename(tmp_path / "there")
    with open_storage(tmp_path / "there" / "nas.db") as storage:
        assert storage.artifacts == tmp_path / "there" / "artifacts"


def test_no_secret_is_remembered_with_the_place_of_files(tmp_path: Path) -> None:
    with open_storage(tmp_path / "nas.db", artifacts="s3://key:s3cret@bucket/prefix?token=s3cret"):
        pass
    with open_storage(tmp_path / "nas.db") as storage:
        assert storage.artifacts_address == "s3://bucket/prefix"
