"""production: owners, quotas, idempotency, deadlines, failures apart, indexes for flat claims"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

QUEUED = sa.text("state = 'queued'")
WAITING = sa.text("deadline_at IS NOT NULL AND state IN ('queued', 'paused')")


def upgrade() -> None:
    # Only additions, and every column has a default: a worker of the version before goes on while
    # this runs.
    op.add_column("jobs", sa.Column("owner", sa.String(length=64), nullable=True))
    op.add_column("jobs", sa.Column("failures", sa.Integer(), server_default="0", nullable=False))
    op.add_column("jobs", sa.Column("deadline_at", sa.Float(precision=53), nullable=True))
    op.execute(
        "UPDATE jobs SET failures = attempts - infra_failures WHERE state IN ('queued', 'running')"
    )
    op.drop_index("jobs_claimable", "jobs")
    op.drop_index("ix_jobs_state", "jobs")
    order = [sa.text("priority DESC"), sa.text("created_at"), sa.text("id")]
    # Partial: jobs that have ended, nearly all, are not in it, so claims do not slow down with
    # them.
    op.create_index("jobs_claimable", "jobs", order, sqlite_where=QUEUED, postgresql_where=QUEUED)
    op.create_index(
        "jobs_queued_by_owner", "jobs", ["owner"], sqlite_where=QUEUED, postgresql_where=QUEUED
    )
    op.create_index(
        "jobs_with_deadline",
        "jobs",
        ["deadline_at"],
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )
    op.create_index("jobs_by_state", "jobs", ["state", "id"])
    op.create_index("jobs_by_owner", "jobs", ["owner", "id"])
    op.create_table(
        "idempotency_keys",
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        # A key that comes again with another body is refused.
        sa.Column("request_sha256", sa.String(length=64), nullable=False),
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.Float(precision=53), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"]),
        sa.PrimaryKeyConstraint("owner", "key"),
    )
    op.create_table(
        "quotas",
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("max_running", sa.Integer(), nullable=True),
        sa.Column("max_queued", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("owner"),
    )


def downgrade() -> None:
    # The version before knows no paused jobs: they wait in the queue again.
    op.execute("UPDATE jobs SET state = 'queued' WHERE state = 'paused'")
    op.execute("UPDATE jobs SET want = 'run' WHERE want = 'pause'")
    op.drop_table("quotas")
    op.drop_table("idempotency_keys")
    for name in (
        "jobs_by_owner",
        "jobs_by_state",
        "jobs_with_deadline",
        "jobs_queued_by_owner",
        "jobs_claimable",
    ):
        op.drop_index(name, "jobs")
    op.create_index("ix_jobs_state", "jobs", ["state"])
    op.create_index("jobs_claimable", "jobs", ["state", "priority", "created_at"])
    for name in ("deadline_at", "failures", "owner"):
        op.drop_column("jobs", name)
