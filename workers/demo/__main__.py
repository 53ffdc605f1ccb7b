"""`make demo`: the whole promise over HTTP.

`python -m workers.demo [--data-dir D] [--seed N] [--spec JSON]` starts the embedded service on a
free port with fresh data, sends one DAPO job, follows it, asks the trained adapter for one held-out
task of each category, and writes the table of results.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.syntax import Syntax
from rich.table import Table

from app.cli.client import ServiceClient
from app.errors import NotAnsweringError
from app.job_state import TERMINAL, JobState
from inframind.bench.load import load_tasks
from inframind.categories import category
from inframind.errors import ConfigError, InfraMindError
from inframind.stages.config import NANO_SLICE
from inframind.types import Task
from workers.demo.display import JobDisplay
from workers.process import spawn, stop
from workers.up import free_port, lock, tail

HOST = "127.0.0.1"
START_SECONDS = 180.0
POLL_SECONDS = 0.5
STOP_SECONDS = 8.0
MAX_TOKENS = 240
out = Console(highlight=False)


class DemoError(InfraMindError):
    """The demo could not go on."""

    code = "demo_failed"


def fresh(data_dir: Path) -> None:
    """Empties the folder of an earlier demo. Raises ConfigError for a folder that is not one."""
    if data_dir.exists() and any(data_dir.iterdir()):
        if not (data_dir / "up.lock").is_file():
            raise ConfigError(
                f"{data_dir} is not empty and no earlier demo made it: give another --data-dir",
                param="data_dir",
            )
        lock(data_dir).close()
        shutil.rmtree(data_dir)
    data_dir.mkdir(parents=True, exist_ok=True)


class DemoService:
    """The service of this demo, as a user sees it: over HTTP."""

    def __init__(self, url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self._client = ServiceClient(url)
        self._process, self._log = process, log

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Give the answer's JSON. Raises DemoError if the service is gone, or its own refusal."""
        try:
            return self._client.call(method, path, body)
        except NotAnsweringError:
            self.check_alive()
            raise

    def check_alive(self) -> None:
        """Raise DemoError if the service has ended."""
        if self._process.poll() is not None:
            raise DemoError(f"the service has ended; the end of {self._log}:\n{tail(self._log)}")

    def wait_until_ready(self) -> None:
        """Wait until every part answers. Raises DemoError."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            self.check_alive()
            if self._client.is_ready():
                return
            time.sleep(0.2)
        raise DemoError(
            f"the service was not ready within {START_SECONDS:.0f} s; "
            f"the end of {self._log}:\n{tail(self._log)}"
        )


def follow(client: DemoService, job_id: str) -> dict[str, Any]:
    """Shows the job until it ends. Raises DemoError if it does not succeed."""
    with JobDisplay(out) as display:
        while True:
            job: dict[str, Any] = client.call("GET", f"/jobs/{job_id}")
            display.show(job)
            if job["state"] in TERMINAL:
                break
            time.sleep(POLL_SECONDS)
    if job["state"] != JobState.SUCCEEDED:
        error = job["error"] or {
            "code": job["state"],
            "message": "the job was cancelled",
            "param": None,
        }
        where = f" (field {error['param']})" if error["param"] else ""
        raise DemoError(f"the job has {job['state']}: {error['code']}{where}: {error['message']}")
    return job


def held_out() -> list[Task]:
    """One task of each category with values that were never trained on."""
    first: dict[str, Task] = {}
    for task in load_tasks("test-values", max_difficulty=NANO_SLICE["max_difficulty"]):
        first.setdefault(task.category, task)
    return list(first.values())


def ask(client: DemoService, model: str, task: Task) -> bool:
    """Asks for one task and shows instruction, answer and verdict."""
    body = {
        "model": model,
        "instruction": task.instruction,
        "input": task.input,
        "max_tokens": MAX_TOKENS,
        "verify": True,
        "category": task.category,
        "checks": [check.model_dump(mode="json", exclude_defaults=True) for check in task.checks],
    }
    choice = client.call("POST", "/generate", body)["choices"][0]
    verdict = choice["verdict"]
    out.print(
        Panel(
            escape(f"{task.instruction}\n{task.input}".strip()),
            title=escape(f"{task.category}: asked"),
            title_align="left",
        )
    )
    text = choice["file"] if choice["file"] is not None else choice["text"]
    out.print(
        Syntax(
            text.rstrip(),
            category(task.category).languages[0],
            background_color="default",
            word_wrap=True,
        )
    )
    passed: bool = verdict["verdict"] == "pass"
    held = sum(check["passed"] for check in verdict["checks"])
    checks = (
        f"{held} of {len(verdict['checks'])} checks hold"
        if verdict["checks"]
        else "no check was reached"
    )
    out.print(
        f"[{'green' if passed else 'red'}]{verdict['verdict']}[/], "
        f"score {verdict['score']:.2f}, {checks}"
    )
    for finding in verdict["findings"][:3]:
        out.print(
            escape(f"  {finding['severity']} [{finding['rung']}] {finding['message']}"), style="dim"
        )
    return passed


def rows_of(job: dict[str, Any]) -> list[dict[str, Any]]:
    """The report's rows from the last evaluation."""
    evaluations = [
        result["metrics"]["rows"] for result in job["stage_results"] if "rows" in result["metrics"]
    ]
    names = ("model", "pass_at_1", "n", "ci95", "new_families", "train_seconds")
    return [{name: row[name] for name in names} for row in evaluations[-1]] if evaluations else []


