"""How evaluations change hands: begun, taken up, given back, given up, ended. One transaction each.

Counting and claiming happen in transactions that run one after another for a study (`Storage.alone`), so that no two
workers train one network and no more are trained than are wanted.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from nas.study.patience import patiently
from nas.study.records import Claim, LostClaimError, Proposal, State
from nas.study.study import CHECKPOINT, Study
from nas.study.tables import EvaluationRow, WorkerRow

MOST_FAILURES = 3
"""An evaluation that raised, or whose worker died, so often is failed and not tried again."""


@dataclass(frozen=True)
class Busy:
    """Why a proposal is not trained now: as many as wanted are, or its network is known or being trained already."""

    trial: int | None
    """The trial of the same network; None where there is no room."""


@patiently
def begin(
    study: Study, worker: int, trial: int, proposal: Proposal, *, wanted: int, device: str, state: State = State.RUNNING
) -> Claim | Busy:
    """Take a proposal in hand, or put it in the queue where `state` is waiting."""
    row = EvaluationRow
    with study.storage.alone(study.id) as session:
        mine = session.scalar(select(row).where(row.study_id == study.id, row.trial == trial, _same_training(proposal)))
        if mine is not None:  # a server that went away after it had committed
            return Claim(mine.id, mine.claim)
        twin = session.scalar(select(row.trial).where(_same_network(study, proposal), row.state.in_(_TAKEN)).limit(1))
        if twin is not None:
            return Busy(twin)
        if state is State.RUNNING and _number(session, study, *_TRAINED_OR_ON_THE_WAY) >= wanted:
            return Busy(None)
        running = state is State.RUNNING
        made = _row(study, trial, proposal, state, device)
        made.claim = int(running)
        made.worker_id, made.worker = (worker, session.get_one(WorkerRow, worker).name) if running else (None, None)
        session.add(made)
        session.flush()
        return Claim(made.id, made.claim)


@patiently
def note(study: Study, trial: int, proposal: Proposal, state: State, reason: str, dice: float | None = None) -> int:
    """Put a proposal on record that is not trained, and return its evaluation's id."""
    with study.storage.begin() as session:
        row = _row(study, trial, proposal, state, None)
        row.reason, row.dice, row.finished, row.seconds = reason, dice, row.started, 0.0
        session.add(row)
        session.flush()
        return row.id


@patiently
def take_up(study: Study, worker: int, dead: Collection[int], *, wanted: int, device: str) -> Claim | None:
    """The next evaluation that waits or whose worker has died, in the order of trials; None if there is none.

    One whose workers died `MOST_FAILURES` times is failed instead.
    """
    row = EvaluationRow
    left = (row.state == State.RUNNING) & or_(row.worker_id.in_([*dead, worker]), row.worker_id.is_(None))
    with study.storage.alone(study.id) as session:
        for found in session.scalars(
            select(row)
            .where(row.study_id == study.id, or_(row.state == State.WAITING, left))
            .order_by(row.trial, row.id)
            .with_for_update()
        ).all():
            died = found.state == State.RUNNING and found.worker_id != worker
            found.failures += died
            if died and found.failures >= MOST_FAILURES:
                found.state, found.finished = State.FAILED, datetime.now(UTC)
                found.claim += 1
                found.reason = (
                    f"its worker ended without a word, for the {_nth(found.failures)} time; last {found.worker}"
                )
                continue
            if found.state == State.WAITING and _number(session, study, State.COMPLETE, State.RUNNING) >= wanted:
                return None
            found.state, found.claim = State.RUNNING, found.claim + 1
            found.worker_id, found.worker = worker, session.get_one(WorkerRow, worker).name
            found.device, found.reason = device, None
            return Claim(found.id, found.claim)
    return None


@patiently
def give_back(study: Study, claim: Claim) -> None:
    """Let another worker go on with an evaluation, from its last checkpoint. A lost claim is no affair of ours."""
    _hand_over(study, claim, {"state": State.WAITING, "worker_id": None})


