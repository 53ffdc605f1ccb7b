"""Celery workers, Redis and PostgreSQL as real processes: what is lost, doubled, killed or away,
one fault at a time.
"""

import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.db.migrate import upgrade
from app.jobs.spec import JobSpec
from app.jobs.wake_ups import QUEUE, WakeUps
from tests.support.fleet import end_lease, events, is_alive, job, let_go, submit
from tests.support.outcome import check_refused, check_success
from tests.support.production import Production
from tests.support.servers import Postgres, Redis
from tests.support.stand_in import (
    FLOODS,
    HELD_AT,
    HOLDS,
    HOLDS_TWICE,
    IGNORES_STOP,
    POISON,
    POISONOUS,
)
from tests.support.waiting import HANG_SECONDS, until

HELD = HELD_AT[HOLDS][1]
AWAY = "jobs wait, and Redis does not answer"
"""What the reconciler says in a round without Redis."""


@pytest.fixture(scope="module")
def production(postgres: Postgres, redis: Redis) -> Iterator[Production]:
    redis.client.flushall()
    made = Production(postgres, redis)
    made.start_all("w0", "w1")
    yield made
    made.close()


@pytest.fixture(autouse=True)
def whole(production: Production) -> Iterator[None]:
    """Every test starts with everything running."""
    for name, process in list(production.processes.items()):
        if process.poll() is not None:
            production.start(name)
    until(production.answers)
    return None


def test_jobs_run_by_the_message_alone(production: Production) -> None:
    production.processes["reconciler"].send_signal(signal.SIGSTOP)
    try:
        for job_id in [production.add_job(), production.add_job()]:
            production.wait(job_id, "succeeded")
            check_success(production.engine, job_id)
    finally:
        production.processes["reconciler"].send_signal(signal.SIGCONT)


def test_a_busy_worker_keeps_no_message_from_an_idle_one(
    production: Production, redis: Redis
) -> None:
    """Research: with prefetch a busy worker reserved one more job, and it waited although another
    worker was idle.
    """
    long, short = production.add_job(seed=HOLDS), production.add_job(steps=4)
    production.wait(short, "succeeded")
    assert job(production.engine, long).state == "running"
    assert redis.client.hlen("unacked") == 0
    production.http.post(f"/jobs/{long}/cancel")
    production.wait(long, "cancelled")


def test_f1_an_api_killed_between_commit_and_message(production: Production) -> None:
    """The row without a message is what such an api leaves behind."""
    spec = JobSpec.model_validate(
        {"base_model": "inframind-nano", "stages": [{"stage": "sft", "max_steps": 4}]}
    )
    lost = submit(production.engine, spec).id
    production.wait(lost, "succeeded")


def test_f3_a_message_six_times_over_starts_a_job_once(
    production: Production, redis: Redis
) -> None:
    job_id = production.add_job()
    wake_ups = WakeUps(redis.url)
    assert all(wake_ups.send(job_id) for _ in range(6))
    production.wait(job_id, "succeeded")
    until(lambda: wake_ups.waiting() == 0 and not redis.client.hlen("unacked"))
    assert [event.code for event in events(production.engine, job_id)].count("claimed") == 1
    check_success(production.engine, job_id)


def test_f5_a_worker_killed(production: Production) -> None:
    job_id = production.add_job(steps=60, seed=HOLDS)
    until(lambda: job(production.engine, job_id).step == HELD)
    name = production.holder(job_id)
    trainer = production.trainer(name)
    production.processes[name].kill()
    # With its worker, and not by its lease: that has minutes to go.
    until(lambda: not is_alive(trainer))
    assert job(production.engine, job_id).fence == 1
    end_lease(production.engine, job_id)
    until(lambda: job(production.engine, job_id).fence == 2)
    production.wait(job_id, "succeeded")
    check_success(production.engine, job_id, [("sft", 60), ("evaluate", 4)])
    resumed = next(event for event in events(production.engine, job_id) if event.code == "resumed")
    assert resumed.data["step"] >= 8


def test_f9_a_worker_asked_to_end_gives_its_job_to_another(production: Production) -> None:
    job_id = production.add_job(steps=80, seed=HOLDS)
    until(lambda: job(production.engine, job_id).step == HELD)
    name = production.holder(job_id)
    worker = production.processes[name]
    # Before, because the other worker takes over at once.
    asked = job(production.engine, job_id).step
    worker.terminate()
    assert worker.wait(HANG_SECONDS) == 0
    production.wait(job_id, "succeeded")
    done = job(production.engine, job_id)
    assert (done.fence, done.failures, done.infra_failures) == (2, 0, 0)
    resumed = next(event for event in events(production.engine, job_id) if event.code == "resumed")
    assert resumed.data["step"] >= asked
    check_success(production.engine, job_id, [("sft", 80), ("evaluate", 4)])


def test_f10_a_worker_that_is_asked_and_then_killed(production: Production) -> None:
    job_id = production.add_job(steps=60, seed=IGNORES_STOP)
    until(lambda: job(production.engine, job_id).step == HELD)
    name = production.holder(job_id)
    worker, log = production.processes[name], production.folder / f"{name}.log"
    before = log.read_text().count("Warm shutdown")
    worker.terminate()
    until(lambda: log.read_text().count("Warm shutdown") > before)
    worker.kill()
    worker.wait()
    end_lease(production.engine, job_id)
    production.wait(job_id, "succeeded")
    check_success(production.engine, job_id, [("sft", 60), ("evaluate", 4)])


