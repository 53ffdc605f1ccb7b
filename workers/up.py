"""The embedded service in one command: `python -m workers.up [--data-dir D] [--host H] [--port N]`.

Starts api, supervisor and inference server as children, starts again what crashes, and takes
everything along when it ends, however it ends: each child dies with its parent.
"""

import argparse
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import httpx
from rich.console import Console
from rich.markup import escape

from app.cli.errors import run_process
from app.db.migrate import upgrade
from app.db.session import make_engine
from app.keys import check_start
from app.settings import Settings, settings
from inframind.errors import ConfigError, InfraMindError
from inframind.models.registry import base_model_path
from workers.process import die_with_parent, signal_group, spawn

TICK_SECONDS = 0.1
FIRST_BACKOFF_SECONDS, LONGEST_BACKOFF_SECONDS = 0.5, 30.0
STEADY_SECONDS = 60.0
"""A part that lived this long starts with a short pause again."""
HOPELESS_STARTS = 3
"""A part that ends so often without ever having been ready will not come."""
LOOPBACK = "127.0.0.1"
out = Console(highlight=False, soft_wrap=True)


class PartFailedError(InfraMindError):
    """A part of the service does not start."""

    code = "part_failed"


def lock(data_dir: Path) -> IO[str]:
    """Keeps the data folder for this process. Raises ConfigError if another instance has it."""
    data_dir.mkdir(parents=True, exist_ok=True)
    file = (data_dir / "up.lock").open("a+")
    try:
        # The kernel lets go of it however the holder ends (flock(2)): no stale lock, as with a
        # file.
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        owner = file.read().strip() or "unknown"
        file.close()
        raise ConfigError(
            f"another instance (process {owner}) uses {data_dir}: "
            "stop it, or give another --data-dir",
            param="data_dir",
        ) from None
    # Only now: before the lock it would wipe the owner's process id, which the refusal names.
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def free_port(host: str, port: int = 0) -> int:
    """`port` if nothing listens there (0: any free one). Raises ConfigError."""
    with socket.socket() as probe:
        # Else connections in TIME_WAIT refuse the port for a minute after a restart (socket(7)).
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            reason = (isinstance(error, OSError) and error.strerror) or error
            raise ConfigError(
                f"port {port} of {host} cannot be used ({reason}): "
                "stop what listens there, or give another --port",
                param="port",
            ) from None
        free: int = probe.getsockname()[1]
        return free


@dataclass
class Part:
    """A child process that is started again when it ends."""

    name: str
    module: str
    arguments: tuple[str, ...]
    is_ready: Callable[[], bool]
    log: Path
    process: "subprocess.Popen[bytes] | None" = None
    ready: bool = False
    failures: int = 0
    started_at: float = 0.0
    start_at: float = field(default=0.0)

    def tend(self, env: Mapping[str, str]) -> None:
        """Starts the process if it is time to. Raises PartFailedError if it never comes up."""
        now = time.monotonic()
        if self.process is not None and self.process.poll() is not None:
            self._ended(self.process.returncode, now)
        if self.process is None and now >= self.start_at:
            with self.log.open("ab") as log:
                self.process = spawn(
                    self.module,
                    *self.arguments,
                    env=env,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
            self.started_at = now

    def _ended(self, status: int, now: float) -> None:
        self.failures = 1 if now - self.started_at > STEADY_SECONDS else self.failures + 1
        if not self.ready and self.failures >= HOPELESS_STARTS:
            raise PartFailedError(
                f"{self.name} does not start (status {status}); "
                f"the end of {self.log}:\n{tail(self.log)}"
            )
        delay = min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2 ** (self.failures - 1))
        out.print(
            f"{self.name} ended with status {status}; it is started again in {delay:g} s "
            f"(log: {escape(str(self.log))})"
        )
        self.process, self.start_at = None, now + delay


def tail(path: Path, lines: int = 12) -> str:
    """The last lines of a log."""
    return (
        "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.is_file() else ""
    )


