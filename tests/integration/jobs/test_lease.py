"""Claims and fences on real databases of both dialects, with threads that race."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import Engine, update

from app.db.session import database_now, writing
from app.db.tables import Job
from app.jobs import journal, lease, transitions
from app.jobs.failure import Failure
from app.jobs.lease import Claim, LeaseLostError
from app.jobs.silence import LeaseWatch
from tests.support.fleet import add_job, desk, end_lease, events, job
from tests.support.reports import checkpoint, report
from tests.support.reports import manifest as manifest_of


def claimed(engine: Engine, device: str = "gpu", seconds: float = 60.0) -> Claim:
    held = lease.claim(engine, "worker", device, seconds)
    assert held is not None
    return held


def at_once(engine: Engine, job_id: str) -> None:
    with writing(engine) as session:
        lease.expire(session, database_now(session), LeaseWatch(60.0))
        session.execute(update(Job).where(Job.id == job_id).values(not_before=0.0))


def end(engine: Engine, held: Claim, state: transitions.Terminal = "succeeded") -> None:
    with lease.fenced(engine, held) as (session, row):
        transitions.finish(session, row, state)


def test_of_many_workers_one_gets_the_job(engine: Engine) -> None:
    for _ in range(5):
        add_job(engine)
        start = Barrier(8)

        def race(number: int, start: Barrier = start) -> Claim | None:
            start.wait()
            return lease.claim(engine, f"w{number}", f"gpu{number}", 60.0)

        with ThreadPoolExecutor(8) as pool:
            won = [held for held in pool.map(race, range(8)) if held]
        assert len(won) == 1 and won[0].fence == 1
        end(engine, won[0])


def test_two_workers_of_one_device_get_one_job(engine: Engine) -> None:
    add_job(engine), add_job(engine)
    assert claimed(engine, "gpu0")
    assert lease.claim(engine, "other", "gpu0", 60.0) is None
    assert lease.claim(engine, "other", "gpu1", 60.0) is not None


def test_priority_then_age_decides(engine: Engine) -> None:
    first, second, third = (add_job(engine) for _ in range(3))
    with writing(engine) as session:
        session.execute(update(Job).where(Job.id == third).values(priority=1))
    assert [claimed(engine, f"gpu{n}").job_id for n in range(3)] == [third, first, second]


def test_a_job_waits_for_its_time(engine: Engine) -> None:
    waiting = add_job(engine)
    with writing(engine) as session:
        soon = database_now(session) + transitions.LONGEST_COOL_DOWN_SECONDS
        session.execute(update(Job).where(Job.id == waiting).values(not_before=soon))
    assert lease.claim(engine, "w", "gpu", 60.0) is None


def test_a_stale_fence_writes_nothing(engine: Engine) -> None:
    job_id = add_job(engine)
    old = claimed(engine)
    end_lease(engine, job_id)
    new = claimed(engine, "other")
    assert (old.fence, new.fence) == (1, 2)
    with pytest.raises(LeaseLostError):
        lease.heartbeat(engine, old, 60.0)
    for write in (
        lambda session, row: journal.add_metrics(session, row, 0, 1, {"loss": 1.0}),
        lambda session, row: journal.add_checkpoint(session, row, checkpoint(1, "/x")),
        lambda session, row: transitions.finish(session, row, "succeeded"),
    ):
        with pytest.raises(LeaseLostError), lease.fenced(engine, old) as (session, row):
            write(session, row)
    assert job(engine, job_id).state == "running"
    assert lease.load_run(engine, new).checkpoints == []
    end(engine, new)
    assert [e.code for e in events(engine, job_id)] == [
        "queued",
        "claimed",
        "requeued",
        "claimed",
        "succeeded",
    ]
    assert [e.seq for e in events(engine, job_id)] == [1, 2, 3, 4, 5]


def test_a_job_ends_once(engine: Engine) -> None:
    job_id = add_job(engine)
    held = claimed(engine)
    start = Barrier(6)

    def race(number: int) -> bool:
        start.wait()
        try:
            end(engine, held, "succeeded" if number % 2 else "failed")
        except LeaseLostError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(race, range(6))) == 1
    assert sum(e.code in ("succeeded", "failed") for e in events(engine, job_id)) == 1


def test_a_failed_write_leaves_nothing_behind(engine: Engine) -> None:
    add_job(engine)
    held = claimed(engine)
    with pytest.raises(RuntimeError), lease.fenced(engine, held) as (session, row):
        journal.add_checkpoint(session, row, checkpoint(4, "/x"))
        raise RuntimeError
    assert lease.load_run(engine, held).checkpoints == []


def test_the_heartbeat_carries_the_wish_to_cancel(engine: Engine) -> None:
    job_id = add_job(engine)
    held = claimed(engine)
    assert lease.heartbeat(engine, held, 60.0) == "run"
    desk(engine).cancel(job_id)
    assert lease.heartbeat(engine, held, 60.0) == "cancel"


def test_a_silent_worker_with_a_cancelled_job_ends_it(engine: Engine) -> None:
    job_id = add_job(engine)
    claimed(engine)
    desk(engine).cancel(job_id)
    end_lease(engine, job_id)
    assert lease.claim(engine, "other", "gpu", 60.0) is None
    assert job(engine, job_id).state == "cancelled"


def test_attempts_that_fail_are_counted_apart_from_lost_workers(engine: Engine) -> None:
    job_id = add_job(engine)
    claimed(engine)
    for _ in range(4):
        end_lease(engine, job_id)
        at_once(engine, job_id)
        claimed(engine)
    now = job(engine, job_id)
    assert (now.attempts, now.infra_failures, now.failures) == (5, 4, 0)
    for attempt in range(3):
        held = Claim(job_id, job(engine, job_id).fence)
        with lease.fenced(engine, held) as (session, row):
            transitions.fail_attempt(
                session, row, Failure(code="trainer_killed", message="killed", then="retry")
            )
        now = job(engine, job_id)
        assert now.state == ("queued" if attempt < 2 else "failed")
        if attempt < 2:
            assert now.not_before - now.created_at > 2**attempt * 0.9
            with writing(engine) as session:
                session.execute(update(Job).where(Job.id == job_id).values(not_before=0.0))
            claimed(engine)
    assert (now.error_code, now.error_message) == ("trainer_killed", "killed")


def test_a_job_that_loses_every_worker_is_given_up(engine: Engine) -> None:
    job_id = add_job(engine)
    for _ in range(transitions.MAX_INFRA_FAILURES):
        claimed(engine)
        end_lease(engine, job_id)
        at_once(engine, job_id)
    assert lease.claim(engine, "w", "gpu", 60.0) is None
    assert (job(engine, job_id).state, job(engine, job_id).error_code) == ("failed", "worker_lost")


def test_a_stage_is_published_once(engine: Engine) -> None:
    add_job(engine)
    held = claimed(engine)
    adapter_manifest = manifest_of("im-1-0-sft")
    for _ in range(2):
        with lease.fenced(engine, held) as (session, row):
            journal.publish_stage(
                session, row, 0, "sft", report({"loss": 0.1}, adapter_manifest, "/somewhere")
            )
    run = lease.load_run(engine, held)
    assert [(a.id, a.path) for a in run.adapters] == [("im-1-0-sft", "/somewhere")]
    assert [r.adapter_id for r in run.results] == ["im-1-0-sft"]