def test_pause_and_resume_end_in_the_undisturbed_result(production: Production) -> None:
    """F18 with the stand-in; tests/smoke has the real one."""
    job_id = production.add_job(steps=60, seed=HOLDS_TWICE)
    for step in HELD_AT[HOLDS_TWICE].values():
        until(lambda step=step: job(production.engine, job_id).step == step)
        assert production.http.post(f"/jobs/{job_id}/pause").json()["pause_requested"] is True
        production.wait(job_id, "paused")
        assert production.http.post(f"/jobs/{job_id}/resume").json()["state"] == "queued"
    production.wait(job_id, "succeeded")
    check_success(production.engine, job_id, [("sft", 60), ("evaluate", 4)])
    assert job(production.engine, job_id).failures == 0


def test_f24_a_migration_while_a_job_runs(production: Production) -> None:
    """What an expanding migration does: a column with a default, a table, an index.

    The worker of before goes on.
    """
    job_id = production.add_job(steps=40, seed=HOLDS)
    until(lambda: job(production.engine, job_id).step == HELD)
    upgrade(production.engine)
    with production.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE jobs ADD COLUMN later integer NOT NULL DEFAULT 0")
        connection.exec_driver_sql("CREATE TABLE later (id text PRIMARY KEY)")
        connection.exec_driver_sql("CREATE INDEX jobs_later ON jobs (later)")
    let_go(production.folder / "artifacts", job_id)
    production.wait(job_id, "succeeded")
    check_success(production.engine, job_id, [("sft", 40), ("evaluate", 4)])
    production.wait(production.add_job(), "succeeded")


def test_a_message_that_is_none_of_ours_is_refused_and_the_worker_lives(
    production: Production, redis: Redis
) -> None:
    import json

    for body in (
        "not json",
        json.dumps(
            {"body": "gASVAA==", "content-type": "application/x-python-serialize", "headers": {}}
        ),
    ):
        redis.client.lpush(QUEUE, body)
    job_id = production.add_job(steps=4)
    production.wait(job_id, "succeeded")


def test_f17_cancel_reaches_a_running_job(production: Production) -> None:
    job_id = production.add_job(steps=1000, seed=HOLDS)
    until(lambda: job(production.engine, job_id).step == HELD)
    trainer = production.trainer(production.holder(job_id))
    production.http.post(f"/jobs/{job_id}/cancel")
    production.wait(job_id, "cancelled")
    until(lambda: not is_alive(trainer))
    refused: httpx.Response = production.http.post(f"/jobs/{job_id}/cancel")
    assert refused.status_code == 409
    until(lambda: not list((Path(production.folder) / "artifacts" / job_id).glob("*/stage-*")))


def test_f4_redis_flushed_killed_and_started_empty(production: Production, redis: Redis) -> None:
    held = [production.add_job(steps=30, seed=HOLDS) for _ in range(2)]
    jobs = [*held, production.add_job(), production.add_job()]
    redis.client.flushall()
    until(lambda: all(job(production.engine, job_id).step == HELD for job_id in held))
    log = production.folder / "reconciler.log"
    before = log.read_text().count(AWAY)
    redis.kill()
    try:
        jobs.append(production.add_job())
        until(lambda: log.read_text().count(AWAY) > before)
    finally:
        redis.start()
    for job_id in held:
        let_go(production.folder / "artifacts", job_id)
    for job_id in jobs:
        production.wait(job_id, "succeeded")
        assert [event.code for event in events(production.engine, job_id)].count("claimed") == 1


def test_a_redis_that_hangs_keeps_no_request_waiting(production: Production, redis: Redis) -> None:
    """It takes connections and never answers: every wait for it must have an end."""
    log = production.folder / "reconciler.log"
    before = log.read_text().count(AWAY)
    redis.hang()
    try:
        # They are answered while it hangs: no answer waits for it.
        jobs = [production.add_job() for _ in range(3)]
        # The reconciler waits for it too, and goes on.
        until(lambda: log.read_text().count(AWAY) > before + 1)
    finally:
        redis.go_on()
    for job_id in jobs:
        production.wait(job_id, "succeeded")
        check_success(production.engine, job_id)
        assert [event.code for event in events(production.engine, job_id)].count("claimed") == 1
    assert production.processes["reconciler"].poll() is None


def test_an_api_that_starts_before_its_database_waits_for_it(
    production: Production, postgres: Postgres
) -> None:
    """A bug that chaos found: it ended, and nobody started it again."""
    production.processes["api"].kill()
    production.processes["api"].wait()
    postgres.kill()
    try:
        log = production.folder / "api.log"
        before = log.read_text().count("the database is away")
        api = production.start("api")
        until(lambda: log.read_text().count("the database is away") > before)
        assert api.poll() is None
    finally:
        postgres.start()
    until(production.answers)


def test_f26_reports_that_cannot_be_stored_end_no_worker(production: Production) -> None:
    """Celery's workers once lived on, but left such a job running until its lease was over."""
    workers = [production.processes[name].pid for name in ("w0", "w1")]
    poisoned = [production.add_job(seed=POISONOUS + number) for number in range(0, len(POISON), 3)]
    flooding, honest = production.add_job(seed=FLOODS), production.add_job()
    for job_id in poisoned:
        production.wait(job_id, "failed")
        check_refused(production.engine, job_id)
    for job_id in (flooding, honest):
        production.wait(job_id, "succeeded")
        check_success(production.engine, job_id)
        assert job(production.engine, job_id).attempts == 1
    assert "events_left_out" in [event.code for event in events(production.engine, flooding)]
    assert [production.processes[name].pid for name in ("w0", "w1")] == workers
    assert all(production.processes[name].poll() is None for name in ("w0", "w1"))
