"""Measure one api process on PostgreSQL under load.

Usage: `python benchmarks/http_load.py [--seconds S] [--connections N] [--redis]`.

Api, database and this client share the given cores. Closed loop: every connection sends its next
request when it has the answer. Prints requests per second, latency, and processor milliseconds per
request of the api and of the database.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))
from app import keys
from app.db.session import make_engine
from tests.support.servers import Postgres, Redis, free_port

TICKS = os.sysconf("SC_CLK_TCK")
WARM_UP_SECONDS = 1.0
BODY = json.dumps(
    {"method": "dapo", "base_model": "inframind-nano", "metadata": {"team": "platform"}}
).encode()


def cpu_seconds(*pids: int) -> float:
    """Processor time of processes and their ended children."""
    total = 0
    for pid in pids:
        try:
            total += sum(
                int(value)
                for value in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]
            )
        except OSError:
            continue
    return total / TICKS


def family(pid: int) -> list[int]:
    """A process and its children."""
    children = " ".join(path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children"))
    return [pid, *(int(child) for child in children.split())]


class Connection:
    """One kept-alive connection; as little work for a request as there can be."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send(self, request: bytes) -> tuple[int, bytes]:
        """Status and body."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return int(head[9:12]), await self._reader.readexactly(length)


def post(key: str) -> bytes:
    """Give the bytes of a POST /jobs."""
    head = (
        f"POST /jobs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\n"
    )
    return head.encode() + f"Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY


def get(key: str, job_id: str) -> bytes:
    """Give the bytes of a GET /jobs/{id}."""
    return (
        f"GET /jobs/{job_id} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\r\n"
    ).encode()


async def load(
    port: int, seconds: float, connections: int, requests: Callable[[int], bytes], wanted: int
) -> list[float]:
    """Latencies in seconds. Raises RuntimeError for any other status."""
    end = time.perf_counter() + seconds
    latencies: list[float] = []

    async def run(number: int) -> None:
        connection = Connection(*await asyncio.open_connection("127.0.0.1", port))
        sent = number
        while time.perf_counter() < end:
            began = time.perf_counter()
            status, body = await connection.send(requests(sent))
            latencies.append(time.perf_counter() - began)
            sent += connections
            if status != wanted:
                raise RuntimeError(f"{status}: {body[:300]!r}")

    await asyncio.gather(*(run(number) for number in range(connections)))
    return latencies


def measure(
    name: str,
    table: Table,
    api: int,
    database: int,
    run: Callable[[float], list[float]],
    seconds: float,
) -> None:
    """One row of the table."""
    run(WARM_UP_SECONDS)
    before = cpu_seconds(api), cpu_seconds(*family(database))
    began = time.perf_counter()
    latencies = sorted(run(seconds))
    elapsed = time.perf_counter() - began
    after = cpu_seconds(api), cpu_seconds(*family(database))
    count = len(latencies)
    shares = [
        1000 * (later - earlier) / count for earlier, later in zip(before, after, strict=True)
    ]
    quantiles = [
        1000 * latencies[min(count - 1, int(count * share))] for share in (0.5, 0.95, 0.99)
    ]
    table.add_row(
        name,
        f"{count / elapsed:.0f}",
        *(f"{value:.1f}" for value in quantiles),
        *(f"{value:.2f}" for value in shares),
    )


def main() -> None:
    """Start database and api, load both routes and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--cores", default="0,1")
    parser.add_argument(
        "--redis", action="store_true", help="send wake-ups over a Redis on the same cores"
    )
    options = parser.parse_args()
    os.sched_setaffinity(0, {int(core) for core in options.cores.split(",")})
    postgres, redis, port = Postgres(durable=True), Redis() if options.redis else None, free_port()
    url = postgres.new_database()
    database = int((postgres.folder / "data" / "postmaster.pid").read_text().splitlines()[0])
    engine = make_engine(url)
    key = keys.create(engine, ["train"])
    engine.dispose()
    with tempfile.TemporaryDirectory() as folder:
        env = {
            **os.environ,
            "INFRAMIND_DATABASE_URL": url,
            "INFRAMIND_DATA_DIR": folder,
            "INFRAMIND_PORT": str(port),
            "INFRAMIND_RATE_LIMIT": "1000000/second",
            "INFRAMIND_FAILED_KEY_LIMIT": "1000000/second",
            "INFRAMIND_REDIS_URL": redis.url if redis else "",
        }
        with (Path(folder) / "api.log").open("wb") as log:
            api = subprocess.Popen(
                [sys.executable, "-m", "workers.api"], env=env, stdout=log, stderr=log
            )
        try:
            client = httpx.Client(
                base_url=f"http://127.0.0.1:{port}",
                headers={"Authorization": f"Bearer {key}"},
                trust_env=False,
            )
            wait_for(client)
            ids = [
                client.post(
                    "/jobs", content=BODY, headers={"content-type": "application/json"}
                ).json()["id"]
                for _ in range(50)
            ]
            table = Table(
                "request",
                "per second",
                "p50 ms",
                "p95 ms",
                "p99 ms",
                "api CPU ms",
                "database CPU ms",
            )
            sending, reading = post(key), [get(key, job_id) for job_id in ids]
            many = options.connections
            for name, requests, wanted in (
                ("GET /jobs/{id}", lambda number: reading[number % len(reading)], 200),
                ("POST /jobs", lambda _: sending, 201),
            ):

                def run(
                    seconds: float,
                    requests: Callable[[int], bytes] = requests,
                    wanted: int = wanted,
                ) -> list[float]:
                    return asyncio.run(load(port, seconds, many, requests, wanted))

                measure(name, table, api.pid, database, run, options.seconds)
            Console().print(table)
            Console().print(
                f"{many} connections, cores {options.cores}, load average {os.getloadavg()[0]:.1f}"
            )
        finally:
            api.kill()
            api.wait()
            postgres.close()
            if redis:
                redis.close()


def wait_for(client: httpx.Client) -> None:
    """Until the api answers."""
    for _ in range(600):
        try:
            if client.get("/healthz").status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise RuntimeError("the api does not start")


if __name__ == "__main__":
    main()
