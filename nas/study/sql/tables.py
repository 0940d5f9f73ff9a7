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
    type_annotation_map = {datetime: Moment, float: Double, dict[str, Any]: JSON, list[Any]: JSON}  # noqa: RUF012 SQLAlchemy's own form


class StudyRow(Base):
    """A study and the settings that it was made with.

    `revision` counts its changes, its making the first; `projected` is how many of them are in Optuna's tables.
    """

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
    objectives: Mapped[list[Any]]
    rungs: Mapped[list[Any]]
    seed: Mapped[int] = mapped_column(BigInteger)
    versions: Mapped[dict[str, Any]]
    device: Mapped[str] = mapped_column(String(200))
    data_source: Mapped[str | None] = mapped_column(Text)
    fold: Mapped[int] = mapped_column(server_default="0")
    wanted: Mapped[int | None]
    revision: Mapped[int] = mapped_column(BigInteger, server_default="1")
    projected: Mapped[int] = mapped_column(BigInteger, server_default="0")


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


class TrialRow(Base):
    """Decisions with a number, and what follows from them. `refusal` says why it has no run; see `nas.study.history`.

    `revision` counts the study's changes: who has read up to one reads those above it next.
    """

    __tablename__ = "nas_trial"
    __table_args__ = (
        UniqueConstraint("study_id", "number"),
        Index(None, "study_id", "digest"),
        Index(None, "study_id", "revision"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("nas_study.id", ondelete="CASCADE"))
    number: Mapped[int]
    digest: Mapped[str | None] = mapped_column(String(64), ForeignKey("nas_architecture.digest"))
    recipe_digest: Mapped[str | None] = mapped_column(String(64))
    parent: Mapped[int | None]
    origin: Mapped[str] = mapped_column(String(16))
    reference: Mapped[str | None] = mapped_column(String(200))
    decisions: Mapped[dict[str, Any] | None]
    constraints: Mapped[dict[str, Any] | None]
    refusal: Mapped[str | None] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(Text)
    twin: Mapped[int | None]
    created: Mapped[datetime]
    revision: Mapped[int] = mapped_column(BigInteger)


class RunRow(Base):
    """One training of a trial's network, at one fold, seed, split and rung.

    `claim` counts how often it was taken in hand: who holds an older number has lost it. `worker_id` holds it now.
    `failures` counts the times that it raised or that its worker died. `score` is the first objective's value.
    """

    __tablename__ = "nas_run"
    __table_args__ = (
        UniqueConstraint("trial_id", "fold", "seed", "split", "rung"),
        Index(None, "study_id", "state"),
        Index(None, "study_id", "revision"),
        Index(None, "worker_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("nas_study.id", ondelete="CASCADE"))
    trial_id: Mapped[int] = mapped_column(ForeignKey("nas_trial.id", ondelete="CASCADE"))
    fold: Mapped[int]
    seed: Mapped[int] = mapped_column(BigInteger)
    split: Mapped[str] = mapped_column(String(16))
    rung: Mapped[int]
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(Text)
    score: Mapped[float | None]
    measured: Mapped[dict[str, Any]]
    steps: Mapped[int | None]
    seconds: Mapped[float | None]
    peak_bytes: Mapped[int | None] = mapped_column(BigInteger)
    device: Mapped[str | None] = mapped_column(String(200))
    worker: Mapped[str | None] = mapped_column(String(200))
    worker_id: Mapped[int | None]
    claim: Mapped[int]
    failures: Mapped[int]
    started: Mapped[datetime]
    finished: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(BigInteger)


class MeasurementRow(Base):
    """One number measured while training. `value` is NULL where it was not finite."""

    __tablename__ = "nas_measurement"

    run_id: Mapped[int] = mapped_column(ForeignKey("nas_run.id", ondelete="CASCADE"), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    metric: Mapped[str] = mapped_column(String(64), primary_key=True)
    class_index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    case_name: Mapped[str] = mapped_column(String(255), primary_key=True)  # `case` is a word of SQL
    value: Mapped[float | None]


class ArtifactRow(Base):
    """A file that a run left: weights, a checkpoint. `address` is relative to the artifact folder."""

    __tablename__ = "nas_artifact"
    __table_args__ = (UniqueConstraint("run_id", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("nas_run.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(64))
    address: Mapped[str] = mapped_column(String(500))
    sha256: Mapped[str] = mapped_column(String(64))
    bytes: Mapped[int] = mapped_column(BigInteger)


class JournalRow(Base):
    """A line of a study's journal, which only grows: a look at held-out cases, runs wanted beside the search."""

    __tablename__ = "nas_journal"
    __table_args__ = (UniqueConstraint("study_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("nas_study.id", ondelete="CASCADE"))
    number: Mapped[int]
    kind: Mapped[str] = mapped_column(String(64))
    moment: Mapped[datetime]
    content: Mapped[dict[str, Any]]


class PlaceRow(Base):
    """Where files are, in one row: the folder or URL that addresses are relative to, and this database's part of it.

    `address` is NULL where the folder is `artifacts` beside the database. `part` begins the addresses of all files made
    from now on, so that databases that share a folder never touch each other's files.
    """

    __tablename__ = "nas_place"

    id: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str | None] = mapped_column(Text)
    part: Mapped[str] = mapped_column(String(100))
