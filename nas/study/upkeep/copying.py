"""Copies of studies, other names for them, and their end."""

import shutil
from pathlib import Path
from typing import Any

from sqlalchemy import delete, exists, insert, or_, select, update
from sqlalchemy.orm import Session, aliased

from nas.errors import InputError
from nas.study.files.artifacts import StoredFile, check_name
from nas.study.history import UNDERWAY, Split
from nas.study.sql.files import stored_of
from nas.study.sql.opening import find_study, open_study
from nas.study.sql.storage import Storage
from nas.study.sql.study import SqlStudy
from nas.study.sql.tables import (
    ArchitectureRow,
    ArtifactRow,
    Base,
    JournalRow,
    MeasurementRow,
    RunRow,
    StudyRow,
    TrialRow,
    WorkerRow,
)
from nas.study.upkeep.checking import living_workers


def rename(study: SqlStudy, name: str) -> SqlStudy:
    """Give a study another name. Its files stay where they are.

    Raises:
        InputError: the name cannot be used or is taken.
    """
    import optuna

    _check_free(study.storage, name)
    backend = study.storage.optuna
    with study.storage.guarded():
        if study.name in optuna.get_all_study_names(backend):
            optuna.copy_study(from_study_name=study.name, from_storage=backend, to_storage=backend, to_study_name=name)
            optuna.delete_study(study_name=study.name, storage=backend)
    with study.storage.begin() as session:
        session.execute(update(StudyRow).where(StudyRow.id == study.id).values(name=name))
    return open_study(study.storage, name)


def copy(study: SqlStudy, name: str, target: Storage) -> SqlStudy:
    """Copy a study with its results and files, into the same storage or another.

    Runs that go on are left out, and trials that have no others: they belong to the original's workers.

    Raises:
        InputError: the name cannot be used or is taken.
    """
    _check_free(target, name)
    with study.storage.begin() as source, target.begin() as sink:
        files = _copy_rows(study, name, source, sink, target)
        for stored, path in files:
            destination = target.artifacts / stored.address
            destination.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, destination)
            if target.remote is not None:
                target.remote.upload(destination, stored.address)
    return open_study(target, name)


def remove_study(study: SqlStudy, *, force: bool = False) -> None:
    """Delete a study with its results and files.

    Raises:
        InputError: workers are at it, and `force` is not given.
    """
    import optuna

    if not force and living_workers(study):
        raise InputError(f"workers are at study {study.name!r}; stop them first, or give --force")
    with study.storage.begin() as session:
        runs = select(RunRow.id).where(RunRow.study_id == study.id)
        addresses = session.scalars(select(ArtifactRow.address).where(ArtifactRow.run_id.in_(runs))).all()
        for table in (ArtifactRow, MeasurementRow):
            session.execute(delete(table).where(table.run_id.in_(runs)))
        for owned in (RunRow, TrialRow, WorkerRow, JournalRow):
            session.execute(delete(owned).where(owned.study_id == study.id))
        session.execute(delete(StudyRow).where(StudyRow.id == study.id))
        used = aliased(TrialRow)
        session.execute(delete(ArchitectureRow).where(~exists().where(used.digest == ArchitectureRow.digest)))
    for address in addresses:
        study.storage.remove(address)
    backend = study.storage.optuna
    with study.storage.guarded():
        if study.name in optuna.get_all_study_names(backend):
            optuna.delete_study(study_name=study.name, storage=backend)


def _copy_rows(
    study: SqlStudy, name: str, source: Session, sink: Session, target: Storage
) -> list[tuple[StoredFile, Path]]:
    """Copy what the tables say, and return the files that belong to it, with where they are now."""
    new = StudyRow(**_values(source.get_one(StudyRow, study.id)) | {"name": name, "projected": 0})
    sink.add(new)
    sink.flush()
    files: list[tuple[StoredFile, Path]] = []
    for line in source.scalars(select(JournalRow).where(JournalRow.study_id == study.id)).all():
        sink.add(JournalRow(**_values(line) | {"study_id": new.id}))
    under_way, ended = RunRow.state.in_(UNDERWAY), RunRow.state.not_in(UNDERWAY)
    going_on = TrialRow.id.in_(select(RunRow.trial_id).where(under_way))
    settled = TrialRow.id.in_(select(RunRow.trial_id).where(ended, RunRow.split == Split.SEARCH))
    chosen = select(TrialRow).where(TrialRow.study_id == study.id, or_(~going_on, settled))
    for trial in source.scalars(chosen.order_by(TrialRow.number)).all():
        _copy_architecture(source, sink, trial.digest)
        twin = TrialRow(**_values(trial) | {"study_id": new.id})
        sink.add(twin)
        sink.flush()
        runs = select(RunRow).where(RunRow.trial_id == trial.id, ended).order_by(RunRow.id)
        for run in source.scalars(runs).all():
            files += _copy_run(study, run, {"study_id": new.id, "trial_id": twin.id}, name, source, sink, target)
    return files


def _copy_run(
    study: SqlStudy, run: RunRow, ids: dict[str, int], name: str, source: Session, sink: Session, target: Storage
) -> list[tuple[StoredFile, Path]]:
    twin = RunRow(**_values(run) | ids | {"worker_id": None})
    sink.add(twin)
    sink.flush()
    measured = source.scalars(select(MeasurementRow).where(MeasurementRow.run_id == run.id)).all()
    rows = [{c.key: getattr(row, c.key) for c in MeasurementRow.__table__.columns} for row in measured]
    if rows:
        sink.execute(insert(MeasurementRow), [row | {"run_id": twin.id} for row in rows])
    files = []
    for artifact in source.scalars(select(ArtifactRow).where(ArtifactRow.run_id == run.id)):
        path = study.storage.locate(stored_of(artifact))
        address = f"{target.folder_of(name)}/{twin.id}/{Path(artifact.address).name}"
        stored = StoredFile(address, artifact.sha256, artifact.bytes)
        sink.add(ArtifactRow(run_id=twin.id, kind=artifact.kind, **vars(stored)))
        files.append((stored, path))
    return files


def _check_free(storage: Storage, name: str) -> None:
    check_name("study name", name)
    if find_study(storage, name) is not None:
        raise InputError(f"there is a study {name!r} in {storage.address} already; give another name")


def _values(row: Base) -> dict[str, Any]:
    """All columns of a row but its id."""
    return {column.key: getattr(row, column.key) for column in row.__table__.columns if column.key != "id"}


def _copy_architecture(source: Session, sink: Session, digest: str | None) -> None:
    if digest is None or sink.get(ArchitectureRow, digest) is not None:
        return
    row = source.get_one(ArchitectureRow, digest)
    sink.add(ArchitectureRow(**{c.key: getattr(row, c.key) for c in ArchitectureRow.__table__.columns}))
    sink.flush()
