"""Measure claims on PostgreSQL as the queue grows.

Usage: `python benchmarks/claims.py [--workers N] [--seconds S] [--queued N ...] [--full N]`.

Workers are threads that claim a job, hold it for some seconds, renew its lease as often as real
ones do, and end it: far shorter jobs than real ones, so that claims come more often. They share few
processes and connections; a real worker has its own. Then a few workers claim and end jobs without
a pause, which says how many claims the database and the client can do at most. `--full` puts jobs
of owners who may run none of them at the head of the queue.
"""

import argparse
import multiprocessing
import os
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from http_load import cpu_seconds, family
from rich.console import Console
from rich.table import Table
from sqlalchemy import text

sys.path.insert(0, str(Path(__file__).parents[1]))
from app.db.session import make_engine
from app.jobs import lease, quota
from app.jobs.transitions import finish
from tests.support.servers import Postgres

PROCESSES = 2
LEASE_SECONDS = 20.0
BEAT_SECONDS = 2.0
"""As `workers/attempt.py` renews a lease of 20 s."""
HELD_SECONDS = (2.0, 6.0)
BUSY = 4
"""Workers of each process that claim without a pause."""
MAX_RUNNING = 100
"""Jobs of one owner at a time, as a production service would limit it; every claim asks."""
QUEUE = text(
    "INSERT INTO jobs (id, state, base_model, dataset, seed, spec, metadata, created_at, "
    "priority, owner) "
    "SELECT lpad(n::text, 36, '0'), 'queued', 'inframind-nano', 'inframind-bench', 0, "
    "'[]', '{}', n, n % 3 + CAST(:more AS int), "
    "CAST(:owner AS text) || n % 50 FROM generate_series(CAST(:first AS bigint), "
    "CAST(:last AS bigint)) AS n"
)
Times = dict[str, list[float]]


@contextmanager
def timed(times: Times, name: str) -> Iterator[None]:
    """Append the milliseconds that the block took to `times[name]`."""
    began = time.perf_counter()
    yield
    times[name].append(1000 * (time.perf_counter() - began))


def work(
    url: str,
    first_id: int,
    workers: int,
    seconds: float,
    held: tuple[float, float],
    report: Callable[[Times], None],
) -> None:
    """Run one process of workers, each of which holds a job for `held` seconds (from, to).

    A job that ends leaves a new one behind, so the queue keeps its length.
    """
    engine = make_engine(url)
    times: Times = defaultdict(list)
    ids = count(first_id)
    end = time.monotonic() + seconds

    def worker(number: int) -> None:
        rng, name = random.Random(number), f"{os.getpid()}-{number}"
        time.sleep(rng.uniform(0, held[1]))
        while time.monotonic() < end:
            with timed(times, "claim"):
                mine = lease.claim(engine, name, name, LEASE_SECONDS, MAX_RUNNING)
            if mine is None:
                raise RuntimeError("no job is left")
            until = time.monotonic() + rng.uniform(*held)
            while (left := until - time.monotonic()) > 0:
                time.sleep(min(left, BEAT_SECONDS))
                with timed(times, "heartbeat"):
                    lease.heartbeat(engine, mine, LEASE_SECONDS)
            new = next(ids)
            with timed(times, "end"), lease.fenced(engine, mine) as (session, job):
                finish(session, job, "succeeded")
                session.execute(QUEUE, {"first": new, "last": new, "more": 0, "owner": "owner-"})

    with ThreadPoolExecutor(workers) as pool:
        for done in [pool.submit(worker, number) for number in range(workers)]:
            done.result()
    engine.dispose()
    report(dict(times))


def run(url: str, workers: int, seconds: float, held: tuple[float, float]) -> Times:
    """Run all worker processes and join the times that they report."""
    context = multiprocessing.get_context("spawn")
    answers = context.SimpleQueue()
    first_ids = [int(time.time() * 1e6) + number * 10**9 for number in range(PROCESSES)]
    arguments = (workers // PROCESSES, seconds, held, answers.put)
    processes = [
        context.Process(target=work, args=(url, first_id, *arguments)) for first_id in first_ids
    ]
    for process in processes:
        process.start()
    times: Times = defaultdict(list)
    for _ in processes:
        for name, values in answers.get().items():
            times[name] += values
    for process in processes:
        process.join()
    return times


def quantile(values: list[float], share: float) -> str:
    """Give a quantile of some times as the table writes it."""
    ordered = sorted(values)
    return f"{ordered[min(len(ordered) - 1, int(len(ordered) * share))]:.1f}"


def queue(url: str, queued: int, full: int) -> None:
    """Insert waiting jobs, and before them some of owners who may run none."""
    engine = make_engine(url)
    with engine.begin() as connection:
        connection.execute(QUEUE, {"first": 1, "last": queued, "more": 0, "owner": "owner-"})
        connection.execute(
            QUEUE, {"first": queued + 1, "last": queued + full, "more": 10, "owner": "full-"}
        )
    for number in range(50 if full else 0):
        quota.set_quota(engine, f"full-{number}", max_running=0, max_queued=None)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    engine.dispose()


def main() -> None:
    """Measure every length of the queue and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--queued", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--full", type=int, default=0)
    options = parser.parse_args()
    postgres = Postgres(durable=True)
    server = int((postgres.folder / "data" / "postmaster.pid").read_text().splitlines()[0])
    columns = (
        "queued",
        "claims/s",
        "claim p50 ms",
        "p99",
        "heartbeats/s",
        "heartbeat p50 ms",
        "p99",
        "db CPU %",
    )
    table = Table(*columns, "most claims/s", "claim p99 ms", "db CPU ms per claim and end")
    try:
        for queued in options.queued:
            url = postgres.new_database()
            queue(url, queued, options.full)
            before = cpu_seconds(*family(server))
            steady = run(url, options.workers, options.seconds, HELD_SECONDS)
            between = cpu_seconds(*family(server))
            busy = run(url, BUSY * PROCESSES, options.seconds, (0.0, 0.0))
            after = cpu_seconds(*family(server))
            claims, beats, most = (
                len(times) for times in (steady["claim"], steady["heartbeat"], busy["claim"])
            )
            table.add_row(
                f"{queued:,}",
                f"{claims / options.seconds:.0f}",
                quantile(steady["claim"], 0.5),
                quantile(steady["claim"], 0.99),
                f"{beats / options.seconds:.0f}",
                quantile(steady["heartbeat"], 0.5),
                quantile(steady["heartbeat"], 0.99),
                f"{100 * (between - before) / options.seconds:.0f}",
                f"{most / options.seconds:.0f}",
                quantile(busy["claim"], 0.99),
                f"{1000 * (after - between) / most:.2f}",
            )
        Console(width=160).print(table)
        Console().print(
            f"{options.workers} workers, {options.full} jobs of full owners first, load average "
            f"{os.getloadavg()[0]:.1f}"
        )
    finally:
        postgres.close()


if __name__ == "__main__":
    main()
