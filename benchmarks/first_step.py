"""Measure the seconds from a worker's claim of a job to its first training step.

Usage: `python benchmarks/first_step.py [--jobs 5]`. Prints JSON.

Starts the embedded service in a temporary folder and sends jobs of one step each over HTTP, as a
user would.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from app.job_state import TERMINAL
from workers.demo.__main__ import HOST, STOP_SECONDS, DemoService
from workers.process import spawn, stop
from workers.up import free_port

JOB = {"base_model": "inframind-nano", "stages": [{"stage": "sft", "max_steps": 1}]}


def seconds_to_first_step(client: DemoService) -> float:
    """One job: from the event `claimed` to the report of step 1, both by the database's clock."""
    job_id = client.call("POST", "/jobs", JOB)["id"]
    while client.call("GET", f"/jobs/{job_id}")["state"] not in TERMINAL:
        time.sleep(0.2)
    events = client.call("GET", f"/jobs/{job_id}/events")["data"]
    claimed: float = next(event["at"] for event in events if event["code"] == "claimed")
    first: float = client.call("GET", f"/jobs/{job_id}/metrics")["data"][0]["at"]
    return first - claimed


def main() -> None:
    """Run the jobs one after another and print the seconds as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        port, log = free_port(HOST), Path(folder) / "up.log"
        with log.open("wb") as output:
            service = spawn(
                "workers.up",
                "--data-dir",
                folder,
                "--host",
                HOST,
                "--port",
                str(port),
                env=dict(os.environ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            client = DemoService(f"http://{HOST}:{port}", service, log)
            client.wait_until_ready()
            seconds = [seconds_to_first_step(client) for _ in range(options.jobs)]
        finally:
            stop(service, STOP_SECONDS)
    report = {
        "median_seconds": round(statistics.median(seconds), 2),
        "all": [round(value, 2) for value in seconds],
    }
    print(
        json.dumps(
            {**report, "cores": len(os.sched_getaffinity(0)), "machine": platform.machine()},
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
