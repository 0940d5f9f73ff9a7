"""How trials are begun and runs change hands: begun, taken up, given back, given up, finished. One transaction each.

Every transaction here counts the study's revision on first, which lets one run after the other for a study: so no two
workers train one network, and no more are trained than are wanted.
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, func, insert, inspect, or_, select, update
from sqlalchemy.orm import Session

from nas.study.history import TRAINED, UNDERWAY, Measurement, Result, RunKey, Split, State
from nas.study.protocol import (
    MOST_FAILURES,
    ArchitectureRecord,
    Busy,
    Claim,
    LostClaimError,
    Proposal,
    Wanted,
    Worker,
    expect_score,
)
from nas.study.sql.retrying import patiently
from nas.study.sql.rows import finite, key_columns, key_of, proposed, row_of
from nas.study.sql.storage import Storage
from nas.study.sql.tables import ArchitectureRow, MeasurementRow, RunRow, StudyRow, TrialRow


@contextmanager
def changing(storage: Storage, study: int) -> Iterator[tuple[Session, int]]:
    """A transaction that changes a study, and the revision that it makes; others of the study wait for it."""
    with storage.begin() as session:
        if storage.engine.dialect.name == "sqlite":
            session.connection().exec_driver_sql("BEGIN IMMEDIATE")
        count = update(StudyRow).where(StudyRow.id == study).values(revision=StudyRow.revision + 1)
        yield session, session.scalars(count.returning(StudyRow.revision)).one()


@patiently
def start(storage: Storage, study: int, proposal: Proposal, worker: Worker, most: int) -> Claim | Busy | int:
    """Make a proposal a trial, whose number is returned where it is not to be trained; see `protocol.Study.start`."""
    with changing(storage, study) as (session, revision):
        twin = _twin(session, study, proposal)
        if twin is not None:
            own_claim = _first_claim(session, twin, proposal, worker)
            if own_claim is None and _is_beside_the_search(session, twin, proposal.key):
                return _new_run(session, study, storage, revision, twin, proposal.key, worker)
            return own_claim or _of_twin(session, study, storage, revision, proposal, twin)
        if proposal.refusal is None and _number_of_networks(session, study) >= most:
            return Busy(f"{most} networks are trained or in hand")
        _record(session, proposal.architecture)
        row = _new_trial(session, study, storage, revision, proposal)
        row.refusal, row.reason = proposal.refusal, proposal.reason
        session.add(row)
        session.flush()
        if proposal.refusal is not None:
            return row.number
        return _new_run(session, study, storage, revision, row, proposal.key, worker)


@patiently
def go_on(storage: Storage, study: int, trial: int, key: RunKey, worker: Worker) -> Claim | Busy:
    """Begin another run of a trial, unless another worker has."""
    with changing(storage, study) as (session, revision):
        row = session.scalars(select(TrialRow).where(TrialRow.study_id == study, TrialRow.number == trial)).one()
        begun = session.scalar(select(RunRow).where(RunRow.trial_id == row.id, _of_key(key)))
        if begun is None:
            return _new_run(session, study, storage, revision, row, key, worker)
        if begun.worker_id == worker.id and begun.state == State.RUNNING:
            return Claim(begun.id, begun.claim)  # a server that went away after it had committed
        return Busy(f"{begun.worker} has begun this run of trial {trial}")


@patiently
def take_up(storage: Storage, study: int, worker: Worker, dead: Collection[int], wanted: Wanted) -> Claim | None:
    """The next wanted run that waits or whose worker has died, in the order of trials."""
    row = RunRow
    left_behind = (row.state == State.RUNNING) & or_(row.worker_id.in_([*dead, worker.id]), row.worker_id.is_(None))
    free = select(row, TrialRow.number).join(TrialRow, TrialRow.id == row.trial_id).where(row.study_id == study)
    free = free.where(or_(row.state == State.WAITING, left_behind)).order_by(TrialRow.number, row.id)
    with storage.begin() as session:
        # The usual case, which need not keep others from writing.
        if not any(wanted(number, key_of(run)) for run, number in session.execute(free)):
            return None
    with changing(storage, study) as (session, revision):
        for run, number in session.execute(free).all():
            if not wanted(number, key_of(run)):
                continue
            run.revision = revision
            if run.state == State.RUNNING and run.worker_id != worker.id:
                run.failures += 1
                if run.failures >= MOST_FAILURES:
                    _fail(run, storage)
                    continue
            run.state, run.claim, run.reason = State.RUNNING, run.claim + 1, None
            run.worker_id, run.worker, run.device = worker.id, worker.name, worker.device
            return Claim(run.id, run.claim)
    return None


@patiently
def report(storage: Storage, study: int, claim: Claim, measurements: Iterable[Measurement]) -> None:
    """Put measurements on record; one made again (after a crash) replaces what it said before."""
    key = inspect(MeasurementRow).primary_key
    every = [row_of(claim.run, measurement) for measurement in measurements]
    rows = list({tuple(row[column.name] for column in key): row for row in every}.values())
    if not rows:
        return
    same = delete(MeasurementRow).where(*(column == bindparam(f"same_{column.name}") for column in key))
    with changing(storage, study) as (session, revision):
        held(session, claim).revision = revision
        session.connection().execute(same, [{f"same_{c.name}": row[c.name] for c in key} for row in rows])
        session.execute(insert(MeasurementRow), rows)


@patiently
def finish(storage: Storage, study: int, claim: Claim, result: Result, metric: str) -> None:
    """Put a run's result on record; `metric` is the first objective's.

    Raises:
        ValueError: it is complete without a finite value of that metric.
        LostClaimError: another worker has taken the run up.
    """
    score = result.values.get(metric)
    with changing(storage, study) as (session, revision):
        run = session.get(RunRow, claim.run)
        expect_score(result, metric, score, Split.SEARCH if run is None else Split(run.split))
        if run is not None and run.claim == claim.number and run.state == result.state:
            return  # a server that went away after it had committed
        run = held(session, claim)
        run.state, run.reason, run.revision, run.finished = result.state, result.reason, revision, storage.clock.now()
        run.measured, run.score = finite(result.values), finite(result.values).get(metric)
        run.steps, run.seconds, run.peak_bytes = result.steps, result.seconds, result.peak_bytes
        if result.constraints:
            trial = session.get_one(TrialRow, run.trial_id)
            trial.constraints = {**(trial.constraints or {}), **result.constraints}
            trial.revision = revision


@patiently
def give_back(storage: Storage, study: int, claim: Claim) -> None:
    """Let another worker go on with a run. A lost claim is no affair of ours."""
    with changing(storage, study) as (session, revision):
        free = {"state": State.WAITING, "worker_id": None, "revision": revision}
        session.execute(update(RunRow).where(_is_held(claim)).values(free))


@patiently
def give_up(storage: Storage, study: int, claim: Claim, reason: str) -> State:
    """Note that a run raised: it waits to be tried again, or after `MOST_FAILURES` it is failed."""
    with changing(storage, study) as (session, revision):
        run = held(session, claim)
        run.failures += 1
        run.reason, run.worker_id, run.revision = reason, None, revision
        final = run.failures >= MOST_FAILURES
        run.state = State.FAILED if final else State.WAITING
        run.finished = storage.clock.now() if final else None
        return State(run.state)


def _twin(session: Session, study: int, proposal: Proposal) -> TrialRow | None:
    """The trial of the same network and recipe that was admitted or refused for good, and has not failed."""
    if proposal.digest is None:
        return None
    row = TrialRow
    recipe = (
        row.recipe_digest.is_(None) if proposal.recipe_digest is None else row.recipe_digest == proposal.recipe_digest
    )
    admitted = or_(row.refusal.is_(None), row.refusal == State.INFEASIBLE)
    sound = select(RunRow.id).where(RunRow.trial_id == row.id, RunRow.state != State.FAILED).exists()
    same = select(row).where(row.study_id == study, row.digest == proposal.digest, recipe, admitted)
    same = same.where(or_(row.refusal.is_not(None), sound))
    return session.scalar(same.order_by(row.refusal.is_not(None), row.number).limit(1))


def _first_claim(session: Session, twin: TrialRow, proposal: Proposal, worker: Worker) -> Claim | None:
    """The claim that this worker has on the trial already: a server went away after it had committed."""
    row = RunRow
    of_twin = (row.trial_id == twin.id) & (row.worker_id == worker.id) & (row.state == State.RUNNING) & (row.claim == 1)
    run = session.scalar(select(row).where(of_twin, _of_key(proposal.key)))
    same = twin.decisions == proposal.decisions
    return Claim(run.id, run.claim) if run is not None and same else None


def _is_beside_the_search(session: Session, twin: TrialRow, key: RunKey) -> bool:
    """Whether only a confirmation has runs of a trial that a search proposes now."""
    searched = select(RunRow.id).where(RunRow.trial_id == twin.id, RunRow.split == Split.SEARCH).limit(1)
    return key.split is Split.SEARCH and twin.refusal is None and session.scalar(searched) is None


def _of_twin(
    session: Session, study: int, storage: Storage, revision: int, proposal: Proposal, twin: TrialRow
) -> Busy | int:
    """Put a duplicate on record, but one that two workers have proposed at one moment."""
    states = session.scalars(select(RunRow.state).where(RunRow.trial_id == twin.id)).all()
    same_reference = proposal.reference is not None and proposal.reference == twin.reference
    if same_reference or any(state in UNDERWAY for state in states):
        return Busy(f"another worker has the network of trial {twin.number}")
    infeasible = twin.refusal is not None or all(state == State.INFEASIBLE for state in states)
    row = _new_trial(session, study, storage, revision, proposal)
    row.refusal, row.twin, row.reason = State.DUPLICATE, twin.number, f"the network of trial {twin.number}"
    if infeasible:
        row.constraints = {**(row.constraints or {}), "known_infeasible": 1.0}
    session.add(row)
    session.flush()
    return row.number


def _new_trial(session: Session, study: int, storage: Storage, revision: int, proposal: Proposal) -> TrialRow:
    highest = session.scalar(select(func.max(TrialRow.number)).where(TrialRow.study_id == study))
    number = 0 if highest is None else highest + 1
    return TrialRow(study_id=study, number=number, created=storage.clock.now(), revision=revision, **proposed(proposal))


def _new_run(
    session: Session, study: int, storage: Storage, revision: int, trial: TrialRow, key: RunKey, worker: Worker
) -> Claim:
    run = RunRow(
        study_id=study,
        trial_id=trial.id,
        **key_columns(key),
        state=State.RUNNING,
        measured={},
        device=worker.device,
        worker=worker.name,
        worker_id=worker.id,
        claim=1,
        failures=0,
        started=storage.clock.now(),
        revision=revision,
    )
    session.add(run)
    session.flush()
    return Claim(run.id, run.claim)


def _record(session: Session, architecture: ArchitectureRecord | None) -> None:
    """Keep a network's description and cost. One known already stays as it is, but for a graph that it lacks."""
    if architecture is None:
        return
    stored = session.get(ArchitectureRow, architecture.digest)
    if stored is None:
        session.execute(_insert_new(session, vars(architecture)))
    elif not stored.graph:
        stored.graph = architecture.graph


