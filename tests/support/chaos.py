"""A nemesis for the production service.

Seeded, it kills, stops and cuts off one part after another, and repairs them late.
"""

import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from app.jobs.wake_ups import QUEUE
from tests.support import ROOT
from tests.support.clocks import DAY, Step
from tests.support.failing_store import PROTOCOL, switch
from tests.support.fleet import children
from tests.support.production import Production
from tests.support.proxy import Proxy
from tests.support.servers import Postgres, Redis

LEASE_SECONDS = 5.0
"""Short, so that it is often lost; and a busy machine still keeps it most of the time."""
STOPPED_SECONDS = 1.5 * LEASE_SECONDS
WORKERS = ("w0", "w1")
STEPPED = """
import time
from pathlib import Path
real, step = time.time, Path(__file__).with_name("step")
time.time = lambda: real() + float(step.read_text())
"""
"""Python imports a `sitecustomize` that is on its path before anything else (module `site`)."""
WIRED = "w1"
"""The worker whose wire to the database may be cut."""


class Nemesis:
    """Does everything that may go wrong, one thing at a time, and mends each after a while."""

    def __init__(
        self,
        production: Production,
        postgres: Postgres,
        redis: Redis,
        wire: Proxy,
        set_database_clock: Callable[[float], None],
        seed: int,
    ) -> None:
        self._production, self._postgres, self._redis, self._wire = (
            production,
            postgres,
            redis,
            wire,
        )
        self._rng = random.Random(seed)
        self._set_database_clock = set_database_clock
        self._mending: list[tuple[float, Callable[[], object]]] = []
        self.done: Counter[str] = Counter()

    def rage(self, seconds: float) -> None:
        """Disturbs for so long, then mends everything."""
        end = time.monotonic() + seconds
        deck: list[Callable[[], None]] = []
        while time.monotonic() < end:
            # Every fault comes once before one comes again.
            deck = deck or self._rng.sample(self._faults(), k=len(self._faults()))
            fault = deck.pop()
            fault()
            self.done[fault.__name__] += 1
            time.sleep(self._rng.uniform(0.5, 1.5))
            self._mend(time.monotonic())
        self._mend(float("inf"))

    def _faults(self) -> list[Callable[[], None]]:
        return [
            self.kill_api,
            self.kill_reconciler,
            self.kill_worker,
            self.stop_worker,
            self.drain_worker,
            self.kill_trainer,
            self.stop_trainer,
            self.kill_redis,
            self.flush_redis,
            self.double_messages,
            self.lose_messages,
            self.fail_store,
            self.kill_postgres,
            self.cut_wire,
            self.set_process_clock,
            self.set_database_clock,
        ]

    def kill_api(self) -> None:
        self._kill("api")

    def kill_reconciler(self) -> None:
        self._kill("reconciler")

    def kill_worker(self) -> None:
        self._kill(self._rng.choice(WORKERS))

    def drain_worker(self) -> None:
        name = self._rng.choice(WORKERS)
        self._production.processes[name].terminate()
        self._later(5.0, lambda: self._revive(name))

    def stop_worker(self) -> None:
        process = self._production.processes[self._rng.choice(WORKERS)]
        process.send_signal(signal.SIGSTOP)
        self._later(STOPPED_SECONDS, lambda: process.send_signal(signal.SIGCONT))

    def kill_trainer(self) -> None:
        self._signal_trainer(signal.SIGKILL)

    def stop_trainer(self) -> None:
        for pid in self._signal_trainer(signal.SIGSTOP):
            self._later(STOPPED_SECONDS, lambda pid=pid: _signal(pid, signal.SIGCONT))  # type: ignore[misc]  # bound now

    def kill_redis(self) -> None:
        self._redis.kill()
        self._later(2.0, self._redis.start)

    def flush_redis(self) -> None:
        if self._redis.is_running:
            self._redis.client.flushall()

    def double_messages(self) -> None:
        if self._redis.is_running:
            waiting = self._redis.client.lrange(QUEUE, 0, -1)
            for message in waiting * 3:
                self._redis.client.lpush(QUEUE, message)

    def lose_messages(self) -> None:
        if self._redis.is_running:
            self._redis.client.delete(QUEUE)

    def fail_store(self) -> None:
        broken = switch(store_of(self._production))
        broken.touch()
        self._later(3.0, lambda: broken.unlink(missing_ok=True))

    def kill_postgres(self) -> None:
        self._postgres.kill()
        self._later(1.5, self._postgres.start)

    def cut_wire(self) -> None:
        self._wire.cut()
        self._later(STOPPED_SECONDS, self._wire.mend)

    def set_process_clock(self) -> None:
        """Sets the date of one process a day forward or back, and right again later."""
        step = clock_of(self._production, self._rng.choice(("api", "reconciler", *WORKERS)))
        step.set(self._rng.choice((DAY, -DAY)))
        self._later(STOPPED_SECONDS, lambda: step.set(0.0))

    def set_database_clock(self) -> None:
        """Sets the database's date a day forward or back, and right again later."""
        self._set_database(self._rng.choice((DAY, -DAY)))
        self._later(STOPPED_SECONDS, lambda: self._set_database(0.0))

    def _set_database(self, seconds: float) -> None:
        # It may be down: what was killed before is started again by a repair that comes later.
        if not self._postgres.is_running:
            self._postgres.start()
        self._set_database_clock(seconds)

    def _kill(self, name: str) -> None:
        self._production.processes[name].kill()
        self._later(1.0, lambda: self._revive(name))

    def _signal_trainer(self, number: signal.Signals) -> list[int]:
        name = self._rng.choice(WORKERS)
        trainers = children(self._production.processes[name].pid)
        for pid in trainers:
            _signal(pid, number)
        return trainers

    def _revive(self, name: str) -> None:
        process = self._production.processes[name]
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            # Drained while it, or its trainer, is stopped.
            process.kill()
            process.wait()
        start(self._production, name, self._wire)

    def _later(self, seconds: float, repair: Callable[[], object]) -> None:
        self._mending.append((time.monotonic() + seconds, repair))

    def _mend(self, now: float) -> None:
        due = [repair for at, repair in self._mending if at <= now]
        self._mending = [(at, repair) for at, repair in self._mending if at > now]
        for repair in due:
            repair()


def store_of(production: Production) -> Path:
    """The store that the workers push to; the others see the same files in the shared folder."""
    return production.folder / "store"


def start(production: Production, name: str, wire: Proxy) -> None:
    """Starts a process with a clock of its own; the wired worker has a wire to the database."""
    database = production.url.partition("?")[0].rpartition("/")[2]
    more = {"PYTHONPATH": f"{clock_of(production, name).file.parent}:{ROOT}"}
    if name in WORKERS:
        store_of(production).mkdir(exist_ok=True)
        more["INFRAMIND_ARTIFACTS_URL"] = f"{PROTOCOL}://{store_of(production)}"
    if name == WIRED:
        more["INFRAMIND_DATABASE_URL"] = f"postgresql://postgres@127.0.0.1:{wire.port}/{database}"
    production.start(name, **more)


def clock_of(production: Production, name: str) -> Step:
    """Gives the step of a process's date, which it and its trainers follow."""
    folder = production.folder / "clocks" / name
    step = Step(folder / "step")
    if not folder.is_dir():
        folder.mkdir(parents=True)
        (folder / "sitecustomize.py").write_text(STEPPED)
        step.set(0.0)
    return step


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return
