"""F25: with 10,000 jobs that wait, claims and rounds of the reconciler read indexes."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event, select, text, update
from sqlalchemy.dialects import postgresql

from app.db.session import make_engine, writing
from app.db.tables import Job
from app.jobs import claim_order, lease, quota, service
from app.jobs.wake_ups import WakeUps
from app.settings import Settings
from tests.support.fleet import job
from tests.support.servers import Postgres, Redis
from workers.reconciler import Reconciler

MANY = text(
    "INSERT INTO jobs (id, state, base_model, dataset, seed, spec, metadata, created_at, "
    "priority, owner) "
    "SELECT lpad(n::text, 36, '0'), 'queued', 'inframind-nano', 'inframind-bench', 0, "
    "'[]', '{}', n, n % 3, 'owner-' || n % 50 "
    "FROM generate_series(1, 10000) AS n"
)


@pytest.fixture
def full(postgres: Postgres) -> Iterator[Engine]:
    made = make_engine(postgres.new_database())
    with made.begin() as connection:
        connection.execute(MANY)
    with made.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE jobs")
    yield made
    made.dispose()


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """What is sent to the database meanwhile."""
    sent: list[str] = []

    def note(*arguments: Any) -> None:
        sent.append(arguments[2])

    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


def plan(engine: Engine, query: object, how: str = "") -> str:
    compiled = query.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})  # type: ignore[attr-defined]
    with engine.connect() as connection:
        return "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {how} {compiled}"))


def test_the_best_job_comes_from_the_index(full: Engine) -> None:
    best = select(Job).where(claim_order.may_run(1e9)).order_by(*claim_order.ORDER).limit(1)
    found = plan(full, best.with_for_update(skip_locked=True))
    assert "jobs_claimable " in found and "Seq Scan" not in found and "Sort" not in found, found
    found = plan(full, best.where(Job.owner == "owner-1").with_for_update(skip_locked=True))
    assert (
        "jobs_claimable_by_owner " in found and "Seq Scan" not in found and "Sort" not in found
    ), found
    for other in (
        select(Job.id, Job.fence, Job.lease_until).where(Job.state == "running"),
        select(Job).where(
            Job.state.in_(("queued", "paused")), Job.deadline_at.is_not(None), Job.deadline_at < 1.0
        ),
        select(Job.id).where(Job.device == "gpu", Job.state == "running").limit(1),
        select(Job.id).where(Job.owner == "owner-1", Job.state == "queued"),
    ):
        assert "Seq Scan" not in plan(full, other), plan(full, other)


def test_a_full_owners_jobs_are_not_read(full: Engine) -> None:
    """A bug: while the head of the queue was theirs, every claim read all of it."""
    with writing(full) as session:
        session.execute(
            update(Job).where(Job.owner != "owner-7").values(owner="greedy", priority=9)
        )
    quota.set_quota(full, "greedy", max_running=0, max_queued=None)
    with full.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE jobs")
    found = plan(full, claim_order.heads(1e9, ["greedy"]), "(ANALYZE, COSTS OFF)")
    read = [int(float(rows)) for rows in re.findall(r"rows=([0-9.]+) loops", found)]
    assert max(read) < 10, found
    held = lease.claim(full, "worker", "gpu", 60.0)
    assert held is not None and job(full, held.job_id).owner == "owner-7"
    assert lease.has_work(full)


def test_a_round_of_the_reconciler_is_short_and_floods_nobody(full: Engine, redis: Redis) -> None:
    redis.client.flushall()
    given = Settings(redis_url=redis.url)
    wake_ups = WakeUps(redis.url)
    assert all(wake_ups.send("any") for _ in range(200))
    for number in range(3):
        lease.report_alive(full, f"w{number}", "host", f"gpu{number}")
    reconciler = Reconciler(full, given)
    with statements(full) as sent:
        assert reconciler.tick() == 0
    # None for each of the jobs; that each reads an index is shown above.
    assert len(sent) < 20, sent
    redis.client.flushall()
    assert reconciler.tick() == 3 and reconciler.tick() == 0
    assert wake_ups.waiting() == 3 and service.live_workers(full) == 3
