"""Keep what each stage of a run took, and which objects a run needs."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stages",
        sa.Column("run_id", sa.String(length=64), nullable=False),
        sa.Column("stage", sa.String(length=32), nullable=False),
        sa.Column("ran", sa.Integer(), nullable=False),
        sa.Column("cached", sa.Integer(), nullable=False),
        sa.Column("wall_s", sa.Double(), nullable=False),
        sa.Column("cpu_s", sa.Double(), nullable=False),
        sa.Column("bytes_in", sa.BigInteger(), nullable=False),
        sa.Column("bytes_out", sa.BigInteger(), nullable=False),
        sa.Column("real_time_factor", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_stages_run_id_runs", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "stage", name="pk_stages"),
    )
    op.create_table(
        "run_objects",
        sa.Column("run_id", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_run_objects_run_id_runs", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["sha256"], ["artefacts.sha256"], name="fk_run_objects_sha256_artefacts"),
        sa.PrimaryKeyConstraint("run_id", "sha256", name="pk_run_objects"),
    )


def downgrade() -> None:
    op.drop_table("run_objects")
    op.drop_table("stages")
