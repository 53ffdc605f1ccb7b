"""Pages, deletes and filters that read no more as the queue and the history grow."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

PAGED = ("adapters", "datasets", "files")
CONTINUES = sa.text("start_from IS NOT NULL")
FINE_TUNED = sa.text("fine_tuning IS NOT NULL")
# Partial indexes are used for a condition that is written as they have it, and the dialects write
# booleans apart. NULL is a job of the version before, which says nothing: it is looked at.
NAMING_SQLITE = sa.text("names_models IS NOT 0")
NAMING_POSTGRESQL = sa.text("names_models IS NOT false")


def upgrade() -> None:
    op.add_column("jobs", sa.Column("names_models", sa.Boolean))
    op.create_index(
        "jobs_naming_models",
        "jobs",
        ["state"],
        sqlite_where=NAMING_SQLITE,
        postgresql_where=NAMING_POSTGRESQL,
    )
    op.create_index(
        "jobs_by_start_from",
        "jobs",
        ["start_from"],
        sqlite_where=CONTINUES,
        postgresql_where=CONTINUES,
    )
    op.create_index(
        "jobs_fine_tuned",
        "jobs",
        ["owner", "id"],
        sqlite_where=FINE_TUNED,
        postgresql_where=FINE_TUNED,
    )
    op.create_index("jobs_by_owner_and_state", "jobs", ["owner", "state", "id"])
    op.create_index("adapters_by_parent", "adapters", ["parent"])
    op.create_index("aliases_by_model", "aliases", ["model"])
    for table in PAGED:
        op.create_index(f"{table}_by_owner_and_age", table, ["owner", "created_at", "id"])
        # An administrator and the open service see everybody's.
        op.create_index(f"{table}_by_age", table, ["created_at", "id"])


def downgrade() -> None:
    for table in PAGED:
        op.drop_index(f"{table}_by_age", table)
        op.drop_index(f"{table}_by_owner_and_age", table)
    op.drop_index("aliases_by_model", "aliases")
    op.drop_index("adapters_by_parent", "adapters")
    op.drop_index("jobs_by_owner_and_state", "jobs")
    op.drop_index("jobs_fine_tuned", "jobs")
    op.drop_index("jobs_by_start_from", "jobs")
    op.drop_index("jobs_naming_models", "jobs")
    op.drop_column("jobs", "names_models")
