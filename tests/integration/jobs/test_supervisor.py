"""Supervisors and trainers as real processes, with the stand-in pipeline: what ends well, what goes
wrong, what is killed.
"""

import os
import random
import signal
import time
from pathlib import Path

import pytest
from sqlalchemy import update

from app.db.session import database_now, writing
from app.db.tables import Job
from app.jobs import service
from app.views import PageRequest
from tests.support import ROOT
from tests.support.fleet import Fleet, add_job, children, desk, events, is_alive, job, let_go
from tests.support.outcome import check_success
from tests.support.stand_in import (
    BAD_DISK_ONCE,
    CRASHES,
    ESCAPES,
    FULL_ONCE,
    HANGS,
    HELD_AT,
    HOLDS,
    HOLDS_TWICE,
    IGNORES_STOP,
    LEAVES_NAN,
    QUITS,
    RAISES_BUG,
    RAISES_CONFIG,
    RAISES_SANDBOX,
    TURNS_NAN,
)
from tests.support.waiting import HANG_SECONDS, until

HELD = HELD_AT[HOLDS][1]


def test_a_job_runs_to_its_end(fleet: Fleet) -> None:
    job_id = add_job(fleet.engine)
    fleet.start()
    done = fleet.wait(job_id, "succeeded")
    check_success(fleet.engine, job_id)
    assert (done.progress, done.eta_seconds, done.attempts, done.metrics["loss"]) == (
        1.0,
        None,
        1,
        0.25,
    )
    view = service.get(fleet.engine, job_id)
    assert [result.stage for result in view.stage_results] == ["sft", "evaluate"]
    steps = service.list_metrics(fleet.engine, job_id, PageRequest(), stage_index=0).data
    assert [metric.step for metric in steps] == list(range(1, 13))
    until(lambda: not list((fleet.folder / "artifacts").glob("*/*/stage-*")))


def test_progress_and_eta_are_shown_while_it_runs(fleet: Fleet) -> None:
    job_id = add_job(fleet.engine, steps=40, seed=HOLDS)
    fleet.start()
    seen = [0.0]

    def is_held() -> bool:
        now = job(fleet.engine, job_id)
        seen.append(now.progress)
        return now.step == HELD

    until(is_held)
    now = job(fleet.engine, job_id)
    assert seen == sorted(seen) and 0 < now.progress < 1
    assert now.eta_seconds is not None and now.eta_seconds > 0
    let_go(fleet.folder / "artifacts", job_id)
    assert fleet.wait(job_id, "succeeded").progress == 1


def test_cancel_stops_the_trainer_and_keeps_a_checkpoint(fleet: Fleet) -> None:
    job_id = add_job(fleet.engine, steps=1000, seed=HOLDS)
    fleet.start()
    until(lambda: job(fleet.engine, job_id).step == HELD)
    trainer = fleet.trainer()
    desk(fleet.engine).cancel(job_id)
    fleet.wait(job_id, "cancelled")
    assert not is_alive(trainer)
    assert [e.code for e in events(fleet.engine, job_id)][-2:] == ["cancel_requested", "cancelled"]
    other = add_job(fleet.engine)
    fleet.wait(other, "succeeded")


def test_a_trainer_that_does_not_stop_is_killed(fleet: Fleet) -> None:
    fleet.set("INFRAMIND_GRACE_SECONDS", "3")
    job_id = add_job(fleet.engine, seed=IGNORES_STOP)
    fleet.start()
    until(lambda: job(fleet.engine, job_id).step == HELD)
    trainer = fleet.trainer()
    desk(fleet.engine).cancel(job_id)
    fleet.wait(job_id, "cancelled")
    assert not is_alive(trainer)


def test_a_drained_worker_gives_the_job_back_at_once(fleet: Fleet) -> None:
    job_id = add_job(fleet.engine, steps=60, seed=HOLDS)
    first = fleet.start()
    until(lambda: job(fleet.engine, job_id).step == HELD)
    first.terminate()
    assert first.wait(HANG_SECONDS) == 0
    now = job(fleet.engine, job_id)
    assert (now.state, now.infra_failures, now.failures) == ("queued", 0, 0)
    fleet.start("w1")
    fleet.wait(job_id, "succeeded")
    resumed = next(e for e in events(fleet.engine, job_id) if e.code == "resumed")
    assert resumed.data["step"] >= now.step
    check_success(fleet.engine, job_id, [("sft", 60), ("evaluate", 4)])


