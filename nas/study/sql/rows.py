"""Between the rows of the tables and the values that are handed out."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from nas.study.history import Measurement, Origin, Run, RunKey, Split, State, Trial
from nas.study.protocol import ArchitectureRecord, Proposal
from nas.study.settings import StudySettings
from nas.study.sql.tables import EVERY_CASE, EVERY_CLASS, ArchitectureRow, MeasurementRow, RunRow, StudyRow, TrialRow


def settings_of(row: StudyRow) -> StudySettings:
    """The settings that a study was made with."""
    return StudySettings(**{name: getattr(row, name) for name in StudySettings.__dataclass_fields__})


def architecture_of(row: ArchitectureRow) -> ArchitectureRecord:
    """A network and its cost."""
    return ArchitectureRecord(**{name: getattr(row, name) for name in ArchitectureRecord.__dataclass_fields__})


def trial_of(row: Any, runs: Iterable[Run]) -> Trial:
    """A trial, from its row joined with its architecture's cost."""
    return Trial(
        number=row.number,
        decisions=row.decisions,
        digest=row.digest,
        recipe_digest=row.recipe_digest,
        parameters=row.parameters,
        macs=row.macs,
        training_bytes=row.training_bytes,
        parent=row.parent,
        origin=Origin(row.origin),
        reference=row.reference,
        constraints=row.constraints or {},
        refusal=State(row.refusal) if row.refusal else None,
        reason=row.reason,
        twin=row.twin,
        created=row.created,
        runs=tuple(runs),
    )


def run_of(row: Any, trial: int, curve: Iterable[Measurement] = ()) -> Run:
    """A run, from its row."""
    return Run(
        id=row.id,
        trial=trial,
        key=key_of(row),
        state=State(row.state),
        reason=row.reason,
        values=row.measured,
        steps=row.steps,
        seconds=row.seconds,
        peak_bytes=row.peak_bytes,
        device=row.device,
        worker=row.worker,
        started=row.started,
        finished=row.finished,
        worker_id=row.worker_id,
        claim=row.claim,
        failures=row.failures,
        curve=tuple(curve),
    )


def key_of(row: Any) -> RunKey:
    """What tells a run from the others of its trial."""
    return RunKey(row.fold, row.seed, Split(row.split), row.rung)


def key_columns(key: RunKey) -> dict[str, Any]:
    """The columns of a run's key."""
    return {"fold": key.fold, "seed": key.seed, "split": key.split, "rung": key.rung}


def proposed(proposal: Proposal) -> dict[str, Any]:
    """The columns of a trial that a proposal decides."""
    return {
        "digest": proposal.digest,
        "recipe_digest": proposal.recipe_digest,
        "parent": proposal.parent,
        "origin": proposal.origin,
        "reference": proposal.reference,
        "decisions": proposal.decisions,
        "constraints": dict(proposal.constraints),
    }


def measurement_of(row: Any) -> Measurement:
    """A measurement, as it was given to `row_of`."""
    return Measurement(
        epoch=row.epoch,
        metric=row.metric,
        value=math.nan if row.value is None else row.value,
        class_index=None if row.class_index == EVERY_CLASS else row.class_index,
        case=None if row.case_name == EVERY_CASE else row.case_name,
    )


def row_of(run: int, measurement: Measurement) -> dict[str, Any]:
    """A measurement as a row, where every part of the key has a value."""
    return {
        "run_id": run,
        "epoch": measurement.epoch,
        "metric": measurement.metric,
        "class_index": EVERY_CLASS if measurement.class_index is None else measurement.class_index,
        "case_name": EVERY_CASE if measurement.case is None else measurement.case,
        "value": measurement.value if math.isfinite(measurement.value) else None,
    }


def finite(values: Mapping[str, float]) -> dict[str, float]:
    """What JSON can hold of some values."""
    return {name: value for name, value in values.items() if math.isfinite(value)}


TRIAL_COLUMNS = (
    *TrialRow.__table__.columns,
    ArchitectureRow.parameters,
    ArchitectureRow.macs,
    ArchitectureRow.training_bytes,
)
RUN_COLUMNS = (*RunRow.__table__.columns,)
MEASUREMENT_COLUMNS = (*MeasurementRow.__table__.columns,)
