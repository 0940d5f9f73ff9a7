"""The tables in a database are the tables in the code, however they came there."""

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import optuna
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, inspect, text

from nas.errors import InputError
from nas.study.history import Origin, Result, State
from nas.study.protocol import Claim
from nas.study.settings import StudySettings
from nas.study.sql.migrations import FOLDER, VERSION_TABLE, upgrade, versions
from nas.study.sql.migrations.upgrading import config
from nas.study.sql.opening import create_or_resume, open_study
from nas.study.sql.storage import Storage, open_storage
from nas.study.sql.study import SqlStudy
from nas.study.sql.tables import Base
from nas.study.upkeep.checking import check
from tests.study.runs import complete, duplicate, image


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


def test_files_are_called_by_the_versions_that_they_make() -> None:
    scripts = ScriptDirectory.from_config(config()).walk_revisions()
    assert [script.revision for script in scripts] == [*reversed(versions())]
    assert len(versions()) == len([*(FOLDER / "versions").glob("*.py")])


def test_a_database_of_this_version_is_opened_without_alembic(
    address: str, study: SqlStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nas.study.sql.migrations.upgrading", None)
    with open_storage(address) as again:
        assert open_study(again, study.name).name == study.name


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


def test_opening_again_changes_nothing(address: str, study: SqlStudy) -> None:
    with open_storage(address) as again:
        upgrade(again.engine)
        assert open_study(again, study.name).id == study.id


def test_optunas_own_version_is_left_alone(storage: Storage) -> None:
    storage.optuna  # noqa: B018 makes Optuna's tables
    with storage.engine.connect() as connection:
        versions = [
            connection.scalar(text(f"SELECT version_num FROM {table}")) for table in (VERSION_TABLE, "alembic_version")
        ]
    assert versions[0] == "0005"
    assert versions[1].startswith("v")


FIRST = (
    "INSERT INTO nas_study VALUES (1, 'old', '2026-11-01 10:00:00', 'tiny', '{}', 'aa', 'brain', '{}', 'bb', {true}, "
    "'{}', '{}', '{}', 'dice', 0, '{}', 'cpu')",
    "INSERT INTO nas_architecture VALUES ('net', '{}', '{}', 10, 20, 30)",
    "INSERT INTO nas_evaluation VALUES (1, 1, 0, 'net', 'U-Net', 'complete', NULL, 0, 0, 0, 'cpu', NULL, "
    "'2026-11-01 10:00:00', '2026-11-01 10:01:00', 60.0, NULL, 5, 0.75)",
    "INSERT INTO nas_evaluation VALUES (2, 1, 1, 'net 2', NULL, 'running', NULL, 0, 0, 0, 'cpu', NULL, "
    "'2026-11-01 10:02:00', NULL, NULL, NULL, NULL, NULL)",
    "INSERT INTO nas_measurement VALUES (1, 1, 'dice', -1, '', 0.75)",
    "INSERT INTO nas_artifact VALUES (1, 1, 'weights', 'old/1/weights', '{sha}', 7)",
)
WEIGHTS = b"weights"
SETTINGS = {
    "name": "old", "created": "2026-11-01 10:00:00", "space": "tiny", "space_document": '{"width": [8, 16]}',
    "space_digest": "a" * 64, "data": "Task04_Hippocampus", "data_fingerprint": '{"cases": 260}',
    "data_digest": "b" * 64, "synthetic": False, "task": '{"axes": 3, "patch": [32, 32, 32]}',
    "recipe": '{"loss": "dice_ce", "optimiser": {"name": "sgd", "rate": 0.01}}', "plan": '{"batch": 2}',
    "objective": "mean foreground Dice on whole validation cases, fold 0", "seed": 0, "versions": "{}",
    "device": "cpu", "fold": 0, "wanted": 20,
}  # fmt: skip
"""A study as version 0003 kept it, of the same settings as the tests' own."""
DEFAULTS: dict[str, object] = {
    "study_id": 1, "digest": None, "reference": None, "reason": None, "fold": 0, "seed": 0, "rung": 0,
    "device": "cpu", "worker": "host:1", "started": "2026-11-01 10:00:00", "finished": "2026-11-01 10:01:00",
    "seconds": 60.0, "peak_bytes": None, "epochs": None, "dice": None, "worker_id": None, "claim": 1, "failures": 0,
    "decisions": '{"width": 8}', "constraints": '{"macs": -0.5}', "recipe": "{}", "recipe_digest": "sgd",
}  # fmt: skip
EVALUATIONS: list[dict[str, object]] = [
    {"id": 1, "trial": 0, "digest": "a", "reference": "U-Net", "state": "complete", "dice": 0.75, "epochs": 5},
    {"id": 2, "trial": 0, "digest": "a", "reference": "U-Net", "state": "complete", "dice": 0.9, "fold": 1},
    {"id": 3, "trial": 0, "digest": "a", "reference": "U-Net", "state": "waiting", "seed": 1},
    {"id": 4, "trial": 1, "digest": "a", "state": "duplicate", "dice": 0.75, "claim": 0, "reason": "trial 0"},
    {"id": 5, "trial": 3, "digest": "b", "state": "infeasible", "claim": 0, "reason": "too large",
     "constraints": '{"macs": 0.5}'},
    {"id": 6, "trial": 4, "digest": "b", "state": "duplicate", "claim": 0, "reason": "the network of trial 3",
     "constraints": '{"macs": 0.5, "known_infeasible": 1.0}'},
    {"id": 7, "trial": 5, "digest": "c", "state": "infeasible", "reason": "out of memory: 4 GB",
     "constraints": '{"macs": -0.5, "out_of_memory": 1.0}'},
    {"id": 8, "trial": 6, "digest": "d", "state": "complete", "dice": 0.0, "reason": "the loss is nan"},
    {"id": 9, "trial": 7, "digest": "e", "state": "failed", "failures": 3, "reason": "Traceback: boom", "claim": 3},
    {"id": 10, "trial": 8, "digest": "e", "state": "complete", "dice": 0.25},
    {"id": 11, "trial": 9, "digest": "e", "state": "duplicate", "dice": 0.25, "claim": 0},
    {"id": 12, "trial": 10, "digest": None, "state": "infeasible", "claim": 0, "reason": "the patch is too small"},
    {"id": 13, "trial": 11, "digest": "f", "state": "running", "worker_id": 99, "finished": None, "seconds": None},
    {"id": 20, "trial": 12, "digest": "g", "state": "waiting", "finished": None, "failures": 1, "seconds": None,
     "reason": "Traceback: once"},
]  # fmt: skip
STATES = {
    0: "complete", 1: "duplicate", 3: "infeasible", 4: "duplicate", 5: "infeasible", 6: "diverged", 7: "failed",
    8: "complete", 9: "duplicate", 10: "infeasible", 11: "running", 12: "waiting",
}  # fmt: skip
"""By trial. Number 2 was given to a proposal of which nothing came."""


def fresh(address: str, version: str) -> Engine:
    """A database as migrations made it up to a version."""
    if address.startswith("sqlite"):
        Path(address.removeprefix("sqlite:///")).parent.mkdir()
    engine = create_engine(address)
    with engine.begin() as connection:
        command.upgrade(config(connection), version)
    return engine


def insert(connection: Connection, table: str, **values: object) -> None:
    names, places = ", ".join(values), ", ".join(f":{name}" for name in values)
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({places})"), values)


@pytest.fixture
def third(address: str, tmp_path: Path) -> Iterator[Storage]:
    """A database of version 0003 that holds one of each, with its files, opened by today's code."""
    engine = fresh(address, "0003")
    with engine.begin() as connection:
        insert(connection, "nas_study", id=1, **SETTINGS)
        beats = {"process": 2**22 + 1, "born": 0.0, "beats": 3, "heartbeat": "2026-11-01 10:00:00"}
        about = {"place": "gone", "device": "cpu", "started": "2026-11-01 10:00:00", "ended": "2026-11-01 11:00:00"}
        insert(connection, "nas_worker", id=99, study_id=1, name="host:1", **beats, **about)
        for digest in "abcdefg":
            costs = {"parameters": 10, "macs": 20, "training_bytes": 30}
            insert(connection, "nas_architecture", digest=digest, document="{}", graph="{}", **costs)
        for row in EVALUATIONS:
            insert(connection, "nas_evaluation", **DEFAULTS | row)
        for id, epoch, value in ((1, 1, 0.5), (1, 2, 0.75), (2, 1, 0.9), (8, 1, None)):
            key = {"evaluation_id": id, "epoch": epoch, "metric": "dice", "class_index": -1, "case_name": ""}
            insert(connection, "nas_measurement", **key, value=value)
        for id, kind, run in ((1, "weights", 1), (2, "weights", 2), (7, "checkpoint", 13)):
            content = WEIGHTS + str(run).encode()
            path = tmp_path / "files" / "old" / str(run) / kind
            path.parent.mkdir(parents=True)
            path.write_bytes(content)
            file = {"address": f"old/{run}/{kind}", "sha256": sha256(content).hexdigest(), "bytes": len(content)}
            insert(connection, "nas_artifact", id=id, evaluation_id=run, kind=kind, **file)
        insert(connection, "nas_place", id=1, address=str(tmp_path / "files"))
    engine.dispose()
    with open_storage(address) as storage:
        yield storage


def test_every_trial_of_version_0003_is_carried_over(third: Storage) -> None:
    study = open_study(third, "old")
    history = study.history()
    trials = history.by_number
    assert {number: str(trial.state) for number, trial in trials.items()} == STATES
    assert [(t.number, t.twin) for t in history.in_state(State.DUPLICATE)] == [(1, 0), (4, 3), (9, 8)]
    assert [t.number for t in history.trials if t.refusal is not None] == [1, 3, 4, 9, 10]
    assert (trials[0].origin, trials[0].reference, trials[8].origin) == (Origin.PUBLISHED, "U-Net", Origin.STRATEGY)
    assert (trials[0].decisions, trials[0].recipe_digest, trials[0].parameters) == ({"width": 8}, "sgd", 10)
    assert trials[5].constraints == {"macs": -0.5, "out_of_memory": 1.0}
    assert [trials[number].explanation for number in (3, 5, 6, 7, 10, 12)] == [
        "too large", "out of memory: 4 GB", "the loss is nan", "Traceback: boom", "the patch is too small",
        "Traceback: once",
    ]  # fmt: skip
    assert [(trials[number].failures, trials[number].values) for number in (6, 7, 8, 12)] == [
        (0, {}),
        (3, {}),
        (0, {"dice": 0.25}),
        (1, {}),
    ]
    runs = trials[0].runs
    assert [(run.id, run.key.fold, run.key.seed, run.values, str(run.state)) for run in runs] == [
        (1, 0, 0, {"dice": 0.75}, "complete"),
        (2, 1, 0, {"dice": 0.9}, "complete"),
        (3, 0, 1, {}, "waiting"),
    ]
    assert (trials[0].values, runs[0].seconds, runs[0].worker) == ({"dice": 0.75}, 60.0, "host:1")
    assert [point.value for point in study.measurements(1)] == [0.5, 0.75]
    assert [math.isnan(point.value) for point in study.measurements(8)] == [True]
    assert (study.wanted(), study.settings.fold, study.settings.rungs) == (20, 0, [1.0])


def test_files_of_version_0003_are_found_where_they_are(third: Storage, tmp_path: Path) -> None:
    study = open_study(third, "old")
    assert study.file(1, "weights") == tmp_path / "files" / "old" / "1" / "weights"
    assert study.file(2, "weights").read_bytes() == WEIGHTS + b"2"
    assert [fault.what for fault in check(study)] == ["trial 11 is running, but its worker host:1 has ended"]
    check(study, repair=True)
    assert check(study) == []
    assert study.file(2, "weights").is_file()


def test_a_study_of_version_0003_is_resumed(
    third: Storage, settings: Callable[..., StudySettings], tmp_path: Path
) -> None:
    study = create_or_resume(third, settings(name="old"))
    with study.at_work("cpu", lease=30) as worker:
        dead, _ = study.watch(30).look(worker.id)
        taken = [study.take_up(worker, dead) for _ in range(1)]
        assert taken == [Claim(3, 2)]
        study.finish(Claim(3, 2), Result(state=State.COMPLETE, values={"dice": 0.1}))
        running = study.take_up(worker, dead)
        assert running == Claim(13, 2)
        checkpoint = study.checkpoint(running)
        assert checkpoint is not None
        assert checkpoint.read_bytes() == WEIGHTS + b"13"
        study.finish(running, Result(state=State.COMPLETE, values={"dice": 0.5}))
        assert not checkpoint.exists()
        assert study.take_up(worker, dead) == Claim(20, 2)
        study.finish(Claim(20, 2), Result(state=State.COMPLETE, values={"dice": 0.6}))
        assert study.take_up(worker, dead) is None
    for digest in "abcde":
        twin = duplicate(study, digest, recipe_digest="sgd").twin
        assert twin == {"a": 0, "b": 3, "c": 5, "d": 6, "e": 8}[digest]
    run = complete(study, "new", 0.8)
    assert run == 21
    assert study.history().trials[-1].number == 18
    (tmp_path / "weights").write_bytes(WEIGHTS)
    with study.at_work("cpu", lease=30) as worker:
        claim = study.go_on(18, replace(study.settings.first_run, seed=9), worker)
        assert isinstance(claim, Claim)
        study.keep(claim, "weights", tmp_path / "weights")
        assert study.file(claim.run, "weights").relative_to(third.artifacts).parts[:2] == (third.part, "old")


def test_a_study_of_version_0003_is_shown_in_optuna_under_its_old_numbers(third: Storage) -> None:
    trials = image(open_study(third, "old")).trials
    assert [trial.number for trial in trials] == list(range(13))
    assert {trial.number: trial.user_attrs.get("state") for trial in trials} == {2: None} | STATES
    assert [trials[number].value for number in (0, 3, 6, 8)] == [0.75, 0.0, 0.0, 0.25]


def test_a_database_of_version_0003_has_the_tables_of_the_code(third: Storage) -> None:
    test_the_migrations_make_the_tables_of_the_code(third)
    test_constraints_have_the_names_that_the_code_gives_them(third)


def test_a_database_of_the_first_version_is_upgraded_and_keeps_what_it_holds(address: str, tmp_path: Path) -> None:
    engine = fresh(address, "0001")
    with engine.begin() as connection:
        truth = "1" if engine.dialect.name == "sqlite" else "true"
        for row in FIRST:
            row = row.replace("{true}", truth).replace("{sha}", sha256(WEIGHTS).hexdigest())
            connection.execute(text(row.replace("'net 2'", "NULL").replace(":", "\\:")))
    engine.dispose()

    with open_storage(address, artifacts=tmp_path) as storage:
        study = open_study(storage, "old")
        done, left = study.history().trials
        assert (done.state, done.values, done.reference, done.decisions) == (
            State.COMPLETE,
            {"dice": 0.75},
            "U-Net",
            None,
        )
        assert [point.value for point in study.measurements(done.runs[0].id)] == [0.75]
        assert (study.settings.fold, study.settings.data_source, study.wanted()) == (0, None, 0)
        (tmp_path / "old" / "1").mkdir(parents=True)
        (tmp_path / "old" / "1" / "weights").write_bytes(WEIGHTS)
        assert study.file(done.runs[0].id, "weights").read_bytes() == WEIGHTS
        with study.at_work("cpu", lease=30) as worker:
            assert study.take_up(worker, []) == Claim(left.runs[0].id, 1)
        assert [trial.state.name for trial in image(study).trials] == ["COMPLETE", "RUNNING"]
        test_the_migrations_make_the_tables_of_the_code(storage)
        test_constraints_have_the_names_that_the_code_gives_them(storage)


def test_a_database_that_optuna_made_first_is_taken_up(tmp_path: Path, settings: Callable[..., StudySettings]) -> None:
    theirs = optuna.storages.RDBStorage(f"sqlite:///{tmp_path / 'optuna.db'}")
    optuna.create_study(storage=theirs, study_name="theirs")
    theirs.engine.dispose()

    with open_storage(tmp_path / "optuna.db") as storage:
        image(create_or_resume(storage, settings()))
        assert set(optuna.get_all_study_names(storage.optuna)) == {"theirs", "hippocampus"}


def test_a_database_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "nas.db"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.execute(text(f"CREATE TABLE {VERSION_TABLE} (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text(f"INSERT INTO {VERSION_TABLE} VALUES ('9999')"))
    engine.dispose()
    before = path.read_bytes()

    with pytest.raises(InputError, match=r"tables of version 9999, written by a newer nas; this one knows .* 0005"):
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
