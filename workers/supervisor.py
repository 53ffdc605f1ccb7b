"""The supervisor: claims jobs and runs them one after another. `python -m workers.supervisor [--device NAME]`.

SIGTERM drains: the trainer leaves a checkpoint, the job goes back to the queue at once, and the process ends.
"""

import argparse
import logging
import os
import signal
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.exc import InterfaceError, OperationalError

from app import logs
from app.artifacts import Artifacts
from app.db.session import make_engine
from app.jobs import lease
from app.settings import Settings, settings
from workers.attempt import Attempt
from workers.process import die_with_parent

log = logging.getLogger(__name__)
BEAT_SECONDS = 5.0
LONGEST_SLEEP = 0.1


def device_name(given: Settings) -> str:
    """This worker's accelerator as the database knows it: one running job per device."""
    return (
        given.device
        or f"{socket.gethostname()[:40]}/{os.environ.get('CUDA_VISIBLE_DEVICES') or 'default'}"[:64]
    )


class Supervisor:
    """One device's worker."""

    def __init__(self, engine: Engine, given: Settings, device: str) -> None:
        self._engine, self._settings, self._device = engine, given, device
        self._artifacts = Artifacts.of(given)
        self._host = socket.gethostname()
        self.name = f"{self._host[:40]}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._beat_at = 0.0
        self.draining = False

    def drain(self) -> None:
        """From now on: no new job, and the present one goes back to the queue."""
        self.draining = True

    def run(self) -> None:
        """Until drained: looks for jobs again and again."""
        while not self.draining:
            self.attending()
            self.run_waiting()
            self.pause()
        self.leave()

    def run_waiting(self) -> None:
        """Runs what waits, the best first, until nothing is left. A database that is away has nothing."""
        while not self.draining and (held := self._claim()) is not None:
            Attempt(self._engine, self._settings, self._artifacts, held, self.attending).run()

    def attending(self) -> bool:
        """Called often: gives the sign of life, and says whether the worker drains."""
        if time.monotonic() >= self._beat_at:
            self._beat_at = time.monotonic() + BEAT_SECONDS
            with self._if_the_database_answers():
                lease.beat(
                    self._engine, self.name, self._host, self._device, draining=self.draining
                )
        return self.draining

    def leave(self) -> None:
        """The worker is gone, and says so."""
        with self._if_the_database_answers():
            lease.leave(self._engine, self.name)

    def _claim(self) -> lease.Claim | None:
        given = self._settings
        with self._if_the_database_answers():
            return lease.claim(
                self._engine,
                self.name,
                self._device,
                given.lease_seconds,
                given.max_running_per_owner,
            )
        return None

    @contextmanager
    def _if_the_database_answers(self) -> Iterator[None]:
        try:
            yield
        except (OperationalError, InterfaceError) as error:
            log.warning("the database is away: %s", type(error).__name__)

    def pause(self) -> None:
        """Waits until it is time to look again, or to drain."""
        until = time.monotonic() + self._settings.poll_seconds
        while not self.draining and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, LONGEST_SLEEP))


def main() -> None:
    """The process."""
    die_with_parent()
    parser = argparse.ArgumentParser(prog="workers.supervisor", description=__doc__)
    given = settings()
    parser.add_argument(
        "--device",
        default=device_name(given),
        help="name of the device; one job at a time runs on it",
    )
    arguments = parser.parse_args()
    logs.configure(given.log_format, given.log_level)
    supervisor = Supervisor(make_engine(given.url), given, arguments.device)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: supervisor.drain())
    supervisor.run()


if __name__ == "__main__":
    main()
