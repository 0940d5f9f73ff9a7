"""The tables in a database are the tables in the code, however they came there."""

from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from nas.study.migrations import VERSION_TABLE, _config, upgrade
from nas.study.opening import create_or_resume, open_study
from nas.study.records import Claim, State, StudySettings
from nas.study.storage import Storage, open_storage
from nas.study.study import Study
from nas.study.tables import Base
from nas.study.workers import at_work
from sqlalchemy import create_engine, inspect, text

from nas.errors import InputError
from nas.study import claims


def test_the_migrations_make_the_tables_of_the_code(storage: Storage) -> None:
    with storage.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "version_table": VERSION_TABLE,
                "compare_type": True,
                "include_name": lambda name, kind, parents: kind != "table" or name.startswith("nas_"),
            },
        )
        assert compare_metadata(context, Base.metadata) == []
        assert {name for name in inspect(connection).get_table_names() if name.startswith("nas_")} == {
            *Base.metadata.tables,
            VERSION_TABLE,
        }


def test_constraints_have_the_names_that_the_code_gives_them(storage: Storage) -> None:
    found = inspect(storage.engine)
    for table in Base.metadata.sorted_tables:
        names = {
            *(key["name"] for key in found.get_foreign_keys(table.name)),
            *(key["name"] for key in found.get_unique_constraints(table.name)),
            found.get_pk_constraint(table.name)["name"],
        }
        assert names == {constraint.name for constraint in table.constraints}
        indices = {index["name"] for index in found.get_indexes(table.name) if not index["unique"]}
        assert indices == {index.name for index in table.indexes}


def test_opening_again_changes_nothing(address: str, study: Study) -> None:
    with open_storage(address) as again:
        upgrade(again.engine)
        assert open_study(again, study.name).id == study.id


def test_optunas_own_version_is_left_alone(storage: Storage) -> None:
    storage.optuna  # noqa: B018 makes Optuna's tables
    with storage.engine.connect() as connection:
        versions = [
            connection.scalar(text(f"SELECT version_num FROM {table}")) for table in (VERSION_TABLE, "alembic_version")
        ]
    assert versions[0] == "0003"
    assert versions[1].startswith("v")


OLD = (
    "INSERT INTO nas_study VALUES (1, 'old', '2026-11-01 10:00:00', 'tiny', '{}', 'aa', 'brain', '{}', 'bb', {true}, "
    "'{}', '{}', '{}', 'dice', 0, '{}', 'cpu')",
    "INSERT INTO nas_architecture VALUES ('net', '{}', '{}', 10, 20, 30)",
    "INSERT INTO nas_evaluation VALUES (1, 1, 0, 'net', 'U-Net', 'complete', NULL, 0, 0, 0, 'cpu', NULL, "
    "'2026-11-01 10:00:00', '2026-11-01 10:01:00', 60.0, NULL, 5, 0.75)",
    "INSERT INTO nas_evaluation VALUES (2, 1, 1, 'net', NULL, 'running', NULL, 0, 0, 0, 'cpu', NULL, "
    "'2026-11-01 10:02:00', NULL, NULL, NULL, NULL, NULL)",
    "INSERT INTO nas_measurement VALUES (1, 1, 'dice', -1, '', 0.75)",
    "INSERT INTO nas_artifact VALUES (1, 1, 'weights', 'old/1/weights', 'cc', 7)",
)


def test_a_database_of_the_first_version_is_upgraded_and_keeps_what_it_holds(address: str, tmp_path: Path) -> None:
    if address.startswith("sqlite"):
        Path(address.removeprefix("sqlite:///")).parent.mkdir()
    engine = create_engine(address)
    with engine.begin() as connection:
        command.upgrade(_config(connection), "0001")
        truth = "1" if engine.dialect.name == "sqlite" else "true"
        for row in OLD:
            connection.execute(text(row.replace("{true}", truth).replace(":", "\\:")))
    engine.dispose()

    with open_storage(address, artifacts=tmp_path) as storage:
        study = open_study(storage, "old")
        done, left = study.evaluations()
        assert (done.state, done.dice, done.reference, done.decisions, done.claim) == (
            State.COMPLETE,
            0.75,
            "U-Net",
            None,
            0,
        )
        assert [each.value for each in study.learning_curve(done.id)] == [0.75]
        assert (study.settings.fold, study.settings.data_source, study.wanted()) == (0, None, 0)
        with at_work(study, "cpu", lease=30) as worker:
            taken = claims.take_up(study, worker.id, [], wanted=10, device="cpu")
        assert taken == Claim(left.id, 1)
    test_the_migrations_make_the_tables_of_the_code(storage)
    storage.close()


def test_a_database_that_optuna_made_first_is_taken_up(tmp_path: Path, settings: Callable[..., StudySettings]) -> None:
    theirs = optuna.storages.RDBStorage(f"sqlite:///{tmp_path / 'optuna.db'}")
    optuna.create_study(storage=theirs, study_name="theirs")
    theirs.engine.dispose()

    with open_storage(tmp_path / "optuna.db") as storage:
        create_or_resume(storage, settings()).optuna_study()
        assert set(optuna.get_all_study_names(storage.optuna)) == {"theirs", "hippocampus"}


def test_a_database_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "nas.db"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.execute(text(f"CREATE TABLE {VERSION_TABLE} (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text(f"INSERT INTO {VERSION_TABLE} VALUES ('9999')"))
    engine.dispose()
    before = path.read_bytes()

    with pytest.raises(InputError, match=r"tables of version 9999, written by a newer nas; this one knows .* 0003"):
        open_storage(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_database_of_another_optuna_is_refused(tmp_path: Path) -> None:
    with open_storage(tmp_path / "nas.db") as storage:
        storage.optuna  # noqa: B018 makes Optuna's tables
        with storage.engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = 'v9.0.0'"))
    with (
        open_storage(tmp_path / "nas.db") as storage,
        pytest.raises(InputError, match=r"tables of version v9\.0\.0, but Optuna"),
    ):
        storage.optuna  # noqa: B018
