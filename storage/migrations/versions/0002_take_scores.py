"""Keep with a take the joint model's mode, why it was chosen, and the scores of all takes tried."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("takes", sa.Column("mode", sa.String(length=16), nullable=True))
    op.add_column("takes", sa.Column("mode_reason", sa.String(), nullable=True))
    op.add_column("takes", sa.Column("scores", sa.JSON(), nullable=False, server_default=sa.text("'[]'")))


def downgrade() -> None:
    for name in ("scores", "mode_reason", "mode"):
        op.drop_column("takes", name)
