"""How fast and how small the verifier is: `python benchmarks/verifier.py [--workers 2] [--checks 6000]`. Prints JSON.

Texts are the bench's held-out reference answers, and as many cut, mixed-up or wrong ones: what a model in training writes.
"""

import argparse
import json
import os
import platform
import random
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from inframind.bench.load import load_tasks
from inframind.bench.prompt import answer
from inframind.categories import CATEGORIES
from inframind.rewards.verifier import Verifier
from inframind.types import Task, VerifyRequest


def requests(count: int, category: str | None = None) -> list[VerifyRequest]:
    """A fixed mix: half right answers, a quarter cut short, a quarter with one line taken from another answer."""
    rng = random.Random(0)
    tasks = load_tasks("test-values", categories=[category] if category else None)
    return [_request(rng, rng.choice(tasks), tasks) for _ in range(count)]


def _request(rng: random.Random, task: Task, others: Sequence[Task]) -> VerifyRequest:
    text, kind = answer(task), rng.random()
    if kind > 0.75:
        text = text[: rng.randrange(len(text))]
    elif kind > 0.5:
        lines, foreign = text.split("\n"), answer(rng.choice(others)).split("\n")
        lines[rng.randrange(len(lines))] = rng.choice(foreign)
        text = "\n".join(lines)
    return VerifyRequest(text=text, category=task.category, checks=task.checks, format="answer", id=task.id)


def throughput(verifier: Verifier, batch: Sequence[VerifyRequest]) -> float:
    """Checks per second over all workers."""
    started = time.perf_counter()
    verifier.verify_many(batch)
    return round(len(batch) / (time.perf_counter() - started), 1)


def latencies(verifier: Verifier, batch: Sequence[VerifyRequest], callers: int) -> dict[str, float]:
    """Milliseconds of single checks, asked for by as many threads as there are workers."""

    def timed(request: VerifyRequest) -> float:
        started = time.perf_counter()
        verifier.verify(request)
        return (time.perf_counter() - started) * 1000

    with ThreadPoolExecutor(callers) as threads:
        times = sorted(threads.map(timed, batch))
    return {
        "p50_ms": round(statistics.median(times), 3),
        "p99_ms": round(times[int(len(times) * 0.99)], 3),
        "max_ms": round(times[-1], 3),
    }


def resident_mb(pid: int) -> float:
    """Memory that a process holds now."""
    status = Path(f"/proc/{pid}/status").read_text()
    return round(int(status.split("VmRSS:")[1].split()[0]) / 1024, 1)


def cold(category: str) -> dict[str, float]:
    """First check of a fresh worker, from nothing, and the worker's memory after it."""
    request = requests(1, category)[0]
    with Verifier(workers=1) as verifier:
        started = time.perf_counter()
        verifier.verify(request)
        elapsed = (time.perf_counter() - started) * 1000
        return {"first_check_ms": round(elapsed, 1), "resident_mb": resident_mb(verifier.process_ids()[0])}


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--checks", type=int, default=6000)
    options = parser.parse_args()
    batch = requests(options.checks)
    report: dict[str, object] = {"cold": {category: cold(category) for category in CATEGORIES}}
    with Verifier(options.workers) as verifier:
        throughput(verifier, batch[:600])
        report["checks_per_second"] = throughput(verifier, batch)
        report["by_category"] = {category: throughput(verifier, requests(1000, category)) for category in CATEGORIES}
        report["single_checks"] = latencies(verifier, batch[:2000], options.workers)
        report["resident_mb_all_categories"] = max(resident_mb(pid) for pid in verifier.process_ids())
    report["workers"], report["cores"], report["machine"] = options.workers, os.cpu_count(), platform.machine()
    report["python"], report["load_average"] = platform.python_version(), os.getloadavg()[0]
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
