"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "nas_study",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("space", sa.String(500), nullable=False),
        sa.Column("space_document", sa.JSON(), nullable=False),
        sa.Column("space_digest", sa.String(64), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("data_fingerprint", sa.JSON(), nullable=False),
        sa.Column("data_digest", sa.String(64), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("task", sa.JSON(), nullable=False),
        sa.Column("recipe", sa.JSON(), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("objective", sa.String(200), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("versions", sa.JSON(), nullable=False),
        sa.Column("device", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_nas_study"),
        sa.UniqueConstraint("name", name="uq_nas_study_name"),
    )
    op.create_table(
        "nas_architecture",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("graph", sa.JSON(), nullable=False),
        sa.Column("parameters", sa.BigInteger(), nullable=False),
        sa.Column("macs", sa.BigInteger(), nullable=False),
        sa.Column("training_bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_nas_architecture"),
    )
    op.create_table(
        "nas_evaluation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("trial", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(64)),
        sa.Column("reference", sa.String(200)),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("fold", sa.Integer(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("rung", sa.Integer(), nullable=False),
        sa.Column("device", sa.String(200)),
        sa.Column("worker", sa.String(200)),
        sa.Column("started", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished", sa.DateTime(timezone=True)),
        sa.Column("seconds", sa.Double()),
        sa.Column("peak_bytes", sa.BigInteger()),
        sa.Column("epochs", sa.Integer()),
        sa.Column("dice", sa.Double()),
        sa.PrimaryKeyConstraint("id", name="pk_nas_evaluation"),
        sa.ForeignKeyConstraint(["study_id"], ["nas_study.id"], "fk_nas_evaluation_study_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["digest"], ["nas_architecture.digest"], "fk_nas_evaluation_digest"),
        sa.UniqueConstraint("study_id", "trial", "fold", "seed", name="uq_nas_evaluation_study_id_trial_fold_seed"),
    )
    op.create_index("ix_nas_evaluation_study_id_digest", "nas_evaluation", ["study_id", "digest"])
    op.create_index("ix_nas_evaluation_study_id_state", "nas_evaluation", ["study_id", "state"])
    op.create_table(
        "nas_measurement",
        sa.Column("evaluation_id", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("metric", sa.String(64), nullable=False),
        sa.Column("class_index", sa.Integer(), nullable=False),
        sa.Column("case_name", sa.String(255), nullable=False),
        sa.Column("value", sa.Double()),
        sa.PrimaryKeyConstraint(
            "evaluation_id", "epoch", "metric", "class_index", "case_name", name="pk_nas_measurement"
        ),
        sa.ForeignKeyConstraint(
            ["evaluation_id"], ["nas_evaluation.id"], "fk_nas_measurement_evaluation_id", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "nas_artifact",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("evaluation_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("address", sa.String(500), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_nas_artifact"),
        sa.ForeignKeyConstraint(
            ["evaluation_id"], ["nas_evaluation.id"], "fk_nas_artifact_evaluation_id", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("evaluation_id", "kind", name="uq_nas_artifact_evaluation_id_kind"),
    )
