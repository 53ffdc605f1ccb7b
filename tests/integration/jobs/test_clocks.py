"""Clocks that are set by a day, forward and back, on databases and workers: no work is lost, and
the queue goes on."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from app.artifacts import Artifacts
from app.catalog.retention import prune
from app.db.session import database_now, writing
from app.db.steady_clock import SteadyClock
from app.db.tables import IdempotencyKey, Job, Worker
from app.jobs import claim_order, journal, lease, service, transitions
from app.jobs.failure import Failure
from app.jobs.lease import Claim
from app.jobs.silence import LeaseWatch
from tests.support.clocks import DAY, STEP_FILE, ManualClock, Step, set_database
from tests.support.fleet import Fleet, add_job, events, job, let_go
from tests.support.outcome import check_success
from tests.support.reports import manifest, report
from tests.support.stand_in import HELD_AT, HOLDS
from tests.support.waiting import until
from workers.held_lease import HeldLease

LEASE = 20.0
RETRY = Failure(code="trainer_killed", message="killed", then="retry")
BOTH_WAYS = pytest.mark.parametrize("step", [DAY, -DAY])
SetClock = Callable[[float], None]


@pytest.fixture
def set_clock(engine: Engine, tmp_path: Path) -> SetClock:
    """Sets the database's clock."""
    return set_database(engine, tmp_path)


def claimed(engine: Engine, device: str = "gpu", seconds: float = LEASE) -> Claim:
    claim = lease.claim(engine, "worker", device, seconds)
    assert claim is not None
    return claim


def look(engine: Engine, watch: LeaseWatch) -> None:
    with writing(engine) as session:
        lease.expire(session, database_now(session), watch)


@BOTH_WAYS
def test_a_lease_that_is_renewed_survives(engine: Engine, set_clock: SetClock, step: float) -> None:
    job_id, clock = add_job(engine), ManualClock()
    claim, watch = claimed(engine), LeaseWatch(LEASE, clock)
    for number in range(40):
        if number == 20:
            set_clock(step)
        look(engine, watch)
        clock.goes_on(2.0)
        lease.heartbeat(engine, claim, LEASE)
    assert (job(engine, job_id).state, job(engine, job_id).fence) == ("running", claim.fence)


@BOTH_WAYS
def test_a_silent_worker_is_noticed_after_the_length_of_its_lease(
    engine: Engine, set_clock: SetClock, step: float
) -> None:
    """Set back, the lease once ended a day later, and its device took no other job."""
    job_id, clock = add_job(engine), ManualClock()
    claimed(engine)
    # Whoever watches has another setting: the length is the holder's.
    watch = LeaseWatch(10 * LEASE, clock)
    set_clock(step)
    look(engine, watch)
    clock.goes_on(LEASE)
    look(engine, watch)
    assert job(engine, job_id).state == "running"
    clock.goes_on(0.1)
    look(engine, watch)
    now = job(engine, job_id)
    assert (now.state, now.infra_failures) == ("queued", 1)
    assert claimed(engine).fence == 2


def test_a_watch_that_begins_late_waits_for_a_whole_lease(engine: Engine) -> None:
    job_id, clock = add_job(engine), ManualClock()
    claimed(engine)
    with writing(engine) as session:
        session.execute(update(Job).values(lease_until=1.0))
    look(engine, watch := LeaseWatch(LEASE, clock))
    assert job(engine, job_id).state == "running", "a date that has passed ends no lease"
    clock.goes_on(LEASE + 1)
    look(engine, watch)
    assert job(engine, job_id).state == "queued"


def test_two_watches_take_a_job_back_once(engine: Engine, set_clock: SetClock) -> None:
    job_id, clocks = add_job(engine), (ManualClock(), ManualClock(5e6))
    claimed(engine)
    watches = [LeaseWatch(LEASE, clock) for clock in clocks]
    for watch, step in zip(watches, (DAY, -DAY), strict=True):
        set_clock(step)
        look(engine, watch)
    for clock in clocks:
        clock.goes_on(LEASE + 1)
    for watch in watches:
        look(engine, watch)
    assert [event.code for event in events(engine, job_id)].count("requeued") == 1
    claim = claimed(engine)
    for watch in watches:
        look(engine, watch)
    assert job(engine, job_id).fence == claim.fence == 2, "an old mark says nothing of a new claim"


@BOTH_WAYS
def test_a_cool_down_ends(engine: Engine, set_clock: SetClock, step: float) -> None:
    """Set back, it once lasted a day longer."""
    add_job(engine)
    with lease.fenced(engine, claimed(engine)) as (session, row):
        transitions.requeue(session, row, RETRY, transitions.LONGEST_COOL_DOWN_SECONDS)
    assert lease.claim(engine, "w", "gpu", LEASE) is None
    assert not lease.has_work(engine)
    set_clock(step)
    assert lease.has_work(engine)
    claimed(engine)


def test_no_cool_down_is_longer_than_what_is_believed() -> None:
    longest = max(transitions.backoff(failures) for failures in range(5000))
    assert longest == transitions.LONGEST_COOL_DOWN_SECONDS
    assert "BETWEEN" in str(claim_order.may_run(0.0))


