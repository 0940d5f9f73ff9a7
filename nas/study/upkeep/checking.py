"""What is not as it should be in a study, and setting it right."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select

from nas.study.files.artifacts import LostFileError
from nas.study.history import State
from nas.study.sql.claims import changing
from nas.study.sql.files import stored_of
from nas.study.sql.study import SqlStudy
from nas.study.sql.tables import ArtifactRow, RunRow, TrialRow
from nas.study.sql.workers import living


@dataclass(frozen=True)
class Fault:
    """Something that is not as it should be, and what repairing does about it."""

    what: str
    repair: str


def check(study: SqlStudy, *, repair: bool = False) -> list[Fault]:
    """Find runs that no living worker has, and files that are broken, missing or nobody's.

    Args:
        study: which one.
        repair: also set right what was found.

    Raises:
        InputError: files cannot be reached for now; none of them is forgotten.
    """
    faults = [*_stale(study, repair), *_broken(study, repair)]
    if not living_workers(study):  # files on their way in are no faults
        faults += _orphans(study, repair)
    return faults


def living_workers(study: SqlStudy) -> list[int]:
    """Workers that have not ended and whose process, where it is on this machine, is there."""
    return study.watch(float("inf")).look(0)[1] if living(study.storage, study.id) else []


def _stale(study: SqlStudy, repair: bool) -> Iterator[Fault]:
    alive = living_workers(study)
    running = select(RunRow, TrialRow.number).join(TrialRow, TrialRow.id == RunRow.trial_id)
    running = running.where(RunRow.study_id == study.id, RunRow.state == State.RUNNING)
    with study.storage.begin() as session:
        stale = [(run.id, number, run.worker) for run, number in session.execute(running) if run.worker_id not in alive]
    for run_id, number, worker in stale:
        yield Fault(f"trial {number} is running, but its worker {worker} has ended", "wait for another")
        if repair:
            with changing(study.storage, study.id) as (session, revision):
                run = session.get_one(RunRow, run_id)
                run.state, run.worker_id, run.claim, run.revision = State.WAITING, None, run.claim + 1, revision


def _broken(study: SqlStudy, repair: bool) -> Iterator[Fault]:
    rows = select(ArtifactRow, TrialRow.number).join(RunRow, RunRow.id == ArtifactRow.run_id)
    rows = rows.join(TrialRow, TrialRow.id == RunRow.trial_id).where(RunRow.study_id == study.id)
    with study.storage.begin() as session:
        named = session.execute(rows).all()
        if named and not any(study.storage.is_there(file.address) for file, _ in named):
            yield Fault(
                f"none of the {len(named)} files that trials name is in {study.storage.shown_artifacts}; is it "
                "mounted, or are they elsewhere?",
                "go on naming them",
            )
            return
        for file, number in named:
            try:
                study.storage.locate(stored_of(file), afresh=True)
            except LostFileError as error:
                yield Fault(f"trial {number}, {file.kind}: {error}", "forget the file")
                if repair:
                    session.delete(file)


def _orphans(study: SqlStudy, repair: bool) -> Iterator[Fault]:
    """Files that nothing names, in the part of the folder that is this database's alone."""
    storage = study.storage
    with storage.begin() as session:
        named = set(session.scalars(select(ArtifactRow.address)))
    for address in storage.addresses(study.name):
        if address not in named:
            yield Fault(f"no trial names the file {address} in {storage.shown_artifacts}", "delete it")
            if repair:
                storage.remove(address)
