"""Trials that have several runs, objectives as data, and each database's own part of a folder of files."""

import json
import math
import uuid

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_OLD = {
    "nas_measurement": {"pk_nas_measurement": "primary", "fk_nas_measurement_evaluation_id": "foreignkey"},
    "nas_artifact": {
        "pk_nas_artifact": "primary",
        "fk_nas_artifact_evaluation_id": "foreignkey",
        "uq_nas_artifact_evaluation_id_kind": "unique",
    },
}
_DICE = [{"metric": "dice", "direction": "maximize", "limit": None}]


def upgrade() -> None:
    _study()
    _make_tables()
    _trials()
    _runs()
    _twins()
    _move("nas_measurement", _measurement, "epoch, metric, class_index, case_name, value")
    _move("nas_artifact", _artifact, "id, kind, address, sha256, bytes")
    op.drop_table("nas_evaluation")
    _place()


def _study() -> None:
    for column in (
        sa.Column("objectives", sa.JSON(), nullable=False, server_default=json.dumps(_DICE)),
        sa.Column("rungs", sa.JSON(), nullable=False, server_default="[1.0]"),
        sa.Column("revision", sa.BigInteger(), nullable=False, server_default="1"),
        sa.Column("projected", sa.BigInteger(), nullable=False, server_default="0"),
    ):
        op.add_column("nas_study", column)
    op.drop_column("nas_study", "objective")  # not in a batch: making the table anew would delete all that refers to it


