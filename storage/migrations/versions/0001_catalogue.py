"""Make the catalogue: artefacts and their lineage, videos, runs with their lines and takes."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "artefacts",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_artefacts"),
    )
    op.create_table(
        "lineage",
        sa.Column("child_sha256", sa.String(length=64), nullable=False),
        sa.Column("parent_sha256", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["child_sha256"], ["artefacts.sha256"], name="fk_lineage_child_sha256_artefacts"),
        sa.ForeignKeyConstraint(["parent_sha256"], ["artefacts.sha256"], name="fk_lineage_parent_sha256_artefacts"),
        sa.PrimaryKeyConstraint("child_sha256", "parent_sha256", "role", name="pk_lineage"),
    )
    op.create_index("ix_lineage_parent_sha256", "lineage", ["parent_sha256"])

    op.create_table(
        "videos",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("info", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["sha256"], ["artefacts.sha256"], name="fk_videos_sha256_artefacts"),
        sa.PrimaryKeyConstraint("sha256", name="pk_videos"),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("video_sha256", sa.String(length=64), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("receipt_sha256", sa.String(length=64), nullable=True),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["receipt_sha256"], ["artefacts.sha256"], name="fk_runs_receipt_sha256_artefacts"),
        sa.ForeignKeyConstraint(["video_sha256"], ["videos.sha256"], name="fk_runs_video_sha256_videos"),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )
    op.create_index("ix_runs_started_at", "runs", ["started_at"])
    op.create_index("ix_runs_video_sha256", "runs", ["video_sha256"])

    op.create_table(
        "lines",
        sa.Column("run_id", sa.String(length=64), nullable=False),
        sa.Column("line_id", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("speaker", sa.String(), nullable=False),
        sa.Column("start_s", sa.Double(), nullable=False),
        sa.Column("end_s", sa.Double(), nullable=False),
        sa.Column("source_text", sa.String(), nullable=False),
        sa.Column("target_text", sa.String(), nullable=True),
        sa.Column("pauses", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_lines_run_id_runs", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "line_id", name="pk_lines"),
    )
    op.create_table(
        "takes",
        sa.Column("run_id", sa.String(length=64), nullable=False),
        sa.Column("line_id", sa.String(length=64), nullable=False),
        sa.Column("audio_sha256", sa.String(length=64), nullable=False),
        sa.Column("motion_sha256", sa.String(length=64), nullable=True),
        sa.Column("engine", sa.String(length=32), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("duration_s", sa.Double(), nullable=False),
        sa.Column("speed", sa.Double(), nullable=False),
        sa.Column("stretch", sa.Double(), nullable=False),
        sa.Column("overflow_s", sa.Double(), nullable=False),
        sa.Column("unfit_s", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["audio_sha256"], ["artefacts.sha256"], name="fk_takes_audio_sha256_artefacts"),
        sa.ForeignKeyConstraint(["motion_sha256"], ["artefacts.sha256"], name="fk_takes_motion_sha256_artefacts"),
        sa.ForeignKeyConstraint(
            ["run_id", "line_id"], ["lines.run_id", "lines.line_id"], name="fk_takes_run_id_lines", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "line_id", name="pk_takes"),
    )
    op.create_index("ix_takes_audio_sha256", "takes", ["audio_sha256"])


def downgrade() -> None:
    op.drop_index("ix_takes_audio_sha256", "takes")

    op.drop_table("takes")
    op.drop_table("lines")
    op.drop_index("ix_runs_video_sha256", "runs")
    op.drop_index("ix_runs_started_at", "runs")

    op.drop_table("runs")
    op.drop_table("videos")
    op.drop_index("ix_lineage_parent_sha256", "lineage")

    op.drop_table("lineage")
    op.drop_table("artefacts")