FAILURES = {
    RAISES_CONFIG: ("invalid_config", 1, "stages.0.max_steps", "no such thing"),
    RAISES_SANDBOX: ("verifier_unavailable", 3, None, "no workers"),
    RAISES_BUG: ("internal_error", 3, None, ""),
    CRASHES: ("trainer_killed", 3, None, "SIGSEGV"),
    QUITS: ("trainer_exited", 3, None, ""),
    ESCAPES: ("report_refused", 1, None, "outside the attempt's folder"),
    TURNS_NAN: ("non_finite", 1, None, "metrics.loss"),
    LEAVES_NAN: ("non_finite", 1, None, "lower `learning_rate`"),
}
"""What a trainer does -> code, attempts, field, and a part of the message."""


def test_failures_have_a_code_and_are_tried_again_where_that_may_help(fleet: Fleet) -> None:
    jobs = {behaviour: add_job(fleet.engine, seed=behaviour) for behaviour in FAILURES}
    other = add_job(fleet.engine)
    fleet.start()
    fleet.wait(other, "succeeded")
    for behaviour, (code, attempts, param, said) in FAILURES.items():
        failed = fleet.wait(jobs[behaviour], "failed")
        assert (failed.error_code, failed.attempts, failed.error_param) == (code, attempts, param)
        assert failed.error_message and said in failed.error_message


def test_the_trainer_dies_with_its_supervisor(fleet: Fleet) -> None:
    job_id = add_job(fleet.engine, seed=HANGS)
    supervisor = fleet.start()
    until(lambda: job(fleet.engine, job_id).step == 2)
    trainer = fleet.trainer()
    supervisor.kill()
    supervisor.wait()
    until(lambda: not is_alive(trainer))


def test_a_stopped_supervisor_loses_the_job_and_its_trainer_ends_itself(fleet: Fleet) -> None:
    job_id = add_job(fleet.engine, steps=100, seed=HOLDS)
    # As short as a lease may be that a busy machine does not lose by itself.
    fleet.set("INFRAMIND_LEASE_SECONDS", "10")
    supervisor = fleet.start()
    until(lambda: job(fleet.engine, job_id).step == HELD)
    trainer = fleet.trainer()
    supervisor.send_signal(signal.SIGSTOP)
    until(lambda: not is_alive(trainer))
    fleet.set("INFRAMIND_LEASE_SECONDS", str(HANG_SECONDS))
    fleet.start("w1")
    until(lambda: job(fleet.engine, job_id).fence == 2)
    supervisor.send_signal(signal.SIGCONT)
    fleet.wait(job_id, "succeeded")
    check_success(fleet.engine, job_id, [("sft", 100), ("evaluate", 4)])


def test_the_trainer_sees_no_secret(fleet: Fleet) -> None:
    fleet.set("SERVICE_DATABASE_URL", "postgresql://user:secret@db/x")
    fleet.set("AWS_SECRET_ACCESS_KEY", "secret")
    fleet.set(
        "INFRAMIND_JUDGE_API_KEY", "secret"
    )  # for an evaluation that asks a judge model, and this one does not
    job_id = add_job(fleet.engine, seed=HOLDS)
    fleet.start()
    until(lambda: job(fleet.engine, job_id).step == HELD)
    environment = Path(f"/proc/{fleet.trainer()}/environ").read_bytes()
    assert (
        b"PATH=" in environment
        and b"secret" not in environment
        and b"INFRAMIND_DATA" not in environment
    )


