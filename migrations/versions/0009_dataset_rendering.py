"""datasets: how their rows are rendered, and what the newest upload of them left out"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Until here every row was rendered in the fenced form, and an api of the version before, which
    # may still run, renders so what it adds.
    op.add_column(
        "datasets",
        sa.Column("rendering", sa.String(length=16), nullable=False, server_default="fenced"),
    )
    op.add_column("datasets", sa.Column("left_out", sa.JSON(), nullable=False, server_default="{}"))


def downgrade() -> None:
    op.drop_column("datasets", "left_out")
    op.drop_column("datasets", "rendering")
