"""Measure what verification buys at inference.

Usage: `python benchmarks/verified_generation.py [--tasks 60] [--train]`. Prints JSON.

Asks `POST /generate` of the embedded service for held-out tasks (difficulty 1 and 2, values never
trained on) with `best_of` 1 to 16 and `repair` 0 to 2, and counts what passes, how long it takes
and how many tokens it costs. `--train` trains an adapter by a short SFT job first and asks that
one; without it the bundled base model is asked. One client: latencies are those of a free server.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.job_state import TERMINAL
from inframind.bench.load import load_tasks
from inframind.statistics.intervals import wilson
from inframind.types import Task
from workers.demo.__main__ import HOST, STOP_SECONDS, DemoService
from workers.process import spawn, stop
from workers.up import free_port

JOB = {"base_model": "inframind-nano", "stages": [{"stage": "sft"}]}
SEARCHES = [(n, 0) for n in (1, 2, 4, 8, 16)] + [(1, 1), (1, 2), (4, 1)]
"""`best_of` and `repair`."""
TEMPERATURE, MAX_TOKENS = 0.8, 256


def trained(client: DemoService) -> str:
    """An adapter of a short job."""
    job_id = client.call("POST", "/jobs", JOB)["id"]
    while (job := client.call("GET", f"/jobs/{job_id}"))["state"] not in TERMINAL:
        time.sleep(0.5)
    adapter: str = job["adapters"][-1]
    return adapter


def measured(
    client: DemoService, model: str, tasks: Sequence[Task], best_of: int, repair: int
) -> dict[str, Any]:
    """One line of the table."""
    passed, seconds, tokens, attempts = 0, [], 0, 0
    for task in tasks:
        body = {
            "model": model,
            "instruction": task.instruction,
            "input": task.input,
            "category": task.category,
            "verify": True,
            "checks": [
                check.model_dump(mode="json", exclude_defaults=True) for check in task.checks
            ],
            "best_of": best_of,
            "repair": repair,
            "temperature": TEMPERATURE,
            "max_tokens": MAX_TOKENS,
        }
        started = time.perf_counter()
        generation = client.call("POST", "/generate", body)
        seconds.append(time.perf_counter() - started)
        passed += generation["choices"][0]["verdict"]["verdict"] == "pass"
        tokens += generation["usage"]["completion_tokens"]
        attempts += generation["attempts"]
    low, high = wilson(passed, len(tasks))
    return {
        "best_of": best_of,
        "repair": repair,
        "pass_rate": round(passed / len(tasks), 4),
        "ci95": [round(low, 4), round(high, 4)],
        "latency_p50_seconds": round(statistics.median(seconds), 3),
        "latency_mean_seconds": round(statistics.mean(seconds), 3),
        "completion_tokens_per_task": round(tokens / len(tasks), 1),
        "finished_answers_per_task": round(attempts / len(tasks), 2),
    }


def main() -> None:
    """Ask with every setting and print the table as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=60)
    parser.add_argument("--train", action="store_true", help="Train an adapter first.")
    options = parser.parse_args()
    tasks = load_tasks("test-values", max_difficulty=2, limit=options.tasks)
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
            model = trained(client) if options.train else JOB["base_model"]
            rows = [measured(client, str(model), tasks, *search) for search in SEARCHES]
        finally:
            stop(service, STOP_SECONDS)
    machine = {
        "cores": len(os.sched_getaffinity(0)),
        "machine": platform.machine(),
        "load_average": os.getloadavg()[0],
    }
    print(
        json.dumps(
            {
                "model": "sft" if options.train else model,
                "tasks": len(tasks),
                "rows": rows,
                **machine,
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
