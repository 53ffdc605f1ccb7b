"""The trainer goes on only as long as somebody has allowed it to, whatever becomes of the database and of files."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from app.artifacts import Artifacts
from app.jobs import lease
from app.settings import Settings
from tests.support.fleet import add_job
from tests.support.waiting import HANG_SECONDS
from workers.attempt import LEASE_SHARE, Attempt
from workers.trainer import EXIT_LEASE_LOST, deadline_file

WATCH = "import sys; from pathlib import Path; from workers.trainer import watch_deadline; watch_deadline(Path(sys.argv[1]))"


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
    """The trainer once started without one, and its watch ended with an error: nothing would have stopped it."""

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
        pipeline="tests.support.stand_in:run",
    )
    attempt = Attempt(engine, given, Artifacts.of(given), held, lambda: False)
    latest = time.monotonic() + LEASE_SHARE * given.lease_seconds
    attempt.run()
    assert float(deadline_file(tmp_path / "artifacts" / job_id / "1").read_text()) <= latest
