"""Keep with a run the key of all that decides its dub, by which a batch finds what is done."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("content_key", sa.String(length=80), nullable=True))
    op.create_index("ix_runs_content_key", "runs", ["content_key"])


def downgrade() -> None:
    op.drop_index("ix_runs_content_key", "runs")
    op.drop_column("runs", "content_key")