@BOTH_WAYS
def test_a_worker_that_died_before_the_step_is_not_taken_for_a_live_one(
    engine: Engine, set_clock: SetClock, step: float
) -> None:
    lease.report_alive(engine, "dead", "host", "gpu0")
    assert service.live_workers(engine) == 1
    set_clock(step)
    assert service.live_workers(engine) == 0
    lease.report_alive(engine, "living", "host", "gpu1")
    assert service.live_workers(engine) == 1
    with writing(engine) as session:
        assert session.get_one(Worker, "dead").heartbeat_at > 0


@BOTH_WAYS
def test_pruning_makes_nothing_old_that_is_not(
    engine: Engine, set_clock: SetClock, tmp_path: Path, step: float
) -> None:
    """Set forward, idempotency keys and adapters of a minute ago once were a day old."""
    clock = ManualClock()
    steady, artifacts = SteadyClock(clock), Artifacts(tmp_path / "artifacts")
    job_id = add_job(engine)
    with lease.fenced(engine, claimed(engine)) as (session, row):
        adapter = manifest("im-1-0-sft")
        journal.publish_stage(session, row, 0, "sft", report({}, adapter, "/nowhere"))
        transitions.finish(session, row, "succeeded")
        now = database_now(session)
        key = {"owner": "", "request_sha256": "", "job_id": job_id, "created_at": now}
        session.add(IdempotencyKey(key="young", **key))

    def round_at(real_seconds: float, of_database: float) -> tuple[list[str], int]:
        clock.now = 1000.0 + real_seconds
        set_clock(of_database)
        pruned = prune(engine, artifacts, 1.0, steady)
        return pruned.adapters, pruned.keys

    assert round_at(0.0, 0.0) == ([], 0)
    assert round_at(3600.0, 3600.0 + step) == ([], 0)
    assert round_at(DAY - 3600.0, DAY - 3600.0 + step) == ([], 0)
    # A day later the age is real; where the clock went back, it is believed one day after that.
    late = DAY + 3600.0 if step > 0 else 2 * DAY + 3600.0
    assert round_at(late, late + step) == (["im-1-0-sft"], 1)


def test_a_running_jobs_deadline_is_counted_by_its_worker(
    engine: Engine, set_clock: SetClock, tmp_path: Path
) -> None:
    job_id, clock = add_job(engine), ManualClock()
    with writing(engine) as session:
        deadline_at = database_now(session) + 100.0
        session.execute(update(Job).where(Job.id == job_id).values(deadline_at=deadline_at))
    held = HeldLease(engine, claimed(engine), LEASE, tmp_path, clock)
    held.begin()
    for step, seconds, wish in ((DAY, 50.0, "run"), (-DAY, 49.0, "run"), (-DAY, 3.0, "deadline")):
        set_clock(step)
        clock.goes_on(seconds)
        held.renew()
        assert held.wish == wish


def step_of(fleet: Fleet, name: str) -> Step:
    """Makes the next supervisor tell the date that the step says."""
    step = Step(fleet.folder / f"{name}-step")
    step.set(0.0)
    fleet.set(STEP_FILE, str(step.file))
    return step


def test_a_worker_whose_clock_was_a_day_ahead_leaves_no_job_behind(fleet: Fleet) -> None:
    """A restart with the right clock once found the device busy for a day."""
    first, second = add_job(fleet.engine, steps=60, seed=HOLDS), add_job(fleet.engine)
    of_database = set_database(fleet.engine, fleet.folder)
    step = step_of(fleet, "w0")
    step.set(DAY), of_database(DAY)
    fleet.set("INFRAMIND_LEASE_SECONDS", "10")
    supervisor = fleet.start()
    until(lambda: job(fleet.engine, first).step == HELD_AT[HOLDS][1])
    supervisor.kill(), supervisor.wait()
    step.set(0.0), of_database(0.0)
    fleet.start()
    fleet.wait(first, "succeeded"), fleet.wait(second, "succeeded")
    check_success(fleet.engine, first, [("sft", 60), ("evaluate", 4)])


def test_supervisors_that_disagree_by_two_days_double_no_work(fleet: Fleet) -> None:
    jobs = [add_job(fleet.engine, steps=60, seed=HOLDS) for _ in range(2)]
    of_database = set_database(fleet.engine, fleet.folder)
    steps = []
    for name, ahead in (("w0", DAY), ("w1", -DAY)):
        steps.append(step_of(fleet, name))
        steps[-1].set(ahead)
        fleet.start(name)
    # Idle, it watches the other two.
    steps.append(step_of(fleet, "w2"))
    until(lambda: all(job(fleet.engine, one).step == HELD_AT[HOLDS][1] for one in jobs))
    fleet.start("w2")
    until(lambda: service.live_workers(fleet.engine) > 0)
    for by in (-DAY, DAY, 0.0):
        of_database(by)
        for step in steps:
            step.set(by)
            before = [job(fleet.engine, one).lease_until for one in jobs]
            until(lambda before=before: renewed(fleet, jobs, before))
    for job_id in jobs:
        let_go(fleet.folder / "artifacts", job_id)
        fleet.wait(job_id, "succeeded")
        assert job(fleet.engine, job_id).attempts == 1
        check_success(fleet.engine, job_id, [("sft", 60), ("evaluate", 4)])


def renewed(fleet: Fleet, jobs: list[str], before: list[float | None]) -> bool:
    """Whether every lease was renewed since."""
    now = [job(fleet.engine, job_id).lease_until for job_id in jobs]
    return all(new != old for new, old in zip(now, before, strict=True))