@patiently
def give_up(study: Study, claim: Claim, reason: str) -> State:
    """Note that an evaluation raised: it waits to be tried again, or after `MOST_FAILURES` it is failed.

    Returns:
        Which of the two.

    Raises:
        LostClaimError: another worker has taken it up.
    """
    with study.storage.alone(study.id) as session:
        found = session.scalar(select(EvaluationRow).where(_held(claim)).with_for_update())
        if found is None:
            raise LostClaimError(f"evaluation {claim.evaluation} is no longer this worker's")
        found.failures += 1
        found.reason, found.worker_id = reason, None
        final = found.failures >= MOST_FAILURES
        found.state = State.FAILED if final else State.WAITING
        found.finished = datetime.now(UTC) if final else None
        state = State(found.state)
    if state is State.FAILED:
        study.drop_artifact(claim.evaluation, CHECKPOINT)
    return state


@patiently
def end(study: Study, claim: Claim, state: State, **result: Any) -> None:
    """Put an evaluation's result on record and drop its checkpoint.

    Raises:
        ValueError: it is complete without a finite dice; a network that diverged has a dice of 0.
        LostClaimError: another worker has taken it up.
    """
    dice = result.get("dice")
    if state is State.COMPLETE and (dice is None or not math.isfinite(dice)):
        raise ValueError(f"a complete evaluation has a finite dice, not {dice}")
    ended = {"state": state, "finished": datetime.now(UTC), **result}
    if not _hand_over(study, claim, ended):
        with study.storage.begin() as session:
            row = session.get_one(EvaluationRow, claim.evaluation)
            if row.claim != claim.number or row.state != state:
                raise LostClaimError(f"evaluation {claim.evaluation} is no longer this worker's")
    study.drop_artifact(claim.evaluation, CHECKPOINT)


@patiently
def underway(study: Study) -> tuple[int, int, int]:
    """How many evaluations are complete, running and waiting."""
    with study.storage.begin() as session:
        counts = _numbers(session, study)
    return counts.get(State.COMPLETE, 0), counts.get(State.RUNNING, 0), counts.get(State.WAITING, 0)


@patiently
def outcomes(study: Study) -> tuple[int, int]:
    """How many evaluations are complete, and how many failed."""
    with study.storage.begin() as session:
        counts = _numbers(session, study)
    return counts.get(State.COMPLETE, 0), counts.get(State.FAILED, 0)


_TRAINED_OR_ON_THE_WAY = (State.COMPLETE, State.RUNNING, State.WAITING)
_TAKEN = (*_TRAINED_OR_ON_THE_WAY, State.INFEASIBLE)


def _hand_over(study: Study, claim: Claim, values: Mapping[str, Any]) -> bool:
    with study.storage.begin() as session:
        changed = update(EvaluationRow).where(_held(claim)).values(**values).returning(EvaluationRow.id)
        return session.scalar(changed) is not None


def _held(claim: Claim) -> ColumnElement[bool]:
    row = EvaluationRow
    return (row.id == claim.evaluation) & (row.claim == claim.number) & (row.state == State.RUNNING)


def _same_training(proposal: Proposal) -> ColumnElement[bool]:
    row = EvaluationRow
    return (row.fold == proposal.fold) & (row.seed == proposal.seed) & (row.rung == 0)


def _same_network(study: Study, proposal: Proposal) -> ColumnElement[bool]:
    row = EvaluationRow
    recipe = (
        row.recipe_digest.is_(None) if proposal.recipe_digest is None else row.recipe_digest == proposal.recipe_digest
    )
    return (row.study_id == study.id) & (row.digest == proposal.digest) & recipe & _same_training(proposal)


def _number(session: Session, study: Study, *states: State) -> int:
    counts = _numbers(session, study)
    return sum(counts.get(state, 0) for state in states)


def _numbers(session: Session, study: Study) -> dict[str, int]:
    row = EvaluationRow
    rows = session.execute(select(row.state, func.count()).where(row.study_id == study.id).group_by(row.state))
    return dict(rows.all())


def _row(study: Study, trial: int, proposal: Proposal, state: State, device: str | None) -> EvaluationRow:
    return EvaluationRow(
        study_id=study.id,
        trial=trial,
        digest=proposal.digest,
        reference=proposal.reference,
        state=state,
        fold=proposal.fold,
        seed=proposal.seed,
        rung=0,
        device=device,
        started=datetime.now(UTC),
        decisions=proposal.decisions,
        constraints=dict(proposal.constraints),
        recipe=proposal.recipe,
        recipe_digest=proposal.recipe_digest,
    )


def _nth(number: int) -> str:
    return {1: "first", 2: "second", 3: "third"}.get(number, f"{number}th")
