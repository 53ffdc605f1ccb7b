"""Measure how fast and how small the verifier is.

Usage: `python benchmarks/verifier.py [--workers 2] [--checks 6000]`. Prints JSON.

Texts are the bench's held-out reference answers and the categories' good examples, and as many cut,
mixed-up or wrong ones: what a model in training writes. `all` is every category but CloudFormation.
The processor's time per check does not depend on what else the machine does; the rates and
latencies do.
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
from dataclasses import dataclass
from pathlib import Path

from inframind.bench.load import load_tasks
from inframind.bench.prompt import answer
from inframind.categories import CATEGORIES
from inframind.types import Check, VerifyRequest
from inframind.verifier.verifier import Verifier

LARGE = "cloudformation"
"""Has a goal of its own: 60 checks a second."""


@dataclass(frozen=True)
class Sample:
    """A right text, and what it is checked for."""

    category: str
    text: str
    checks: tuple[Check, ...] = ()


def samples(name: str) -> list[Sample]:
    """The reference answers of a category and its good examples."""
    texts = [path.read_text() for path in CATEGORIES[name].examples("good")]
    references = [
        Sample(name, answer(task), task.checks)
        for task in load_tasks("test-values", categories=[name])
    ]
    return references + [
        Sample(name, f"```\n{text.rstrip()}\n```\n") for text in texts if "```" not in text
    ]


def requests(count: int, category: str | None = None) -> list[VerifyRequest]:
    """A fixed mix: half right answers, a quarter cut short, a quarter with one line taken from
    another answer.
    """
    rng = random.Random(0)
    names = [category] if category else [name for name in CATEGORIES if name != LARGE]
    mix = [samples(name) for name in names]
    return [
        _request(rng, rng.choice(category_samples), category_samples)
        for category_samples in (rng.choice(mix) for _ in range(count))
    ]


def _request(rng: random.Random, sample: Sample, others: Sequence[Sample]) -> VerifyRequest:
    text, kind = sample.text, rng.random()
    if kind > 0.75:
        text = text[: rng.randrange(len(text))]
    elif kind > 0.5:
        lines, foreign = text.split("\n"), rng.choice(others).text.split("\n")
        lines[rng.randrange(len(lines))] = rng.choice(foreign)
        text = "\n".join(lines)
    return VerifyRequest(text=text, category=sample.category, checks=sample.checks, format="answer")


def processor_seconds(pids: Sequence[int]) -> float:
    """Time that processes had on a processor so far (proc(5))."""
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(field[11]) + int(field[12]) for field in fields) / os.sysconf("SC_CLK_TCK")


def throughput(verifier: Verifier, batch: Sequence[VerifyRequest]) -> dict[str, float]:
    """Checks per second over all workers, and milliseconds of processor time that a check costs in
    the workers and here.
    """
    before, own, started = (
        processor_seconds(verifier.process_ids()),
        time.process_time(),
        time.perf_counter(),
    )
    verifier.verify_many(batch)
    seconds, own = time.perf_counter() - started, time.process_time() - own
    workers = processor_seconds(verifier.process_ids()) - before
    return {
        "checks_per_second": round(len(batch) / seconds, 1),
        "worker_ms_per_check": round(workers / len(batch) * 1000, 3),
        "caller_ms_per_check": round(own / len(batch) * 1000, 3),
    }


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
        return {
            "first_check_ms": round(elapsed, 1),
            "resident_mb": resident_mb(verifier.process_ids()[0]),
        }


def warm(category: str, workers: int) -> dict[str, float]:
    """One category in workers of its own that have seen every text before."""
    batch = requests(600, category)
    with Verifier(workers) as verifier:
        verifier.verify_many(batch + batch)
        return throughput(verifier, batch) | latencies(verifier, batch, workers)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--checks", type=int, default=6000)
    options = parser.parse_args()
    batch = requests(options.checks)
    report: dict[str, object] = {"cold": {category: cold(category) for category in CATEGORIES}}
    with Verifier(options.workers) as verifier:
        verifier.verify_many(batch)
        report["all"] = throughput(verifier, batch) | latencies(
            verifier, batch[:2000], options.workers
        )
        report["resident_mb_all"] = max(resident_mb(pid) for pid in verifier.process_ids())
    report["by_category"] = {category: warm(category, options.workers) for category in CATEGORIES}
    report["workers"], report["cores"], report["machine"] = (
        options.workers,
        os.cpu_count(),
        platform.machine(),
    )
    report["python"], report["load_average"] = platform.python_version(), os.getloadavg()[0]
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
