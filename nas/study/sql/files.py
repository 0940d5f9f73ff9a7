"""The files of runs: brought in and named in one step, found again, dropped when nobody needs them."""

from collections.abc import Collection
from pathlib import Path

from sqlalchemy import ColumnElement, Select, delete, func, or_, select
from sqlalchemy.orm import Session, aliased

from nas.errors import InputError
from nas.study.files.artifacts import StoredFile
from nas.study.history import UNDERWAY, Split, State
from nas.study.objective import Direction
from nas.study.protocol import CHECKPOINT, Claim, nothing_left
from nas.study.sql.claims import changing, held
from nas.study.sql.errors import UnreachableError
from nas.study.sql.retrying import patiently
from nas.study.sql.storage import Storage
from nas.study.sql.tables import ArtifactRow, RunRow, TrialRow


def keep(storage: Storage, study: int, name: str, claim: Claim, kind: str, path: Path) -> None:
    """Move a file into the study's folder; it takes the place of the one that the run had of this kind.

    Raises:
        InputError: the file cannot be read or kept.
        LostClaimError: another worker has taken the run up.
    """
    stored = storage.bring_in(path, name, claim.run, kind)
    replaced = _name(storage, study, claim, kind, stored)
    if replaced is not None and replaced != stored.address:
        storage.remove(replaced)


@patiently
def file(storage: Storage, run: int, kind: str) -> Path:
    """The path of a file that a run left, after checking that it is unchanged.

    Raises:
        InputError: there is none, it is missing, it has changed, or its address leaves the folder.
    """
    with storage.begin() as session:
        rows = {row.kind: row for row in session.scalars(select(ArtifactRow).where(ArtifactRow.run_id == run))}
        if kind not in rows:
            raise nothing_left(run, kind, rows)
        stored = stored_of(rows[kind])
    return storage.locate(stored)


def checkpoint(storage: Storage, claim: Claim) -> Path | None:
    """The latest checkpoint of a run and the rungs before it. None if there is none that is whole: begin again then."""
    for stored in _checkpoints(storage, claim.run):
        try:
            return storage.locate(stored)
        except UnreachableError:
            raise
        except InputError:
            continue
    return None


@patiently
def drop_checkpoints(storage: Storage, run: int, *, also_own: bool) -> None:
    """Delete the checkpoints of the rungs before a run, and perhaps its own."""
    with storage.begin() as session:
        of_line = _of_line(session, run)
        chosen = select(ArtifactRow).where(ArtifactRow.kind == CHECKPOINT, ArtifactRow.run_id.in_(of_line))
        rows = [row for row in session.scalars(chosen) if also_own or row.run_id != run]
        addresses = [row.address for row in rows]
        session.execute(delete(ArtifactRow).where(ArtifactRow.id.in_([row.id for row in rows])))
    for address in addresses:
        storage.remove(address)


def best_by_score(study: int, keep: int, direction: Direction) -> Select[tuple[int]]:
    """The runs of the search whose scores are best, so many at each rung, complete ones apart from paused ones."""
    row = RunRow
    of_study = (row.study_id == study) & (row.split == Split.SEARCH) & row.state.in_([State.COMPLETE, State.PAUSED])
    score = row.score.desc() if direction == "maximize" else row.score.asc()
    place = func.row_number().over(partition_by=(row.state, row.rung), order_by=(score.nulls_last(), row.id))
    places = select(row.id, place.label("place")).where(of_study).subquery()
    return select(places.c.id).where(places.c.place <= keep)


@patiently
def prune(storage: Storage, study: int, best: Select[tuple[int]] | Collection[int]) -> int:
    """Delete weights but of the search's best runs and of published networks, and checkpoints that nobody needs.

    Of paused trials the best at each rung keep weights and checkpoints, as they are to go on. Runs beside the search,
    as of a confirmation, are kept with those of their trial.
    """
    row, of_study = RunRow, RunRow.study_id == study
    in_search, ended = row.split == Split.SEARCH, row.state.not_in(list(UNDERWAY))
    with storage.begin() as session:
        runs = set(session.scalars(best) if isinstance(best, Select) else best)
        trials = set(session.scalars(select(row.trial_id).where(row.id.in_(runs))))
        kept = (in_search & row.id.in_(runs)) | (~in_search & row.trial_id.in_(trials))
        loser: ColumnElement[bool] = TrialRow.reference.is_(None) & ~kept
        rows = session.execute(
            select(ArtifactRow.id, ArtifactRow.address)
            .join(row, row.id == ArtifactRow.run_id)
            .join(TrialRow, TrialRow.id == row.trial_id)
            .where(of_study, ended, or_((ArtifactRow.kind == CHECKPOINT) & (row.state != State.PAUSED), loser))
        ).all()
        session.execute(delete(ArtifactRow).where(ArtifactRow.id.in_([id for id, _ in rows])))
    for _, address in rows:
        storage.remove(address)
    return len(rows)


def stored_of(row: ArtifactRow) -> StoredFile:
    """What is known of a file."""
    return StoredFile(row.address, row.sha256, row.bytes)


@patiently
def _name(storage: Storage, study: int, claim: Claim, kind: str, stored: StoredFile) -> str | None:
    """Name a file in the database, and return the address of the one whose place it takes."""
    of_kind = (ArtifactRow.run_id == claim.run) & (ArtifactRow.kind == kind)
    with changing(storage, study) as (session, _):
        held(session, claim)
        replaced = session.scalar(select(ArtifactRow.address).where(of_kind))
        session.execute(delete(ArtifactRow).where(of_kind))
        session.add(ArtifactRow(run_id=claim.run, kind=kind, **vars(stored)))
    return replaced


@patiently
def _checkpoints(storage: Storage, run: int) -> list[StoredFile]:
    with storage.begin() as session:
        rows = (
            select(ArtifactRow)
            .join(RunRow, RunRow.id == ArtifactRow.run_id)
            .where(ArtifactRow.kind == CHECKPOINT, ArtifactRow.run_id.in_(_of_line(session, run)))
            .order_by(RunRow.rung.desc())
        )
        return [stored_of(row) for row in session.scalars(rows)]


def _of_line(session: Session, run: int) -> list[int]:
    """A run and those that it goes on from: of the same trial, fold, seed and split, at lower rungs."""
    row, last = aliased(RunRow), session.get_one(RunRow, run)
    same = (row.trial_id == last.trial_id) & (row.fold == last.fold) & (row.seed == last.seed)
    same &= (row.split == last.split) & (row.rung <= last.rung)
    return list(session.scalars(select(row.id).where(same)))
