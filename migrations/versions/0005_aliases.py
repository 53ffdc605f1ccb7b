"""create aliases: names that point to a model"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "aliases",
        sa.Column("name", sa.String(length=64), nullable=False),
        # Part of the primary key, which takes no null: the empty text is nobody's.
        sa.Column("owner", sa.String(length=64), server_default="", nullable=False),
        sa.Column("model", sa.String(length=128), nullable=False),
        sa.Column("previous", sa.String(length=128), nullable=True),
        sa.Column("updated_at", sa.Float(precision=53), nullable=False),
        sa.PrimaryKeyConstraint("name", "owner"),
    )


def downgrade() -> None:
    op.drop_table("aliases")
