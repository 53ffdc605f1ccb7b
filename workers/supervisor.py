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

from sqlalchemy import Engine
from sqlalchemy.exc import InterfaceError, OperationalError

from app.db.session import make_engine
from app.jobs import lease
from app.settings import Settings, settings
from workers.attempt import Attempt
from workers.process import die_with_parent

log = logging.getLogger(__name__)
BEAT_SECONDS = 5.0
LONGEST_SLEEP = 0.1


def default_device() -> str:
    """This host's accelerator as the database knows it: one running job per device."""
    return f"{socket.gethostname()[:40]}/{os.environ.get('CUDA_VISIBLE_DEVICES') or 'default'}"[:64]


class Supervisor:
    """One device's worker."""

    def __init__(self, engine: Engine, given: Settings, device: str) -> None:
        self._engine, self._settings, self._device = engine, given, device
        self._host = socket.gethostname()
        self.name = f"{self._host[:40]}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._beat_at = 0.0
        self.draining = False

    def drain(self) -> None:
        """From now on: no new job, and the present one goes back to the queue."""
        self.draining = True

    def run(self) -> None:
        """Until drained. A database that is away is waited for."""
        while not self.draining:
            try:
                self._beat()
                held = self._claim()
            except (OperationalError, InterfaceError) as error:
                log.warning("the database is away: %s", type(error).__name__)
                held = None
            if held is None:
                self._pause()
            else:
                log.info("job %s, fence %d", held.job_id, held.fence)
                Attempt(self._engine, self._settings, held, self._attending).run()
        lease.leave(self._engine, self.name)

    def _claim(self) -> lease.Claim | None:
        given = self._settings
        return lease.claim(self._engine, self.name, self._device, given.lease_seconds, given.max_running_per_owner)

    def _attending(self) -> bool:
        """Called often during an attempt: gives the sign of life, and says whether the worker drains."""
        try:
            self._beat()
        except (OperationalError, InterfaceError) as error:
            log.warning("no sign of life: %s", type(error).__name__)
        return self.draining

    def _beat(self) -> None:
        if time.monotonic() >= self._beat_at:
            lease.beat(self._engine, self.name, self._host, self._device, draining=self.draining)
            self._beat_at = time.monotonic() + BEAT_SECONDS

    def _pause(self) -> None:
        until = time.monotonic() + self._settings.poll_seconds
        while not self.draining and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, LONGEST_SLEEP))


def main() -> None:
    """The process."""
    die_with_parent()
    parser = argparse.ArgumentParser(prog="workers.supervisor", description=__doc__)
    parser.add_argument("--device", default=default_device(), help="name of the device; one job at a time runs on it")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    given = settings()
    supervisor = Supervisor(make_engine(given.url), given, arguments.device)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: supervisor.drain())
    supervisor.run()


if __name__ == "__main__":
    main()
