"""Real supervisors and trainers on one database, for tests to disturb."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from typing import Any

from sqlalchemy import Engine, select, update

from app.artifacts import Artifacts
from app.db.ownership import acting
from app.db.session import make_engine, reading, writing
from app.db.tables import Job, JobEvent
from app.job_state import TERMINAL
from app.jobs import lease
from app.jobs.service import JobService
from app.jobs.spec import JobSpec
from app.jobs.views import JobView
from app.settings import Settings
from tests.support import ROOT
from tests.support.stand_in import GO_ON
from tests.support.waiting import HANG_SECONDS, until
from workers.supervisor import BEAT_SECONDS


def add_job(engine: Engine, *, steps: int = 12, seed: int = 0, max_attempts: int = 3) -> str:
    """Sends a job of two stages: sft and evaluate."""
    stages = [
        {"stage": "sft", "max_steps": steps},
        {"stage": "evaluate", "tasks": 3, "new_family_tasks": 1},
    ]
    spec = JobSpec.model_validate({"base_model": "inframind-nano", "stages": stages, "seed": seed})
    return submit(engine, spec, max_attempts=max_attempts).id


def desk(engine: Engine, **settings: Any) -> JobService:
    """The front desk, which wakes nobody."""
    given = Settings(**settings)
    return JobService(engine, given, Artifacts.of(given))


def submit(
    engine: Engine,
    spec: JobSpec,
    key: str | None = None,
    *,
    owner: str | None = None,
    **settings: Any,
) -> JobView:
    """A job of an owner, made at the front desk."""
    token = acting.set(replace(acting.get(), owner=owner))
    try:
        return desk(engine, **settings).submit(spec, key)
    finally:
        acting.reset(token)


def job(engine: Engine, job_id: str) -> Job:
    with reading(engine) as session:
        return session.get_one(Job, job_id)


def events(engine: Engine, job_id: str) -> list[JobEvent]:
    with reading(engine) as session:
        return list(
            session.scalars(
                select(JobEvent).where(JobEvent.job_id == job_id).order_by(JobEvent.seq)
            )
        )


def wait_for(engine: Engine, job_id: str, *states: str) -> Job:
    """Gives the job when it is in one of the states; fails at once when it has ended in another."""
    now = until(lambda: (row := job(engine, job_id)).state in {*states, *TERMINAL} and row)
    assert now.state in states, (now.state, now.error_code, now.error_message)
    return now


def end_lease(engine: Engine, job_id: str) -> None:
    """Takes the lease of a job away, instead of waiting until a watch has seen it unchanged."""
    with writing(engine) as session:
        session.execute(update(Job).where(Job.id == job_id).values(lease_until=None))


@contextmanager
def living_worker(engine: Engine) -> Iterator[None]:
    """Gives the signs of life of a worker that does nothing else."""
    ended = Event()

    def beat() -> None:
        while True:
            lease.report_alive(engine, "living", "host", "device")
            if ended.wait(BEAT_SECONDS):
                return

    thread = Thread(target=beat)
    thread.start()
    yield
    ended.set()
    thread.join()


def let_go(artifacts: Path, job_id: str, attempt: int = 1) -> None:
    """Lets the stand-in go on that holds a job at a step."""
    (artifacts / job_id / str(attempt) / GO_ON).touch()


def is_alive(pid: int) -> bool:
    """Tells whether a process runs and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def children(pid: int) -> list[int]:
    """Finds the live child processes of a process."""
    pids = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            pids += [int(child) for child in task.read_text().split()]
        except OSError:
            continue
    return [child for child in pids if is_alive(child)]


class Fleet:
    """Runs supervisors by name, whose trainers run the stand-in.

    No machine is so slow that it loses a lease or a trainer's time to stop, unless a test sets
    shorter ones with `set`.
    """

    def __init__(self, folder: Path, url: str, lease_seconds: float = HANG_SECONDS) -> None:
        self.folder = folder
        self.engine = make_engine(url)
        self.supervisors: dict[str, subprocess.Popen[bytes]] = {}
        self._env = {
            **os.environ,
            "INFRAMIND_DATA_DIR": str(folder),
            "INFRAMIND_DATABASE_URL": url,
            "INFRAMIND_LEASE_SECONDS": str(lease_seconds),
            "INFRAMIND_POLL_SECONDS": "0.1",
            "INFRAMIND_GRACE_SECONDS": str(HANG_SECONDS),
            "INFRAMIND_MIN_FREE_BYTES": "0",
            "PYTHONPATH": str(ROOT),
        }

    def set(self, name: str, value: str) -> None:
        """Sets a variable of the supervisors' environment."""
        self._env[name] = value

    def start(self, name: str = "w0") -> subprocess.Popen[bytes]:
        log = (self.folder / f"{name}.log").open("ab")
        command = [sys.executable, "-m", "tests.support.stand_in_supervisor", "--device", name]
        with log:
            self.supervisors[name] = subprocess.Popen(
                command, env=self._env, stderr=log, stdout=log
            )
        return self.supervisors[name]

    def trainer(self, name: str = "w0") -> int:
        """Waits for the supervisor's trainer, and gives its process id."""
        return int(until(lambda: children(self.supervisors[name].pid))[0])

    def wait(self, job_id: str, *states: str) -> Job:
        """Waits for the job to be in one of the states."""
        return wait_for(self.engine, job_id, *states)

    def close(self) -> None:
        for process in self.supervisors.values():
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()
        self.engine.dispose()