class Service:
    """The three parts together."""

    def __init__(self, configured: Settings) -> None:
        self._settings = configured
        self.signals = 0
        port = free_port(configured.host, configured.port)
        inference_port = free_port(LOOPBACK)
        self.url = f"http://{configured.host}:{port}"
        reachable = configured.model_copy(update={"port": port}).local_url
        inference = f"http://{LOOPBACK}:{inference_port}"
        self._http = httpx.Client(trust_env=False, timeout=2.0)
        self._env = {
            **os.environ,
            "INFRAMIND_DATA_DIR": str(configured.data_dir.absolute()),
            "INFRAMIND_HOST": configured.host,
            "INFRAMIND_PORT": str(port),
            "INFRAMIND_INFERENCE_URL": inference,
        }
        logs = configured.data_dir / "logs"
        logs.mkdir(exist_ok=True)
        serve_api = ("--host", configured.host, "--port", str(port))
        serve_model = (
            "--base-model",
            configured.inference_base_model,
            "--port",
            str(inference_port),
        )
        self.parts = [
            Part(
                "api",
                "workers.api",
                serve_api,
                self._answers(reachable + "/healthz"),
                logs / "api.log",
            ),
            Part(
                "worker",
                "workers.supervisor",
                (),
                self._has_worker(reachable + "/readyz"),
                logs / "worker.log",
            ),
            Part(
                "inference",
                "workers.inference.server",
                serve_model,
                self._answers(inference + "/health"),
                logs / "inference.log",
            ),
        ]

    def _get(self, url: str) -> httpx.Response | None:
        try:
            return self._http.get(url)
        except httpx.HTTPError:
            return None

    def _answers(self, url: str) -> Callable[[], bool]:
        return lambda: (answer := self._get(url)) is not None and answer.status_code == 200

    def _has_worker(self, url: str) -> Callable[[], bool]:
        return lambda: (
            (answer := self._get(url)) is not None
            and bool(answer.json().get("parts", {}).get("worker"))
        )

    def run(self) -> None:
        """Until a signal. Raises PartFailedError."""
        announced = False
        while not self.signals:
            for part in self.parts:
                part.tend(self._env)
                if not part.ready and part.process is not None and part.is_ready():
                    part.ready = True
                    out.print(f"{part.name:<10} ready")
            if not announced and all(part.ready for part in self.parts):
                announced = True
                out.print(
                    f"InfraMind is ready at {self.url} (documentation: {self.url}/docs). "
                    "Ctrl-C stops it."
                )
            time.sleep(TICK_SECONDS)

    def stop(self) -> None:
        """End every part, after the trainer's checkpoint; a second signal ends all at once."""
        seen = self.signals
        deadline = time.monotonic() + self._settings.grace_seconds + 5.0
        running = [part.process for part in self.parts if part.process is not None]
        for process in running:
            process.terminate()
        while any(process.poll() is None for process in running):
            if time.monotonic() > deadline or self.signals > max(seen, 1):
                break
            time.sleep(TICK_SECONDS / 4)
        for process in running:
            signal_group(process, signal.SIGKILL)
            process.wait()

    def note_signal(self) -> None:
        """A signal to end came."""
        self.signals += 1


def serve(configured: Settings) -> int:
    """The whole life of the service; gives the exit status."""
    with lock(configured.data_dir):
        engine = make_engine(configured.url)
        upgrade(engine)
        check_start(engine, configured)
        engine.dispose()
        out.print(f"{'database':<10} ready ({escape(str(configured.data_dir))})")
        service = Service(configured)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: service.note_signal())
        try:
            service.run()
            out.print("stopping: a job that runs leaves a checkpoint first (Ctrl-C again: at once)")
        finally:
            service.stop()
    return 0


def main() -> int:
    """Reads the command line and runs the service; gives the exit status."""
    die_with_parent()
    configured = settings()
    parser = argparse.ArgumentParser(
        prog="inframind up", description="Start the embedded service: api, worker and inference."
    )
    parser.add_argument(
        "--data-dir", type=Path, default=configured.data_dir, help="database, artifacts and logs"
    )
    parser.add_argument("--host", default=configured.host)
    parser.add_argument("--port", type=int, default=configured.port, help="0: any free port")
    parser.add_argument(
        "--base-model",
        default=configured.inference_base_model,
        help="the base model that is served",
    )
    chosen = parser.parse_args()
    # Told now: the inference server would be started three times before it was given up.
    base_model_path(chosen.base_model)
    update = {
        "data_dir": chosen.data_dir.absolute(),
        "host": chosen.host,
        "port": chosen.port,
        "inference_base_model": chosen.base_model,
    }
    return serve(configured.model_copy(update=update))


if __name__ == "__main__":
    sys.exit(run_process(main))
