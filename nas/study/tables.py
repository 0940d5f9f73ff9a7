"""The project's own tables, beside Optuna's in the same database: what was searched, trained and measured.

They are plain enough to be read with SQL by hand. A change here needs a new file in `migrations/versions/`.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

EVERY_CLASS = -1
"""The class index of a value over all foreground classes. A key cannot be NULL."""
EVERY_CASE = ""
"""The case of a value over all cases."""


class Moment(TypeDecorator[datetime]):
    """A moment in UTC. SQLite forgets time zones, so they are taken off on the way in and put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC, before the database drops the zone."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From the database, which gives no zone (SQLite) or one of its own (PostgreSQL)."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """The root of the tables. Constraints have names, so that a later migration can change them."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        }
    )
    type_annotation_map = {datetime: Moment, float: Double, dict[str, Any]: JSON}  # noqa: RUF012 SQLAlchemy's own form


class StudyRow(Base):
    """A study and the settings that it was made with."""

    __tablename__ = "nas_study"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    created: Mapped[datetime]
    space: Mapped[str] = mapped_column(String(500))
    space_document: Mapped[dict[str, Any]]
    space_digest: Mapped[str] = mapped_column(String(64))
    data: Mapped[str] = mapped_column(Text)
    data_fingerprint: Mapped[dict[str, Any]]
    data_digest: Mapped[str] = mapped_column(String(64))
    synthetic: Mapped[bool]
    task: Mapped[dict[str, Any]]
    recipe: Mapped[dict[str, Any]]
    plan: Mapped[dict[str, Any]]
    objective: Mapped[str] = mapped_column(String(200))
    seed: Mapped[int] = mapped_column(BigInteger)
    versions: Mapped[dict[str, Any]]
    device: Mapped[str] = mapped_column(String(200))
    data_source: Mapped[str | None] = mapped_column(Text)
    fold: Mapped[int] = mapped_column(server_default="0")
    wanted: Mapped[int | None]


class WorkerRow(Base):
    """A process that works on a study. It counts its beats while it lives; `heartbeat` is the database's own time."""

    __tablename__ = "nas_worker"
    __table_args__ = (Index(None, "study_id", "ended"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("nas_study.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(200))
    place: Mapped[str] = mapped_column(String(200))
    process: Mapped[int]
    born: Mapped[float]
    device: Mapped[str] = mapped_column(String(200))
    started: Mapped[datetime]
    heartbeat: Mapped[datetime]
    beats: Mapped[int]
    ended: Mapped[datetime | None]


class ArchitectureRow(Base):
    """A network, known by the digest of its graph; studies share it."""

    __tablename__ = "nas_architecture"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    document: Mapped[dict[str, Any]]
    graph: Mapped[dict[str, Any]]
    parameters: Mapped[int] = mapped_column(BigInteger)
    macs: Mapped[int] = mapped_column(BigInteger)
    training_bytes: Mapped[int] = mapped_column(BigInteger)


class EvaluationRow(Base):
    """One training of one network. `trial` is Optuna's number; more folds and seeds of it are rows of their own.

    `claim` counts how often it was taken in hand: who holds an older number has lost it. `worker_id` holds it now.
    `failures` counts the times that it raised or that its worker died.
    """

    __tablename__ = "nas_evaluation"
    __table_args__ = (
        UniqueConstraint("study_id", "trial", "fold", "seed"),
        Index(None, "study_id", "digest"),
        Index(None, "study_id", "state"),
        Index(None, "worker_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("nas_study.id", ondelete="CASCADE"))
    trial: Mapped[int]
    digest: Mapped[str | None] = mapped_column(String(64), ForeignKey("nas_architecture.digest"))
    reference: Mapped[str | None] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(Text)
    fold: Mapped[int]
    seed: Mapped[int] = mapped_column(BigInteger)
    rung: Mapped[int]
    device: Mapped[str | None] = mapped_column(String(200))
    worker: Mapped[str | None] = mapped_column(String(200))
    started: Mapped[datetime]
    finished: Mapped[datetime | None]
    seconds: Mapped[float | None]
    peak_bytes: Mapped[int | None] = mapped_column(BigInteger)
    epochs: Mapped[int | None]
    dice: Mapped[float | None]
    worker_id: Mapped[int | None]
    claim: Mapped[int] = mapped_column(server_default="0")
    failures: Mapped[int] = mapped_column(server_default="0")
    decisions: Mapped[dict[str, Any] | None]
    constraints: Mapped[dict[str, Any] | None]
    recipe: Mapped[dict[str, Any] | None]
    recipe_digest: Mapped[str | None] = mapped_column(String(64))


class MeasurementRow(Base):
    """One number measured while training. `value` is NULL where it was not finite."""

    __tablename__ = "nas_measurement"

    evaluation_id: Mapped[int] = mapped_column(ForeignKey("nas_evaluation.id", ondelete="CASCADE"), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    metric: Mapped[str] = mapped_column(String(64), primary_key=True)
    class_index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    case_name: Mapped[str] = mapped_column(String(255), primary_key=True)  # `case` is a word of SQL
    value: Mapped[float | None]


class ArtifactRow(Base):
    """A file that an evaluation left: weights, a checkpoint. `address` is relative to the artifact folder."""

    __tablename__ = "nas_artifact"
    __table_args__ = (UniqueConstraint("evaluation_id", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    evaluation_id: Mapped[int] = mapped_column(ForeignKey("nas_evaluation.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(64))
    address: Mapped[str] = mapped_column(String(500))
    sha256: Mapped[str] = mapped_column(String(64))
    bytes: Mapped[int] = mapped_column(BigInteger)


class PlaceRow(Base):
    """The folder or URL that artifacts' addresses are relative to, in one row; none where it is beside the database."""

    __tablename__ = "nas_place"

    id: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(Text)
