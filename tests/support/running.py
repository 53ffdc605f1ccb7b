"""`inframind up` as a process of its own, with its trainers and the client that asks it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from tests.support.fleet import children
from tests.support.http import connect
from tests.support.scripted_judge import single_reply
from tests.support.waiting import HANG_SECONDS, until
from workers.up import free_port

SMALL: dict[str, Any] = {"max_difficulty": 1, "lora": {"r": 8}}
ROLLOUTS = {"max_steps": 1, "prompts_per_step": 2, "num_generations": 4, "max_tokens": 64, **SMALL}
EVALUATE = {
    "stage": "evaluate",
    "tasks": 10,
    "new_family_tasks": 5,
    "max_tokens": 128,
    "max_difficulty": 1,
}


def descendants(pid: int) -> list[int]:
    """All live processes below one."""
    found = children(pid)
    return found + [below for child in found for below in descendants(child)]


def is_trainer(pid: int) -> bool:
    try:
        return b"workers.trainer" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


class Running:
    """`inframind up` and its client."""

    def __init__(self, folder: Path, judge: str) -> None:
        port = free_port("127.0.0.1")
        self.data = folder
        command = [
            sys.executable,
            "-m",
            "workers.up",
            "--data-dir",
            str(folder),
            "--port",
            str(port),
        ]
        judged = {
            "INFRAMIND_JUDGE_URL": judge,
            "INFRAMIND_JUDGE_MODEL": "scripted",
            "INFRAMIND_JUDGE_API_KEY": "sk-1",
        }
        env = {**os.environ, **judged, "INFRAMIND_LEASE_SECONDS": "5"}
        self.process = subprocess.Popen(
            command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.http = connect(f"http://127.0.0.1:{port}")
        until(self.is_ready)

    def is_ready(self) -> bool:
        try:
            return self.http.get("/readyz").status_code == 200
        except httpx.HTTPError:
            return False

    def job(self, job_id: str) -> Any:
        return self.http.get(f"/jobs/{job_id}").json()

    def submit(self, *stages: dict[str, Any]) -> str:
        accepted = self.http.post("/jobs", json={"stages": stages})
        assert accepted.status_code == 201, accepted.text
        return str(accepted.json()["id"])

    def finished(self, job_id: str) -> Any:
        until(lambda: self.job(job_id)["state"] in ("succeeded", "failed", "cancelled"))
        job = self.job(job_id)
        assert job["state"] == "succeeded", job["error"]
        return job

    def trainer(self) -> int:
        """The process that trains."""
        return next(filter(is_trainer, descendants(self.process.pid)))

    def close(self) -> None:
        self.http.close()
        self.process.terminate()
        self.process.wait(HANG_SECONDS)


def approving(body: dict[str, Any]) -> str:
    """A judge with the right key likes everything."""
    assert (
        body["authorization"] == "Bearer sk-1"
        and "A RIGHT ANSWER" in body["messages"][-1]["content"]
    )
    return single_reply(body, True)