def _insert_new(session: Session, values: dict[str, Any]) -> Any:
    """An insertion that does nothing where a worker on another study of this database was a moment faster."""
    from sqlalchemy.dialects import postgresql, sqlite

    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    return dialect.insert(ArchitectureRow).values(values).on_conflict_do_nothing()


def _number_of_networks(session: Session, study: int) -> int:
    """How many trials are trained or under way."""
    row = RunRow
    counted = row.state.in_([*TRAINED, *UNDERWAY]) & (row.split == Split.SEARCH)
    number = select(func.count(row.trial_id.distinct())).where(row.study_id == study, counted)
    return session.scalar(number) or 0


def held(session: Session, claim: Claim) -> RunRow:
    """The run of a claim, kept from being taken up while this transaction runs.

    Raises:
        LostClaimError: another worker has taken it up.
    """
    run = session.scalar(select(RunRow).where(_is_held(claim)).with_for_update())
    if run is None:
        raise LostClaimError(f"run {claim.run} is no longer this worker's")
    return run


def _is_held(claim: Claim) -> ColumnElement[bool]:
    return (RunRow.id == claim.run) & (RunRow.claim == claim.number) & (RunRow.state == State.RUNNING)


def _of_key(key: RunKey) -> ColumnElement[bool]:
    row = RunRow
    return (row.fold == key.fold) & (row.seed == key.seed) & (row.split == key.split) & (row.rung == key.rung)


def _fail(run: RunRow, storage: Storage) -> None:
    nth = {1: "first", 2: "second", 3: "third"}.get(run.failures, f"{run.failures}th")
    run.state, run.finished, run.claim = State.FAILED, storage.clock.now(), run.claim + 1
    run.reason = f"its worker ended without a word, for the {nth} time; last {run.worker}"