def table_of(rows: list[dict[str, Any]]) -> Table:
    """The rows for people."""
    table = Table(
        title="Greedy pass rate on tasks with values never trained on "
        "(pass = valid and every intent check true)"
    )
    for name in (
        "model",
        "pass rate",
        "95 % interval",
        "tasks",
        "new families",
        "training seconds",
    ):
        table.add_column(name, justify="left" if name == "model" else "right")
    for row in rows:
        low, high = row["ci95"]
        new = row["new_families"]
        table.add_row(
            row["model"],
            f"{row['pass_at_1']:.1%}",
            f"{low:.1%} - {high:.1%}",
            str(row["n"]),
            f"{new['pass_at_1']:.1%} of {new['n']}",
            f"{row['train_seconds']:.0f}",
        )
    return table


def machine() -> str:
    """Processor, cores and memory of this host."""
    models = [
        line.partition(":")[2].strip()
        for line in read(Path("/proc/cpuinfo")).splitlines()
        if line.startswith("model name")
    ]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0))
    processor = models[0] if models else os.uname().machine
    return f"{processor}, {cores} cores, {memory:.0f} GiB, Python {sys.version.split()[0]}"


def read(path: Path) -> str:
    """A text file, or nothing where there is none."""
    return path.read_text() if path.is_file() else ""


def show(client: DemoService, spec: dict[str, Any], report: Path, started: float) -> None:
    """The demo itself, on a ready service."""
    job = client.call("POST", "/jobs", spec)
    out.print(f"POST /jobs {escape(json.dumps(spec))} -> job {job['id']}")
    job = follow(client, job["id"])
    model = job["adapters"][-1] if job["adapters"] else job["base_model"]
    out.rule(f"POST /generate with {model}: one held-out task of each category")
    tasks = held_out()
    passed = sum([ask(client, model, task) for task in tasks])
    out.print(f"{passed} of {len(tasks)} answers pass\n")
    rows = rows_of(job)
    out.print(table_of(rows))
    written = {
        "rows": rows,
        "wall_seconds": round(time.monotonic() - started, 1),
        "machine": machine(),
    }
    report.write_text(json.dumps(written, indent=2) + "\n")
    out.print(f"{written['wall_seconds']:.0f} s in all on {written['machine']}")


def arguments() -> argparse.Namespace:
    """Reads the demo's command line."""
    parser = argparse.ArgumentParser(
        prog="make demo",
        description="Train by verified rewards over HTTP and generate from the result.",
    )
    parser.add_argument("--data-dir", type=Path, default=Path("demo-data"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--spec",
        type=json.loads,
        default={},
        help="JSON object over the job that is sent; null removes a field",
    )
    return parser.parse_args()


def run(options: argparse.Namespace) -> None:
    """Starts the service, shows the demo, stops the service."""
    started = time.monotonic()
    spec = {
        "method": "dapo",
        "base_model": "inframind-nano",
        "seed": options.seed,
        "name": "demo",
        **options.spec,
    }
    fresh(options.data_dir)
    log = options.data_dir / "up.log"
    port = free_port(HOST)
    env = {**os.environ, "INFRAMIND_GRACE_SECONDS": "2"}
    with log.open("wb") as output:
        service = spawn(
            "workers.up",
            "--data-dir",
            str(options.data_dir),
            "--host",
            HOST,
            "--port",
            str(port),
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    report = options.data_dir / "report.json"
    try:
        client = DemoService(f"http://{HOST}:{port}", service, log)
        out.print(f"starting the service on http://{HOST}:{port} (log: {escape(str(log))})")
        client.wait_until_ready()
        show(
            client,
            {name: value for name, value in spec.items() if value is not None},
            report,
            started,
        )
    finally:
        # Bounded, so nothing is gained by interrupting it.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        stop(service, STOP_SECONDS)
    out.print(str(report), soft_wrap=True)


def main() -> int:
    """Runs the demo; gives the exit status."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    try:
        run(arguments())
    except InfraMindError as error:
        out.print(f"[red]error:[/red] {escape(str(error))}", soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        out.print("stopped; nothing is left running")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
