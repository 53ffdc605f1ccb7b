"""api keys and ownership"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

COLUMNS = "id, name, tasks, categories, duplicates, derived, unchecked, created_at"


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=True),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        # Of the key, which is shown once and stored nowhere.
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.Float(precision=53), nullable=False),
        sa.Column("last_used_at", sa.Float(precision=53), nullable=True),
        sa.Column("revoked_at", sa.Float(precision=53), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.add_column("adapters", sa.Column("owner", sa.String(length=64), nullable=True))
    op.create_index("adapters_by_owner", "adapters", ["owner"])
    op.add_column("jobs", sa.Column("request_id", sa.String(length=64), nullable=True))
    copy_datasets(
        "owned", sa.Column("owner", sa.String(length=64), server_default="", nullable=False)
    )
    op.execute(f"INSERT INTO datasets_copy SELECT {COLUMNS}, '' FROM datasets")  # noqa: S608 - our own names
    replace_datasets()


def downgrade() -> None:
    copy_datasets("plain")
    # One row for each content again.
    first = "SELECT min(owner) FROM datasets AS every WHERE every.id = mine.id"
    rows = f"SELECT {COLUMNS} FROM datasets AS mine WHERE owner = ({first})"  # noqa: S608
    op.execute(f"INSERT INTO datasets_copy {rows}")
    replace_datasets()
    op.drop_column("jobs", "request_id")
    op.drop_index("adapters_by_owner", "adapters")
    op.drop_column("adapters", "owner")
    op.drop_table("api_keys")


def copy_datasets(key: str, *more: sa.Column[str]) -> None:
    """A table can be given another primary key on PostgreSQL, not on SQLite: both get a copy."""
    op.create_table(
        "datasets_copy",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=True),
        sa.Column("tasks", sa.JSON(), nullable=False),
        sa.Column("categories", sa.JSON(), nullable=False),
        sa.Column("duplicates", sa.Integer(), nullable=False),
        sa.Column("derived", sa.Integer(), nullable=False),
        sa.Column("unchecked", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Float(precision=53), nullable=False),
        *more,
        sa.PrimaryKeyConstraint(
            "id", *(column.name for column in more), name=f"datasets_{key}_pkey"
        ),
    )


def replace_datasets() -> None:
    op.drop_table("datasets")
    op.rename_table("datasets_copy", "datasets")
