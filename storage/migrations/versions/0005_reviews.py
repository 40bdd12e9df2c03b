"""Keep what people were asked about a run, and what they answered."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reviews",
        sa.Column("run_id", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("script_sha256", sa.String(length=64), nullable=False),
        sa.Column("transcript_sha256", sa.String(length=64), nullable=False),
        sa.Column("duration_s", sa.Double(), nullable=False),
        sa.Column("page", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision_sha256", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_reviews_run_id_runs"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["script_sha256"], ["artefacts.sha256"], name=op.f("fk_reviews_script_sha256_artefacts")
        ),
        sa.ForeignKeyConstraint(
            ["transcript_sha256"], ["artefacts.sha256"], name=op.f("fk_reviews_transcript_sha256_artefacts")
        ),
        sa.ForeignKeyConstraint(
            ["revision_sha256"], ["artefacts.sha256"], name=op.f("fk_reviews_revision_sha256_artefacts")
        ),
        sa.PrimaryKeyConstraint("run_id", "position", name=op.f("pk_reviews")),
    )
    op.create_index(op.f("ix_reviews_subject"), "reviews", ["subject"])


def downgrade() -> None:
    op.drop_table("reviews")
