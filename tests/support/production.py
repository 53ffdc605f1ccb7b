"""The production service as its real processes, on real PostgreSQL and Redis.

The api, the reconciler and the workers' own code are the product's; jobs run the stand-in.
"""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select

from app import keys
from app.db.session import make_engine, reading
from app.db.tables import Job, Worker
from tests.support import ROOT
from tests.support.fleet import children, job, wait_for
from tests.support.http import connect
from tests.support.servers import Postgres, Redis, free_port
from tests.support.waiting import HANG_SECONDS, until

WORKER = "tests.support.stand_in_worker"


class Production:
    """Runs processes by name: `api`, `reconciler`, and workers whose devices have their names."""

    def __init__(
        self, postgres: Postgres, redis: Redis, lease_seconds: float = HANG_SECONDS
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="inframind-production-"))
        self.url = postgres.new_database()
        self.engine = make_engine(self.url)
        self.port = free_port()
        key = keys.create(self.engine, ["admin", "train", "generate"])
        base = f"http://127.0.0.1:{self.port}"
        self.http = connect(base, headers={"Authorization": f"Bearer {key}"})
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.env = {
            **os.environ,
            "INFRAMIND_DATA_DIR": str(self.folder),
            "INFRAMIND_DATABASE_URL": self.url,
            "INFRAMIND_REDIS_URL": redis.url,
            "INFRAMIND_LEASE_SECONDS": str(lease_seconds),
            "INFRAMIND_GRACE_SECONDS": str(HANG_SECONDS),
            "INFRAMIND_POLL_SECONDS": "0.05",
            "INFRAMIND_MAX_ATTEMPTS": "50",
            "INFRAMIND_RATE_LIMIT": "100000/minute",
            "INFRAMIND_MIN_FREE_BYTES": "0",
            # Two trainers share the cores with everything else.
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(ROOT),
        }

    def start(self, name: str, worker: str = WORKER, **more: str) -> "subprocess.Popen[bytes]":
        """Starts a process, with more of an environment; `worker` is a worker's module."""
        if name == "api":
            command = ("workers.api", "--port", str(self.port))
        elif name == "reconciler":
            command = ("workers.reconciler",)
        else:
            command = (worker,)
        env = {**self.env, "INFRAMIND_DEVICE": name, **more}
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", *command], env=env, stdout=log, stderr=log
            )
        return self.processes[name]

    def start_all(self, *workers: str) -> None:
        for name in ("api", "reconciler", *workers):
            self.start(name)
        until(self.answers)
        until(lambda: self.live() >= set(workers))

    def answers(self) -> bool:
        try:
            return self.http.get("/healthz").status_code == 200
        except httpx.HTTPError:
            return False

    def live(self) -> set[str]:
        """Names the devices whose workers gave a sign of life."""
        with reading(self.engine) as session:
            return set(session.scalars(select(Worker.device)))

    def add_job(self, steps: int = 12, seed: int = 0, **more: Any) -> str:
        stages = [
            {"stage": "sft", "max_steps": steps},
            {"stage": "evaluate", "tasks": 3, "new_family_tasks": 1},
        ]
        answer = self.http.post(
            "/jobs", json={"base_model": "inframind-nano", "stages": stages, "seed": seed, **more}
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def holder(self, job_id: str) -> str:
        """Waits for a worker to run the job, and names it."""
        return str(
            until(lambda: (now := job(self.engine, job_id)).state == "running" and now.device)
        )

    def trainer(self, name: str) -> int:
        return int(until(lambda: children(self.processes[name].pid))[0])

    def wait(self, job_id: str, *states: str) -> Job:
        """Waits for the job to be in one of the states."""
        return wait_for(self.engine, job_id, *states)

    def close(self) -> None:
        for process in self.processes.values():
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()
        self.http.close()
        self.engine.dispose()
