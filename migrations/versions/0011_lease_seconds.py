"""a lease's length beside its end: whoever watches it needs no clock of the database"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Nullable: the version before goes on writing leases without it while this is rolled out.
    op.add_column("jobs", sa.Column("lease_seconds", sa.Float(precision=53), nullable=True))


def downgrade() -> None:
    op.drop_column("jobs", "lease_seconds")
