"""Workers that claim evaluations, what was decided for each, and where a study's data lie."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "nas_worker",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("place", sa.String(200), nullable=False),
        sa.Column("process", sa.Integer(), nullable=False),
        sa.Column("born", sa.Double(), nullable=False),
        sa.Column("device", sa.String(200), nullable=False),
        sa.Column("started", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heartbeat", sa.DateTime(timezone=True), nullable=False),
        sa.Column("beats", sa.Integer(), nullable=False),
        sa.Column("ended", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_nas_worker"),
        sa.ForeignKeyConstraint(["study_id"], ["nas_study.id"], "fk_nas_worker_study_id", ondelete="CASCADE"),
    )
    op.create_index("ix_nas_worker_study_id_ended", "nas_worker", ["study_id", "ended"])
    op.add_column("nas_study", sa.Column("data_source", sa.Text()))
    op.add_column("nas_study", sa.Column("fold", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("nas_study", sa.Column("wanted", sa.Integer()))
    for column in (
        sa.Column("worker_id", sa.Integer()),
        sa.Column("claim", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("failures", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("decisions", sa.JSON()),
        sa.Column("constraints", sa.JSON()),
        sa.Column("recipe", sa.JSON()),
        sa.Column("recipe_digest", sa.String(64)),
    ):
        op.add_column("nas_evaluation", column)
    op.create_index("ix_nas_evaluation_worker_id", "nas_evaluation", ["worker_id"])
