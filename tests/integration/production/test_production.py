"""Celery workers, Redis and PostgreSQL as real processes: what is lost, doubled, killed or away, one fault at a time."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.db.migrate import upgrade
from app.jobs.spec import JobSpec
from app.jobs.wake_ups import QUEUE, WakeUps
from tests.support.fleet import events, is_alive, job, submit, until
from tests.support.outcome import check_success
from tests.support.production import Production
from tests.support.servers import Postgres, Redis


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
    until(production.answers, 60)
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
    """Research: with prefetch a busy worker reserved one more job, and it waited although another worker was idle."""
    long, short = production.add_job(steps=150), production.add_job(steps=4)
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
    started = time.monotonic()
    production.wait(lost, "running", "succeeded")
    assert time.monotonic() - started < 5
    production.wait(lost, "succeeded")


def test_f3_a_message_six_times_over_starts_a_job_once(
    production: Production, redis: Redis
) -> None:
    job_id = production.add_job()
    wake_ups = WakeUps(redis.url)
    assert all(wake_ups.send(job_id) for _ in range(6))
    production.wait(job_id, "succeeded")
    until(lambda: wake_ups.waiting() == 0)
    time.sleep(1)
    assert [event.code for event in events(production.engine, job_id)].count("claimed") == 1
    check_success(production.engine, job_id)


def test_f5_a_worker_killed(production: Production) -> None:
    job_id = production.add_job(steps=60)
    until(lambda: job(production.engine, job_id).step > 8)
    name = production.holder(job_id)
    trainer = production.trainer(name)
    production.processes[name].kill()
    started = time.monotonic()
    until(lambda: not is_alive(trainer), 3)
    until(lambda: job(production.engine, job_id).fence == 2)
    # The lease, a round of the reconciler, and a slow machine.
    assert time.monotonic() - started < 3.0 + 0.5 + 4.0
    production.wait(job_id, "succeeded")
    check_success(production.engine, job_id, [("sft", 60), ("evaluate", 4)])
    resumed = next(event for event in events(production.engine, job_id) if event.code == "resumed")
    assert resumed.data["step"] >= 8


def test_f9_a_worker_asked_to_end_gives_its_job_to_another(production: Production) -> None:
    job_id = production.add_job(steps=80)
    until(lambda: job(production.engine, job_id).step > 5)
    name = production.holder(job_id)
    worker = production.processes[name]
    # Before, because the other worker takes over at once.
    asked = job(production.engine, job_id).step
    worker.terminate()
    assert worker.wait(15) == 0
    production.wait(job_id, "succeeded")
    done = job(production.engine, job_id)
    assert (done.fence, done.failures, done.infra_failures) == (2, 0, 0)
    resumed = next(event for event in events(production.engine, job_id) if event.code == "resumed")
    assert resumed.data["step"] >= asked
    check_success(production.engine, job_id, [("sft", 80), ("evaluate", 4)])


def test_f10_a_worker_that_is_asked_and_then_killed(production: Production) -> None:
    from tests.support.stand_in import IGNORES_STOP

    job_id = production.add_job(steps=60, seed=IGNORES_STOP)
    until(lambda: job(production.engine, job_id).step > 5)
    worker = production.processes[production.holder(job_id)]
    worker.terminate()
    time.sleep(0.5)
    worker.kill()
    production.wait(job_id, "succeeded")
    check_success(production.engine, job_id, [("sft", 60), ("evaluate", 4)])


def test_pause_and_resume_end_in_the_undisturbed_result(production: Production) -> None:
    """F18 with the stand-in; tests/smoke has the real one."""
    job_id = production.add_job(steps=60)
    for step in (5, 25):
        until(
            lambda least=step: (
                (now := job(production.engine, job_id)).step >= least and now.state == "running"
            )
        )
        assert production.http.post(f"/jobs/{job_id}/pause").json()["pause_requested"] is True
        production.wait(job_id, "paused")
        assert production.http.post(f"/jobs/{job_id}/resume").json()["state"] == "queued"
    production.wait(job_id, "succeeded")
    check_success(production.engine, job_id, [("sft", 60), ("evaluate", 4)])
    assert job(production.engine, job_id).failures == 0


def test_f24_a_migration_while_a_job_runs(production: Production) -> None:
    """What an expanding migration does: a column with a default, a table, an index. The worker of before goes on."""
    job_id = production.add_job(steps=40)
    until(lambda: job(production.engine, job_id).step > 2)
    upgrade(production.engine)
    with production.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE jobs ADD COLUMN later integer NOT NULL DEFAULT 0")
        connection.exec_driver_sql("CREATE TABLE later (id text PRIMARY KEY)")
        connection.exec_driver_sql("CREATE INDEX jobs_later ON jobs (later)")
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
    job_id = production.add_job(steps=1000)
    until(lambda: job(production.engine, job_id).step > 2)
    trainer = production.trainer(production.holder(job_id))
    production.http.post(f"/jobs/{job_id}/cancel")
    production.wait(job_id, "cancelled")
    until(lambda: not is_alive(trainer), 5)
    refused: httpx.Response = production.http.post(f"/jobs/{job_id}/cancel")
    assert refused.status_code == 409
    until(lambda: not list((Path(production.folder) / "artifacts" / job_id).glob("*/stage-*")))


def test_f4_redis_flushed_killed_and_started_empty(production: Production, redis: Redis) -> None:
    jobs = [production.add_job(steps=30) for _ in range(4)]
    redis.client.flushall()
    until(lambda: any(job(production.engine, job_id).state == "running" for job_id in jobs))
    redis.kill()
    try:
        started = time.monotonic()
        jobs.append(production.add_job())
        assert time.monotonic() - started < 2
        time.sleep(2)
    finally:
        redis.start()
    for job_id in jobs:
        production.wait(job_id, "succeeded")
        assert [event.code for event in events(production.engine, job_id)].count("claimed") == 1


def test_a_redis_that_hangs_keeps_no_request_waiting(production: Production, redis: Redis) -> None:
    """It takes connections and never answers: every wait for it must have an end."""
    redis.hang()
    try:
        jobs = []
        for _ in range(3):
            started = time.monotonic()
            jobs.append(production.add_job())
            assert time.monotonic() - started < 2
        # The reconciler waits for it too, and goes on.
        time.sleep(3)
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
