"""The supervisor: claims jobs and runs them one after another.

`python -m workers.supervisor [--device NAME]`. SIGTERM drains: the trainer leaves a checkpoint, the
job goes back to the queue at once, and the process ends.
"""

import argparse
import logging
import os
import signal
import socket
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from app import logs
from app.artifacts import Artifacts
from app.cli.errors import run_process
from app.db.session import DATABASE_AWAY, absence, make_engine
from app.jobs import lease
from app.jobs.silence import LeaseWatch
from app.settings import Settings, settings
from workers.attempt import Attempt
from workers.process import die_with_parent
from workers.trainer_process import TRAINER

log = logging.getLogger(__name__)
BEAT_SECONDS = 5.0
LONGEST_SLEEP = 0.1


def device_name(configured: Settings) -> str:
    """Names this worker's accelerator for the database, which allows it one running job."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES") or "default"
    return configured.device or f"{socket.gethostname()[:40]}/{visible}"[:64]


class Supervisor:
    """Works off the jobs of the database on one device."""

    def __init__(
        self, engine: Engine, configured: Settings, device: str, trainer: str = TRAINER
    ) -> None:
        """`trainer` is the module that runs a job's stages, in a process of its own."""
        self._engine, self._settings, self._device = engine, configured, device
        self._artifacts = Artifacts.of(configured)
        self._trainer = trainer
        self._host = socket.gethostname()
        # Process ids repeat after a restart, in containers above all: a new worker needs a new
        # name.
        self.name = f"{self._host[:40]}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._beat_at = 0.0
        self._watch = LeaseWatch(configured.lease_seconds)
        self.draining = False

    def drain(self) -> None:
        """Takes no new job from now on, and gives the present one back to the queue."""
        self.draining = True

    def run(self) -> None:
        """Looks for jobs again and again, until drained."""
        while not self.draining:
            self.attend()
            self.run_waiting()
            self.pause()
        self.sign_off()

    def run_waiting(self) -> None:
        """Runs what waits, the best first, until nothing is left or the database is away."""
        while not self.draining and (claim := self._claim()) is not None:
            Attempt(
                self._engine, self._settings, self._artifacts, claim, self.attend, self._trainer
            ).run()

    def attend(self) -> bool:
        """Gives a sign of life when it is time, and tells whether the worker drains."""
        if time.monotonic() >= self._beat_at:
            self._beat_at = time.monotonic() + BEAT_SECONDS
            with self._if_the_database_answers():
                lease.report_alive(
                    self._engine, self.name, self._host, self._device, draining=self.draining
                )
        return self.draining

    def sign_off(self) -> None:
        """Tells the database that this worker is gone."""
        with self._if_the_database_answers():
            lease.sign_off(self._engine, self.name)

    def _claim(self) -> lease.Claim | None:
        with self._if_the_database_answers():
            return lease.claim(
                self._engine,
                self.name,
                self._device,
                self._settings.lease_seconds,
                self._settings.max_running_per_owner,
                self._watch,
            )
        return None

    @contextmanager
    def _if_the_database_answers(self) -> Iterator[None]:
        try:
            yield
        except DATABASE_AWAY as error:
            log.warning("the database is away: %s", absence(error))

    def pause(self) -> None:
        """Waits until it is time to look again, or to drain."""
        until = time.monotonic() + self._settings.poll_seconds
        while not self.draining and (left := until - time.monotonic()) > 0:
            # Since PEP 475 a signal does not cut a sleep short: `draining` is seen after it.
            time.sleep(min(left, LONGEST_SLEEP))


def main(trainer: str = TRAINER) -> None:
    """Runs waiting jobs until a signal."""
    die_with_parent()
    parser = argparse.ArgumentParser(prog="workers.supervisor", description=__doc__)
    configured = settings()
    parser.add_argument(
        "--device",
        default=device_name(configured),
        help="name of the device; one job at a time runs on it",
    )
    arguments = parser.parse_args()
    logs.configure(configured.log_format, configured.log_level)
    supervisor = Supervisor(make_engine(configured.url), configured, arguments.device, trainer)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: supervisor.drain())
    supervisor.run()


if __name__ == "__main__":
    sys.exit(run_process(main))