def test_f8_a_trainer_that_is_stopped_while_its_supervisor_lives_is_a_stall(fleet: Fleet) -> None:
    # Five times as long as a trainer takes to start on this machine, at its speed of now.
    began = time.monotonic()
    first = add_job(fleet.engine, steps=4)
    fleet.start("w0")
    until(lambda: job(fleet.engine, first).step)
    fleet.set("INFRAMIND_STALL_SECONDS", str(5 * (time.monotonic() - began)))
    fleet.wait(first, "succeeded")
    fleet.supervisors["w0"].terminate()
    job_id = add_job(fleet.engine, steps=60, seed=HOLDS)
    fleet.start("w1")
    until(lambda: job(fleet.engine, job_id).step == HELD)
    os.kill(fleet.trainer("w1"), signal.SIGSTOP)
    fleet.wait(job_id, "succeeded")
    told = events(fleet.engine, job_id)
    assert [event.data["code"] for event in told if event.code == "requeued"] == ["trainer_stalled"]
    assert next(event for event in told if event.code == "resumed").data["step"] >= 8
    assert job(fleet.engine, job_id).failures == 1
    check_success(fleet.engine, job_id, [("sft", 60), ("evaluate", 4)])


def test_f13_a_worker_whose_clock_jumps_loses_nothing(fleet: Fleet, tmp_path: Path) -> None:
    jumpy = tmp_path / "jumpy"
    jumpy.mkdir()
    (jumpy / "sitecustomize.py").write_text(
        "import time\nreal = time.time\n"
        "time.time = lambda: real() + (86400 if int(real()) % 2 else -86400)\n"
    )
    fleet.set("PYTHONPATH", f"{jumpy}:{ROOT}")
    job_id = add_job(fleet.engine, steps=60)
    fleet.start()
    fleet.wait(job_id, "succeeded")
    assert [event.code for event in events(fleet.engine, job_id)].count("claimed") == 1
    check_success(fleet.engine, job_id, [("sft", 60), ("evaluate", 4)])


def overtaken(fleet: Fleet, job_id: str, fence: int) -> bool:
    """Whether another worker has claimed the job; until then its lease is ended early."""
    with writing(fleet.engine) as session:
        session.execute(
            update(Job).where(Job.id == job_id, Job.fence == fence).values(lease_until=None)
        )
    return job(fleet.engine, job_id).fence > fence


def test_f14_a_lease_that_ends_early_doubles_work_and_no_result(fleet: Fleet) -> None:
    """What a jump of the database's clock does."""
    job_id = add_job(fleet.engine, steps=60, seed=HOLDS_TWICE)
    fleet.start("w0"), fleet.start("w1")
    for fence, step in HELD_AT[HOLDS_TWICE].items():
        until(
            lambda at=(fence, step): (
                (now := job(fleet.engine, job_id)).fence == at[0] and now.step == at[1]
            )
        )
        # Its holder renews a lease that still is its own: the clock is ahead until the other worker
        # has seen it.
        until(lambda least=fence: overtaken(fleet, job_id, least))
    fleet.wait(job_id, "succeeded")
    check_success(fleet.engine, job_id, [("sft", 60), ("evaluate", 4)])


@pytest.mark.parametrize(
    ("behaviour", "code"), [(FULL_ONCE, "no_space"), (BAD_DISK_ONCE, "internal_error")]
)
def test_f15_a_disk_that_fails_costs_no_step(fleet: Fleet, behaviour: int, code: str) -> None:
    job_id = add_job(fleet.engine, seed=behaviour)
    fleet.start()
    if behaviour == FULL_ONCE:
        paused = fleet.wait(job_id, "paused")
        assert (paused.error_code, paused.failures) == (code, 0)
        assert desk(fleet.engine).resume(job_id).error is None
    fleet.wait(job_id, "succeeded")
    check_success(fleet.engine, job_id)
    assert (
        next(event for event in events(fleet.engine, job_id) if event.code == "resumed").data[
            "step"
        ]
        == 4
    )


def test_f15_an_attempt_that_would_fill_the_disk_does_not_start(fleet: Fleet) -> None:
    fleet.set("INFRAMIND_MIN_FREE_BYTES", str(1 << 60))
    job_id = add_job(fleet.engine)
    fleet.start()
    paused = fleet.wait(job_id, "paused")
    assert (paused.error_code, paused.step) == ("no_space", 0)
    assert "free some space" in (paused.error_message or "")
    assert desk(fleet.engine).resume(job_id).state == "queued"


def test_f20_a_job_that_always_crashes_keeps_no_other_from_its_end(fleet: Fleet) -> None:
    poison = add_job(fleet.engine, seed=CRASHES)
    others = [add_job(fleet.engine, steps=4) for _ in range(4)]
    fleet.start()
    for job_id in others:
        fleet.wait(job_id, "succeeded")
    failed = fleet.wait(poison, "failed")
    assert (failed.failures, failed.infra_failures) == (3, 0)


