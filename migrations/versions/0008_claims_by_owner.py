"""index the best job of each owner: claims stay flat when a full owner has thousands waiting"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

QUEUED = sa.text("state = 'queued'")


def upgrade() -> None:
    columns = [sa.text(column) for column in ("owner", "priority DESC", "created_at", "id")]
    op.create_index(
        "jobs_claimable_by_owner", "jobs", columns, sqlite_where=QUEUED, postgresql_where=QUEUED
    )
    # The new one begins with the same column.
    op.drop_index("jobs_queued_by_owner", "jobs")


def downgrade() -> None:
    op.create_index(
        "jobs_queued_by_owner", "jobs", ["owner"], sqlite_where=QUEUED, postgresql_where=QUEUED
    )
    op.drop_index("jobs_claimable_by_owner", "jobs")
