"""The trainer goes on only while somebody allows it to, whatever database and files do."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from app.artifacts import Artifacts
from app.jobs import lease
from app.settings import Settings
from tests.support.fleet import add_job, job
from tests.support.stand_in_trainer import MODULE as STAND_IN
from tests.support.waiting import HANG_SECONDS
from workers.attempt import Attempt
from workers.deadline import deadline_file
from workers.held_lease import TRAINERS_SHARE
from workers.pipe import EXIT_LEASE_LOST

WATCH = """
import sys
from pathlib import Path
from workers.deadline import watch_deadline
watch_deadline(Path(sys.argv[1]))
"""


@pytest.mark.parametrize("text", [None, "", "no number", "1.0"])
def test_without_a_deadline_that_lies_ahead_nobody_goes_on(
    tmp_path: Path, text: str | None
) -> None:
    file = deadline_file(tmp_path)
    if text is not None:
        file.write_text(text)
    assert (
        subprocess.run(
            [sys.executable, "-c", WATCH, str(file)], check=False, timeout=HANG_SECONDS
        ).returncode
        == EXIT_LEASE_LOST
    )


def test_a_database_that_goes_away_right_after_the_claim_leaves_the_trainer_a_deadline(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trainer once started without one: its watch failed, and nothing would have stopped it."""

    def away(*_: object) -> str:
        raise OperationalError("UPDATE jobs", {}, Exception("away"))

    job_id = add_job(engine, steps=1000)
    held = lease.claim(engine, "w", "gpu", 60.0)
    assert held is not None
    monkeypatch.setattr(lease, "heartbeat", away)
    given = Settings(
        data_dir=tmp_path,
        lease_seconds=2.0,
        min_free_bytes=0,
    )
    attempt = Attempt(engine, given, Artifacts.of(given), held, lambda: False, STAND_IN)
    latest = time.monotonic() + TRAINERS_SHARE * given.lease_seconds
    attempt.run()
    assert float(deadline_file(tmp_path / "artifacts" / job_id / "1").read_text()) <= latest


def test_a_database_that_is_away_when_the_job_is_read_is_waited_for(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The supervisor once ended with the database's error."""
    job_id = add_job(engine, steps=4)
    claim = lease.claim(engine, "w", "gpu", 60.0)
    assert claim is not None
    read, failures = lease.load_run, iter(range(3))

    def away_at_first(*arguments: Any) -> lease.Run:
        if next(failures, None) is not None:
            raise OperationalError("SELECT", {}, Exception("away"))
        return read(*arguments)

    monkeypatch.setattr(lease, "load_run", away_at_first)
    configured = Settings(data_dir=tmp_path, min_free_bytes=0)
    artifacts = Artifacts.of(configured)
    Attempt(engine, configured, artifacts, claim, lambda: False, STAND_IN).run()
    assert job(engine, job_id).state == "succeeded"
