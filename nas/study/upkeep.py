"""Keeping studies in order: copies, other names, deletion, files that nobody needs, and repair."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import delete, exists, insert, or_, select, text, update
from sqlalchemy.orm import Session, aliased

from nas.errors import InputError
from nas.study import mirror
from nas.study.artifacts import LostFileError, StoredFile, check_name
from nas.study.opening import find_study, open_study
from nas.study.patience import patiently
from nas.study.records import State
from nas.study.storage import Storage
from nas.study.study import CHECKPOINT, Study
from nas.study.tables import ArchitectureRow, ArtifactRow, Base, EvaluationRow, MeasurementRow, StudyRow, WorkerRow
from nas.study.workers import Watch, living

KEPT = 10
"""The best networks whose weights are kept while a search goes on, beside those of published networks."""


@patiently
def prune_artifacts(study: Study, keep: int = KEPT) -> int:
    """Delete the weights of all but the best and the published networks, and checkpoints of what has ended.

    Returns:
        How many files that were.
    """
    row, mine = EvaluationRow, EvaluationRow.study_id == study.id
    best = select(row.id).where(mine, row.state == State.COMPLETE).order_by(row.dice.desc(), row.id).limit(keep)
    open_states = (State.RUNNING, State.WAITING)
    with study.storage.begin() as session:
        kept = set(session.scalars(best))
        files = session.execute(
            select(ArtifactRow.id, ArtifactRow.address)
            .join(row, row.id == ArtifactRow.evaluation_id)
            .where(mine, row.state.not_in(open_states))
            .where(or_(ArtifactRow.kind == CHECKPOINT, row.reference.is_(None) & row.id.not_in(kept)))
        ).all()
        session.execute(delete(ArtifactRow).where(ArtifactRow.id.in_([id for id, _ in files])))
    for _, address in files:
        study.storage.remove(address)
    return len(files)


def rename(study: Study, name: str) -> Study:
    """Give a study another name. Its files stay where they are.

    Raises:
        InputError: the name cannot be used or is taken.
    """
    _check_free(study.storage, name)
    study.optuna_study()
    with study.storage.begin() as session:
        session.execute(update(StudyRow).where(StudyRow.id == study.id).values(name=name))
        # Optuna offers no way to rename; its table holds the name once.
        session.execute(text("UPDATE studies SET study_name = :new WHERE study_name = :old"), _names(study, name))
    return open_study(study.storage, name)


def copy(study: Study, name: str, target: Storage) -> Study:
    """Copy a study with its results and files, into the same storage or another.

    What runs or waits is left out: it belongs to the original's workers.

    Raises:
        InputError: the name cannot be used or is taken.
    """
    import optuna

    _check_free(target, name)
    chosen = study.evaluations(State.COMPLETE, State.INFEASIBLE, State.DUPLICATE, State.FAILED)
    made: list[tuple[StoredFile, Path]] = []
    with study.storage.begin() as source, target.begin() as sink:
        settings = {
            column.key: getattr(source.get_one(StudyRow, study.id), column.key) for column in _columns(StudyRow)
        }
        new = StudyRow(**settings | {"name": name})
        sink.add(new)
        sink.flush()
        for evaluation in chosen:
            _copy_architecture(source, sink, evaluation.digest)
            row = source.get_one(EvaluationRow, evaluation.id)
            values = {column.key: getattr(row, column.key) for column in _columns(EvaluationRow)}
            twin = EvaluationRow(**values | {"study_id": new.id, "worker_id": None})
            sink.add(twin)
            sink.flush()
            measurements = source.scalars(select(MeasurementRow).where(MeasurementRow.evaluation_id == evaluation.id))
            rows = [{c.key: getattr(m, c.key) for c in MeasurementRow.__table__.columns} for m in measurements]
            if rows:
                sink.execute(insert(MeasurementRow), [each | {"evaluation_id": twin.id} for each in rows])
            for file in source.scalars(select(ArtifactRow).where(ArtifactRow.evaluation_id == evaluation.id)):
                stored = StoredFile(file.address, file.sha256, file.bytes)
                address = f"{name}/{twin.id}/{Path(file.address).name}"
                made.append((replace(stored, address=address), study.storage.locate(stored)))
                sink.add(ArtifactRow(evaluation_id=twin.id, kind=file.kind, **vars(made[-1][0])))
        for stored, path in made:
            destination = target.artifacts / stored.address
            destination.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, destination)
            if target.remote is not None:
                target.remote.upload(destination, stored.address)
    study.optuna_study()
    optuna.copy_study(
        from_study_name=study.name, from_storage=study.storage.optuna, to_storage=target.optuna, to_study_name=name
    )
    copied = open_study(target, name)
    mirror.settle(copied)
    return copied


def remove_study(study: Study, *, force: bool = False) -> None:
    """Delete a study with its results and files.

    Raises:
        InputError: workers are at it, and `force` is not given.
    """
    import optuna

    if not force and _alive(study):
        raise InputError(f"workers are at study {study.name!r}; stop them first, or give --force")
    row = EvaluationRow
    with study.storage.begin() as session:
        mine = select(row.id).where(row.study_id == study.id)
        addresses = session.scalars(select(ArtifactRow.address).where(ArtifactRow.evaluation_id.in_(mine))).all()
        for table in (ArtifactRow, MeasurementRow):
            session.execute(delete(table).where(table.evaluation_id.in_(mine)))
        session.execute(delete(row).where(row.study_id == study.id))
        session.execute(delete(WorkerRow).where(WorkerRow.study_id == study.id))
        session.execute(delete(StudyRow).where(StudyRow.id == study.id))
        used = aliased(EvaluationRow)
        session.execute(delete(ArchitectureRow).where(~exists().where(used.digest == ArchitectureRow.digest)))
    for address in addresses:
        study.storage.remove(address)
    study.storage.optuna_numbers.pop(study.id, None)
    with study.storage.guarded():
        if study.name in optuna.get_all_study_names(study.storage.optuna):
            optuna.delete_study(study_name=study.name, storage=study.storage.optuna)


@dataclass(frozen=True)
class Fault:
    """Something that is not as it should be, and what repairing does about it."""

    what: str
    repair: str


def check(study: Study, *, repair: bool = False) -> list[Fault]:
    """Find trials that no living worker has, files that are broken, missing or nobody's, and what Optuna lacks.

    Args:
        study: which one.
        repair: also set right what was found.

    Raises:
        InputError: files cannot be reached for now; none of them is forgotten.
    """
    found = [*_stale(study, repair), *_broken(study, repair)]
    if not _alive(study):  # files on their way in, and results on their way to Optuna, are no faults
        found += [*_orphans(study, repair), *_untold(study, repair)]
    return found


def _stale(study: Study, repair: bool) -> Iterator[Fault]:
    row = EvaluationRow
    alive = _alive(study)
    with study.storage.begin() as session:
        running = (row.study_id == study.id) & (row.state == State.RUNNING)
        for each in session.scalars(select(row).where(running)):
            if each.worker_id not in alive:
                yield Fault(
                    f"trial {each.trial} is running, but its worker {each.worker} has ended", "wait for another"
                )
                if repair:
                    each.state, each.worker_id, each.claim = State.WAITING, None, each.claim + 1


def _broken(study: Study, repair: bool) -> Iterator[Fault]:
    row = EvaluationRow
    with study.storage.begin() as session:
        rows = select(ArtifactRow, row.trial).join(row, row.id == ArtifactRow.evaluation_id)
        named = session.execute(rows.where(row.study_id == study.id)).all()
        if named and not study.storage.addresses(study.name):
            yield Fault(
                f"none of the {len(named)} files that trials name is in {study.storage.shown_artifacts}; is it "
                "mounted, or are they elsewhere (--artifacts)?",
                "go on naming them",
            )
            return
        for file, trial in named:
            try:
                study.storage.locate(StoredFile(file.address, file.sha256, file.bytes), afresh=True)
            except LostFileError as error:
                yield Fault(f"trial {trial}, {file.kind}: {error}", "forget the file")
                if repair:
                    session.delete(file)


def _orphans(study: Study, repair: bool) -> Iterator[Fault]:
    storage = study.storage
    with storage.begin() as session:
        known = set(session.scalars(select(ArtifactRow.address)))
    for address in storage.addresses(study.name):
        if address not in known:
            yield Fault(f"no trial names the file {address} in {storage.shown_artifacts}", "delete it")
            if repair:
                storage.remove(address)


def _untold(study: Study, repair: bool) -> Iterator[Fault]:
    if repair:
        changed = mirror.settle(study)
        if changed:
            yield Fault(f"{changed} of Optuna's trials were open although they had ended", "close them")


def _alive(study: Study) -> list[int]:
    """Workers that have not ended and whose process, where it is on this machine, is there."""
    return Watch(study, float("inf")).look(0)[1] if living(study) else []


def _check_free(storage: Storage, name: str) -> None:
    check_name("study name", name)
    if find_study(storage, name) is not None:
        raise InputError(f"there is a study {name!r} in {storage.address} already; give another name")


def _names(study: Study, name: str) -> dict[str, str]:
    return {"new": name, "old": study.name}


def _columns(table: type[Base]) -> list[Any]:
    return [column for column in table.__table__.columns if column.key != "id"]


def _copy_architecture(source: Session, sink: Session, digest: str | None) -> None:
    if digest is None or sink.get(ArchitectureRow, digest) is not None:
        return
    row = source.get_one(ArchitectureRow, digest)
    sink.add(ArchitectureRow(**{c.key: getattr(row, c.key) for c in ArchitectureRow.__table__.columns}))
    sink.flush()