def _make_tables() -> None:
    op.create_table(
        "nas_trial",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(64)),
        sa.Column("recipe_digest", sa.String(64)),
        sa.Column("parent", sa.Integer()),
        sa.Column("origin", sa.String(16), nullable=False),
        sa.Column("reference", sa.String(200)),
        sa.Column("decisions", sa.JSON()),
        sa.Column("constraints", sa.JSON()),
        sa.Column("refusal", sa.String(16)),
        sa.Column("reason", sa.Text()),
        sa.Column("twin", sa.Integer()),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_nas_trial"),
        sa.ForeignKeyConstraint(["study_id"], ["nas_study.id"], "fk_nas_trial_study_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["digest"], ["nas_architecture.digest"], "fk_nas_trial_digest"),
        sa.UniqueConstraint("study_id", "number", name="uq_nas_trial_study_id_number"),
    )
    op.create_index("ix_nas_trial_study_id_digest", "nas_trial", ["study_id", "digest"])
    op.create_index("ix_nas_trial_study_id_revision", "nas_trial", ["study_id", "revision"])
    op.create_table(
        "nas_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("trial_id", sa.Integer(), nullable=False),
        sa.Column("fold", sa.Integer(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("split", sa.String(16), nullable=False),
        sa.Column("rung", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("score", sa.Double()),
        sa.Column("measured", sa.JSON(), nullable=False),
        sa.Column("steps", sa.Integer()),
        sa.Column("seconds", sa.Double()),
        sa.Column("peak_bytes", sa.BigInteger()),
        sa.Column("device", sa.String(200)),
        sa.Column("worker", sa.String(200)),
        sa.Column("worker_id", sa.Integer()),
        sa.Column("claim", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("started", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished", sa.DateTime(timezone=True)),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_nas_run"),
        sa.ForeignKeyConstraint(["study_id"], ["nas_study.id"], "fk_nas_run_study_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["trial_id"], ["nas_trial.id"], "fk_nas_run_trial_id", ondelete="CASCADE"),
        sa.UniqueConstraint(
            "trial_id", "fold", "seed", "split", "rung", name="uq_nas_run_trial_id_fold_seed_split_rung"
        ),
    )
    op.create_index("ix_nas_run_study_id_state", "nas_run", ["study_id", "state"])
    op.create_index("ix_nas_run_study_id_revision", "nas_run", ["study_id", "revision"])
    op.create_index("ix_nas_run_worker_id", "nas_run", ["worker_id"])


def _trials() -> None:
    """One trial of each number, from its first evaluation; what was not trained has its refusal there.

    A published network's name says its origin.
    """
    op.execute(
        """
        INSERT INTO nas_trial (study_id, number, digest, recipe_digest, origin, reference, decisions, constraints,
                               refusal, reason, created, revision)
        SELECT e.study_id, e.trial, e.digest, e.recipe_digest,
               CASE WHEN e.reference IS NULL THEN 'strategy' ELSE 'published' END,
               e.reference, e.decisions, e.constraints,
               CASE WHEN e.state = 'duplicate' OR (e.state = 'infeasible' AND e.claim = 0) THEN e.state END,
               CASE WHEN e.state = 'duplicate' OR (e.state = 'infeasible' AND e.claim = 0) THEN e.reason END,
               e.started, 1
        FROM nas_evaluation e
        WHERE e.id = (SELECT min(f.id) FROM nas_evaluation f WHERE f.study_id = e.study_id AND f.trial = e.trial)
        ORDER BY e.study_id, e.trial
        """
    )


def _runs() -> None:
    """Every evaluation that was trained, or is going to be, under the number that it had."""
    connection = op.get_bind()
    op.execute(
        """
        INSERT INTO nas_run (id, study_id, trial_id, fold, seed, split, rung, state, reason, score, measured, seconds,
                             peak_bytes, device, worker, worker_id, claim, failures, started, finished, revision)
        SELECT e.id, e.study_id, t.id, e.fold, e.seed, 'search', e.rung,
               CASE WHEN e.state = 'complete' AND e.reason IS NOT NULL AND e.dice = 0 THEN 'diverged' ELSE e.state END,
               e.reason,
               CASE WHEN e.state = 'complete' AND (e.reason IS NULL OR e.dice <> 0) THEN e.dice END,
               '{}', e.seconds, e.peak_bytes, e.device, e.worker, e.worker_id, e.claim, e.failures, e.started,
               e.finished, 1
        FROM nas_evaluation e
        JOIN nas_trial t ON t.study_id = e.study_id AND t.number = e.trial
        WHERE NOT (e.state = 'duplicate' OR (e.state = 'infeasible' AND e.claim = 0))
        """
    )
    run = sa.table("nas_run", sa.column("id"), sa.column("score"), sa.column("measured", sa.JSON()))
    scored = connection.execute(sa.select(run.c.id, run.c.score).where(run.c.score.is_not(None))).all()
    values = [{"key": id, "value": {"dice": score}} for id, score in scored if math.isfinite(score)]
    if values:
        connection.execute(
            sa.update(run).where(run.c.id == sa.bindparam("key")).values(measured=sa.bindparam("value")), values
        )
    if connection.dialect.name == "postgresql":
        _count_on("nas_run")


def _twins() -> None:
    """Which trial a duplicate repeats stood in its reason alone: the first that was trained, or else refused."""
    op.execute(
        """
        UPDATE nas_trial SET twin = (
            SELECT t.number FROM nas_trial t LEFT JOIN nas_run r ON r.trial_id = t.id
            WHERE t.study_id = nas_trial.study_id AND t.digest = nas_trial.digest AND t.number <> nas_trial.number
              AND coalesce(t.recipe_digest, '') = coalesce(nas_trial.recipe_digest, '')
              AND (t.refusal = 'infeasible' OR r.state <> 'failed')
            ORDER BY CASE WHEN t.refusal IS NULL THEN 0 ELSE 1 END, t.number LIMIT 1
        ) WHERE refusal = 'duplicate'
        """
    )


def _move(name: str, make: object, columns: str) -> None:
    """Make a table anew under its name, with the runs in place of the evaluations, and fill it from the old one."""
    if op.get_bind().dialect.name == "postgresql":  # where names of constraints are the schema's, not the table's
        for constraint, kind in sorted(_OLD[name].items(), key=lambda item: item[1] == "primary"):
            op.drop_constraint(constraint, name, type_=kind)
    op.rename_table(name, f"{name}_old")
    make()  # type: ignore[operator]
    old = f"{name}_old"
    op.execute(
        f"INSERT INTO {name} (run_id, {columns}) SELECT evaluation_id, {columns} FROM {old} "
        "WHERE evaluation_id IN (SELECT id FROM nas_run)"
    )
    op.drop_table(old)
    if op.get_bind().dialect.name == "postgresql" and columns.startswith("id,"):
        _count_on(name)


def _count_on(name: str) -> None:
    """Let PostgreSQL number new rows after those that were copied with their numbers."""
    op.execute(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), (SELECT coalesce(max(id), 1) FROM {name}))")


def _measurement() -> None:
    op.create_table(
        "nas_measurement",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("metric", sa.String(64), nullable=False),
        sa.Column("class_index", sa.Integer(), nullable=False),
        sa.Column("case_name", sa.String(255), nullable=False),
        sa.Column("value", sa.Double()),
        sa.PrimaryKeyConstraint("run_id", "epoch", "metric", "class_index", "case_name", name="pk_nas_measurement"),
        sa.ForeignKeyConstraint(["run_id"], ["nas_run.id"], "fk_nas_measurement_run_id", ondelete="CASCADE"),
    )


def _artifact() -> None:
    op.create_table(
        "nas_artifact",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("address", sa.String(500), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_nas_artifact"),
        sa.ForeignKeyConstraint(["run_id"], ["nas_run.id"], "fk_nas_artifact_run_id", ondelete="CASCADE"),
        sa.UniqueConstraint("run_id", "kind", name="uq_nas_artifact_run_id_kind"),
    )


def _place() -> None:
    with op.batch_alter_table("nas_place") as table:
        table.alter_column("address", existing_type=sa.Text(), nullable=True)
        table.add_column(sa.Column("part", sa.String(100), nullable=False, server_default=uuid.uuid4().hex[:12]))
    with op.batch_alter_table("nas_place") as table:
        table.alter_column("part", existing_type=sa.String(100), server_default=None)
