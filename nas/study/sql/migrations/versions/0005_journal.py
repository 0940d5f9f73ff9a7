"""The journal of a study: looks at held-out cases, and runs that are wanted beside the search."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "nas_journal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("moment", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["nas_study.id"], name="fk_nas_journal_study_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_nas_journal"),
        sa.UniqueConstraint("study_id", "number", name="uq_nas_journal_study_id_number"),
    )