def test_a_paused_job_goes_on_from_its_checkpoint(fleet: Fleet) -> None:
    job_id = add_job(fleet.engine, steps=60, seed=HOLDS)
    fleet.start()
    until(lambda: job(fleet.engine, job_id).step == HELD)
    desk(fleet.engine).pause(job_id)
    paused = fleet.wait(job_id, "paused")
    desk(fleet.engine).resume(job_id)
    fleet.wait(job_id, "succeeded")
    assert (
        next(event for event in events(fleet.engine, job_id) if event.code == "resumed").data[
            "step"
        ]
        >= paused.step
    )
    check_success(fleet.engine, job_id, [("sft", 60), ("evaluate", 4)])


def test_a_running_job_ends_at_its_deadline(fleet: Fleet) -> None:
    job_id = add_job(fleet.engine, seed=HOLDS)
    fleet.start()
    with writing(fleet.engine) as session:
        soon = database_now(session) + 20.0
        session.execute(update(Job).where(Job.id == job_id).values(deadline_at=soon))
    assert fleet.wait(job_id, "failed").error_code == "deadline_exceeded"
    until(lambda: not children(fleet.supervisors["w0"].pid))


def test_killed_at_random_steps_jobs_end_once_with_the_right_result(fleet: Fleet) -> None:
    """Nemesis: kill -9 of trainers and supervisors, stops and drains, seeded."""
    rng = random.Random(7)
    jobs = [add_job(fleet.engine, steps=48, max_attempts=50) for _ in range(5)]
    names = ["w0", "w1"]
    for name in names:
        fleet.start(name)
    for _ in range(12):
        name = rng.choice(names)
        revive(fleet, name)
        # Whatever the machine's speed, a fault finds a worker at work, or nothing is left to do.
        until(lambda name=name: is_at_work(fleet, name, jobs))
        time.sleep(rng.uniform(0.0, 0.9))
        disturb(fleet, name, rng.choice(["supervisor", "trainer", "trainer", "drain", "pause"]))
    for name in names:
        # One that drains would be gone in a moment, and nobody would start it again.
        fleet.supervisors[name].send_signal(signal.SIGCONT)
        fleet.supervisors[name].terminate()
        fleet.supervisors[name].wait(HANG_SECONDS)
        fleet.start(name)
    for job_id in jobs:
        fleet.wait(job_id, "succeeded")
        check_success(fleet.engine, job_id, [("sft", 48), ("evaluate", 4)])
    assert sum(job(fleet.engine, job_id).attempts for job_id in jobs) > len(jobs)


def is_at_work(fleet: Fleet, name: str, jobs: list[str]) -> bool:
    """Whether the worker has a trainer, or no job is left for it."""
    revive(fleet, name)
    rows = [job(fleet.engine, job_id) for job_id in jobs]
    if any(row.device == name and row.state == "running" for row in rows):
        return bool(children(fleet.supervisors[name].pid))
    return all(row.state in ("succeeded", "running") for row in rows)


def disturb(fleet: Fleet, name: str, action: str) -> None:
    supervisor = fleet.supervisors[name]
    if action == "trainer":
        for trainer in children(supervisor.pid):
            os.kill(trainer, signal.SIGKILL)
    elif action == "pause":
        # Before it is stopped, which may be in a transaction.
        end_leases(fleet, name)
        supervisor.send_signal(signal.SIGSTOP)
    elif action == "supervisor":
        supervisor.kill()
        supervisor.wait()
        end_leases(fleet, name)
    else:
        supervisor.terminate()
    revive(fleet, name, also_paused=action != "pause")


def end_leases(fleet: Fleet, device: str) -> None:
    """Does what a watch does where a lease is short: another worker takes the jobs over."""
    mine = update(Job).where(Job.device == device, Job.state == "running")
    with writing(fleet.engine) as session:
        session.execute(mine.values(lease_until=None))


def revive(fleet: Fleet, name: str, *, also_paused: bool = True) -> None:
    if also_paused:
        fleet.supervisors[name].send_signal(signal.SIGCONT)
    if fleet.supervisors[name].poll() is not None:
        fleet.start(name)
