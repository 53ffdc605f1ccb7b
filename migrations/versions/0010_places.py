"""names relative to the folder of the artifacts, which may lie elsewhere after a restore"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Nullable, and beside `path`: the version before writes and reads that one while it still runs.
    op.add_column("adapters", sa.Column("place", sa.Text(), nullable=True))
    op.add_column("checkpoints", sa.Column("place", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("checkpoints", "place")
    op.drop_column("adapters", "place")
