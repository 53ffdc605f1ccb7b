"""What a trainer reports, and what stands in a job's rows, is that job's affair alone."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from app.artifacts import Artifacts
from app.jobs import lease, service
from app.jobs.lease import Claim
from app.settings import Settings
from app.views import PageRequest
from tests.support.fleet import Fleet, add_job, events, job
from tests.support.outcome import check_refused, check_success
from tests.support.stand_in import (
    FLOOD,
    FLOODS,
    FLOODS_STEPS,
    POISON,
    POISONOUS,
    QUOTES_BYTES,
)
from tests.support.stand_in_trainer import MODULE as STAND_IN
from workers import event_budget
from workers.attempt import Attempt
from workers.held_lease import HeldLease


def test_a_report_that_cannot_be_stored_fails_its_job_and_nothing_else(fleet: Fleet) -> None:
    """The supervisor once ended with the database's error, again and again."""
    poisoned = [add_job(fleet.engine, seed=POISONOUS + number) for number in range(len(POISON))]
    honest = add_job(fleet.engine)
    supervisor = fleet.start()
    for job_id in poisoned:
        fleet.wait(job_id, "failed")
        check_refused(fleet.engine, job_id)
    fleet.wait(honest, "succeeded")
    check_success(fleet.engine, honest)
    assert supervisor.poll() is None


def test_an_honest_trainer_may_quote_any_byte(fleet: Fleet) -> None:
    """Its own code and message once were lost with the supervisor."""
    job_id = add_job(fleet.engine, seed=QUOTES_BYTES)
    fleet.start()
    failed = fleet.wait(job_id, "failed")
    said = (failed.error_code, failed.error_message, failed.error_param)
    assert said == ("invalid_config", "a file with \ufffd and \ufffd", "dataset\ufffd")
    quoted = next(event for event in events(fleet.engine, job_id) if event.code == "quoted")
    assert quoted.message == "it said \ufffd\ufffd"
    assert quoted.data == {"answers": ["\ufffd", "\ufffd"]}


def test_a_flood_of_events_is_thinned_with_a_count_and_loses_no_lease(fleet: Fleet) -> None:
    """Each was a transaction of its own, and the lease was renewed after 64 KB of them."""
    job_id = add_job(fleet.engine, seed=FLOODS)
    # As short as a lease may be that a busy machine does not lose by itself.
    fleet.set("INFRAMIND_LEASE_SECONDS", "10")
    fleet.start()
    fleet.wait(job_id, "succeeded")
    check_success(fleet.engine, job_id)
    told = events(fleet.engine, job_id)
    assert [event.code for event in told].count("claimed") == 1
    written = [event for event in told if event.code == "flood"]
    left_out = [event.data["count"] for event in told if event.code == "events_left_out"]
    assert len(written) + sum(left_out) == FLOOD
    assert event_budget.BURST <= len(written) < FLOOD / 10
    assert f"{left_out[0]} events of the trainer were left out" in next(
        event.message for event in told if event.code == "events_left_out"
    )


def test_a_flood_of_steps_is_written_and_loses_no_lease(fleet: Fleet) -> None:
    job_id = add_job(fleet.engine, seed=FLOODS_STEPS)
    fleet.set("INFRAMIND_LEASE_SECONDS", "10")
    fleet.start()
    fleet.wait(job_id, "succeeded")
    check_success(fleet.engine, job_id)
    assert job(fleet.engine, job_id).attempts == 1
    last = service.list_metrics(fleet.engine, job_id, PageRequest(after=f"0-{FLOOD - 2}")).data
    assert [metric.step for metric in last if metric.stage_index == 0] == [FLOOD - 1, FLOOD]


BROKEN_STAGES = {
    "another version's": '[{"stage": "distil", "max_steps": 4}]',
    "none": "[]",
    "no list": '{"stage": "sft"}',
    "no objects": '["sft", 1]',
    "null": "null",
    "no JSON": "[{",
}


def test_a_job_whose_rows_cannot_be_read_is_failed(fleet: Fleet) -> None:
    """The first claim of it once ended the supervisor, and so did every later one."""
    broken = {}
    for name, stages in BROKEN_STAGES.items():
        # PostgreSQL keeps the syntax of a JSON column right.
        if name != "no JSON" or fleet.engine.dialect.name == "sqlite":
            broken[name] = add_job(fleet.engine)
            with fleet.engine.begin() as connection:
                row = {"stages": stages, "id": broken[name]}
                connection.execute(text("UPDATE jobs SET spec = :stages WHERE id = :id"), row)
    orphan = add_job(fleet.engine)
    with fleet.engine.begin() as connection:
        connection.execute(
            text("UPDATE jobs SET start_from = 'im-gone' WHERE id = :id"), {"id": orphan}
        )
    honest = add_job(fleet.engine)
    supervisor = fleet.start()
    fleet.wait(honest, "succeeded")
    for name, job_id in {**broken, "orphan": orphan}.items():
        state, code, message, attempts = end_of(fleet.engine, job_id)
        assert (state, code, attempts) == ("failed", "unreadable_job", 1), (name, message)
        assert message
    assert supervisor.poll() is None


def end_of(engine: Engine, job_id: str) -> tuple[Any, ...]:
    """Reads a job's end, and none of its documents."""
    columns = "state, error_code, error_message, attempts"
    with engine.connect() as connection:
        query = text(f"SELECT {columns} FROM jobs WHERE id = :id")
        return tuple(connection.execute(query, {"id": job_id}).one())


def attempt_at(engine: Engine, folder: Path, claim: Claim) -> Attempt:
    configured = Settings(data_dir=folder, min_free_bytes=0)
    artifacts = Artifacts.of(configured)
    return Attempt(engine, configured, artifacts, claim, lambda: False, STAND_IN)


def claimed(engine: Engine) -> Claim:
    claim = lease.claim(engine, "w", "gpu", 60.0)
    assert claim is not None
    return claim


def test_an_error_that_nobody_foresaw_counts_as_a_failed_attempt(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret \x00 text")

    job_id = add_job(engine, max_attempts=1)
    monkeypatch.setattr(Artifacts, "push", broken)
    attempt_at(engine, tmp_path, claimed(engine)).run()
    failed = job(engine, job_id)
    assert (failed.state, failed.error_code) == ("failed", "internal_error")
    assert failed.error_message and "RuntimeError" in failed.error_message
    assert "secret" not in failed.error_message


def test_an_attempt_whose_end_cannot_be_written_ends_no_worker(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError

    job_id = add_job(engine)
    monkeypatch.setattr(HeldLease, "write", broken)
    attempt_at(engine, tmp_path, claimed(engine)).run()
    assert job(engine, job_id).state == "running", "its lease runs out, and the job is taken back"
