"""Between the rows of the tables and the records that are handed out."""

import math
from typing import Any

from nas.study.records import ArchitectureRecord, Evaluation, Measurement, State, StudySettings
from nas.study.tables import EVERY_CASE, EVERY_CLASS, ArchitectureRow, EvaluationRow, MeasurementRow, StudyRow


def settings_of(row: StudyRow) -> StudySettings:
    """The settings that a study was made with."""
    return StudySettings(**{name: getattr(row, name) for name in StudySettings.__dataclass_fields__})


def architecture_of(row: ArchitectureRow) -> ArchitectureRecord:
    """A network and its cost."""
    return ArchitectureRecord(**{name: getattr(row, name) for name in ArchitectureRecord.__dataclass_fields__})


def evaluation_of(row: EvaluationRow, parameters: int | None, macs: int | None) -> Evaluation:
    """An evaluation, with the cost of its network."""
    columns = {column.name: getattr(row, column.name) for column in EvaluationRow.__table__.columns}
    del columns["study_id"]
    return Evaluation(**columns | {"state": State(row.state), "parameters": parameters, "macs": macs})


def measurement_of(row: MeasurementRow) -> Measurement:
    """A measurement, as it was given to `row_of`."""
    return Measurement(
        epoch=row.epoch,
        metric=row.metric,
        value=math.nan if row.value is None else row.value,
        class_index=None if row.class_index == EVERY_CLASS else row.class_index,
        case=None if row.case_name == EVERY_CASE else row.case_name,
    )


def row_of(evaluation: int, measurement: Measurement) -> dict[str, Any]:
    """A measurement as a row, where every part of the key has a value."""
    return {
        "evaluation_id": evaluation,
        "epoch": measurement.epoch,
        "metric": measurement.metric,
        "class_index": EVERY_CLASS if measurement.class_index is None else measurement.class_index,
        "case_name": EVERY_CASE if measurement.case is None else measurement.case,
        "value": measurement.value if math.isfinite(measurement.value) else None,
    }
