"""Reading a study: its history in a few queries, grown by what is new, and what is too much to be part of it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from nas.errors import InputError
from nas.study.history import UNDERWAY, History, Measurement, Run, Split, State, Trial
from nas.study.objective import Objective
from nas.study.protocol import ArchitectureRecord
from nas.study.sql.retrying import patiently
from nas.study.sql.rows import (
    MEASUREMENT_COLUMNS,
    RUN_COLUMNS,
    TRIAL_COLUMNS,
    architecture_of,
    measurement_of,
    run_of,
    trial_of,
)
from nas.study.sql.storage import Storage
from nas.study.sql.tables import EVERY_CASE, EVERY_CLASS, ArchitectureRow, MeasurementRow, RunRow, StudyRow, TrialRow
from nas.study.summary import Glance, counted


@patiently
def history(storage: Storage, study: int, since: History) -> History:
    """A history grown by the trials that are new or whose runs have changed.

    Whoever writes counts the study's revision on and holds the study's row until it commits: so what is read at a
    revision is all that was written up to it.
    """
    with storage.begin() as session:
        revision = session.scalars(select(StudyRow.revision).where(StudyRow.id == study)).one()
        if revision == since.cursor:
            return since
        run_changed = (RunRow.study_id == study) & (RunRow.revision > since.cursor)
        trial_changed = (TrialRow.study_id == study) & (TrialRow.revision > since.cursor)
        changed = trial_changed
        if since.cursor:
            changed = changed | TrialRow.id.in_(select(RunRow.trial_id).where(run_changed))
        trials = _trials(session, (TrialRow.study_id == study) & changed)
    return since.grown(trials, revision)


@patiently
def trial(storage: Storage, study: int, number: int) -> Trial:
    """One trial of a study."""
    with storage.begin() as session:
        return _trials(session, (TrialRow.study_id == study) & (TrialRow.number == number))[0]


@patiently
def measurements(storage: Storage, run: int, metric: str | None) -> list[Measurement]:
    """What a run has measured, by epoch, metric, class and case."""
    row = MeasurementRow
    statement = select(*MEASUREMENT_COLUMNS).where(row.run_id == run)
    if metric is not None:
        statement = statement.where(row.metric == metric)
    with storage.begin() as session:
        rows = session.execute(statement.order_by(row.epoch, row.metric, row.class_index, row.case_name))
        return [measurement_of(row) for row in rows]


@patiently
def architecture(storage: Storage, digest: str) -> ArchitectureRecord:
    """A network that some study has recorded.

    Raises:
        InputError: there is none of that digest.
    """
    with storage.begin() as session:
        row = session.get(ArchitectureRow, digest)
        if row is None:
            raise InputError(f"there is no architecture {digest!r} in {storage.address}")
        return architecture_of(row)


@patiently
def glance(storage: Storage, study: int, objective: Objective, most: int) -> Glance:
    """A study at a glance, ranked by an objective that runs are scored by; only what is shown is read whole."""
    with storage.begin() as session:
        rows = list(_standings(session, study))
    latest = _latest(rows)
    states = [State(row.refusal or row.state or State.WAITING) for row in latest]
    complete = [row for row, state in zip(latest, states, strict=True) if state is State.COMPLETE]
    scored = [row for row in _latest([row for row in rows if row.state not in UNDERWAY]) if _is_scored(row)]
    sign = -1 if objective.direction == "maximize" else 1
    order = sorted(scored, key=lambda row: (*_shorter(row), sign * (row.score or 0.0), row.parameters or 0, row.number))
    ranks = {row.number: rank for rank, row in enumerate(order, 1) if rank <= most or row.reference is not None}
    with storage.begin() as session:
        shown = _trials(session, (TrialRow.study_id == study) & TrialRow.number.in_(ranks))
    leaders = sorted(((ranks[trial.number], trial.settled) for trial in shown), key=lambda leader: leader[0])
    return Glance(counted(states, [row.digest for row in complete]), tuple(leaders))


class _Standing(NamedTuple):
    """A trial and one of its runs in the search, or none where it has none."""

    number: int
    refusal: str | None
    digest: str | None
    reference: str | None
    parameters: int | None
    fold: int | None
    seed: int | None
    rung: int | None
    state: str | None
    score: float | None


_NO_RUN = (None,) * 5


def _standings(session: Session, study: int) -> Iterator[_Standing]:
    """All trials with their runs; joined here, as PostgreSQL takes seconds for ten thousand without statistics."""
    trial, run = TrialRow, RunRow
    about = (trial.number, trial.refusal, trial.digest, trial.reference, ArchitectureRow.parameters)
    trials: Any = (
        select(trial.id, *about)
        .outerjoin(ArchitectureRow, ArchitectureRow.digest == trial.digest)
        .where(trial.study_id == study)
        .order_by(trial.number)
    )
    trained = (
        select(run.trial_id, run.fold, run.seed, run.rung, run.state, run.score)
        .where(run.study_id == study, run.split == Split.SEARCH)
        .order_by(run.id)
    )
    runs: dict[int, list[Sequence[Any]]] = defaultdict(list)
    for key, *values in session.execute(trained):
        runs[key].append(values)
    for key, *of_trial in session.execute(trials):
        for of_run in runs.get(key, [_NO_RUN]):
            yield _Standing._make((*of_trial, *of_run))


def _is_scored(row: _Standing) -> bool:
    return row.refusal is None and row.state in (State.COMPLETE, State.PAUSED) and row.score is not None


def _shorter(row: _Standing) -> tuple[int, int]:
    """Complete ones first, then those that were trained further, as `nas.study.objective.ranked` has it."""
    return (0, 0) if row.state == State.COMPLETE else (1, -(row.rung or 0))


def _latest(rows: Sequence[_Standing]) -> list[_Standing]:
    """Of each trial, the row of the run that is furthest; runs of other folds and seeds do not speak for it."""
    latest: dict[int, _Standing] = {}
    for row in rows:
        known = latest.setdefault(row.number, row)
        if (row.fold, row.seed) == (known.fold, known.seed) and (row.rung or 0) >= (known.rung or 0):
            latest[row.number] = row
    return list(latest.values())


def _trials(session: Session, condition: ColumnElement[bool]) -> list[Trial]:
    rows = session.execute(
        select(*TRIAL_COLUMNS)
        .outerjoin(ArchitectureRow, ArchitectureRow.digest == TrialRow.digest)
        .where(condition)
        .order_by(TrialRow.number)
    ).all()
    number = {row.id: row.number for row in rows}
    runs = _runs(session, condition, number)
    return [trial_of(row, runs[row.number]) for row in rows]


def _runs(session: Session, condition: ColumnElement[bool], number: dict[int, int]) -> dict[int, list[Run]]:
    chosen = select(TrialRow.id).where(condition)
    rows = session.execute(select(*RUN_COLUMNS).where(RunRow.trial_id.in_(chosen)).order_by(RunRow.id)).all()
    curves = _curves(session, select(RunRow.id).where(RunRow.trial_id.in_(chosen)))
    runs: dict[int, list[Run]] = defaultdict(list)
    for row in rows:
        trial = number.get(row.trial_id)
        if trial is not None:  # one of a trial that was added a moment ago is read with it, next time
            runs[trial].append(run_of(row, trial, curves[row.id]))
    return runs


def _curves(session: Session, runs: Any) -> dict[int, list[Measurement]]:
    row = MeasurementRow
    whole = (row.class_index == EVERY_CLASS) & (row.case_name == EVERY_CASE)
    statement = select(*MEASUREMENT_COLUMNS).where(row.run_id.in_(runs), whole)
    curves: dict[int, list[Measurement]] = defaultdict(list)
    rows: Iterable[Any] = session.execute(statement.order_by(row.run_id, row.epoch, row.metric))
    for measured in rows:
        curves[measured.run_id].append(measurement_of(measured))
    return curves
