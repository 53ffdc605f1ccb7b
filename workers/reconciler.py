"""The reconciler: finds the jobs that nobody works on and wakes workers for them.

`python -m workers.reconciler`. It takes back jobs of silent workers, ends those past their
deadline, and sends wake-ups when jobs wait and fewer messages than workers do: a message may be
lost with Redis, with a worker, or never have been sent. Any number of reconcilers may run; every
write is guarded.
"""

import logging
import signal
import sys
import threading
import time

from sqlalchemy import Engine

from app import logs
from app.artifacts import Artifacts
from app.catalog.retention import prune
from app.cli.errors import run_process
from app.db.session import DATABASE_AWAY, absence, database_now, make_engine, writing
from app.db.steady_clock import SteadyClock
from app.errors import StoreError
from app.jobs import lease, service
from app.jobs.silence import LeaseWatch
from app.jobs.wake_ups import WakeUps
from app.settings import Settings, settings
from workers.process import die_with_parent

log = logging.getLogger(__name__)
PRUNE_SECONDS = 3600.0
POLLS_A_ROUND = 10
"""A round is for lost messages alone, and costs every reconciler three queries."""


class Reconciler:
    """Looks after the queue, one round after another."""

    def __init__(self, engine: Engine, configured: Settings) -> None:
        self._engine, self._settings = engine, configured
        self._artifacts = Artifacts.of(configured)
        self._wake_ups = WakeUps(configured.redis_url.get_secret_value())
        self._watch, self._clock = LeaseWatch(configured.lease_seconds), SteadyClock()
        self._prune_at = time.monotonic() + PRUNE_SECONDS

    def tick(self) -> int:
        """Makes one round and gives the number of wake-ups sent."""
        with writing(self._engine) as session:
            now = database_now(session)
            # Every round: a leap is only seen between two looks.
            self._clock.look(now)
            lease.expire(session, now, self._watch)
        if not lease.has_work(self._engine, self._settings.max_running_per_owner):
            return 0
        waiting = self._wake_ups.waiting()
        if waiting is None:
            log.warning("jobs wait, and Redis does not answer")
            return 0
        # More messages than workers would only wake workers that find nothing.
        missing = max(0, service.live_workers(self._engine) - waiting)
        sent = sum(self._wake_ups.send("any") for _ in range(missing))
        if sent:
            log.info("%d wake-ups sent", sent)
        return sent

    def _prune(self) -> None:
        if time.monotonic() >= self._prune_at:
            self._prune_at = time.monotonic() + PRUNE_SECONDS
            try:
                days = self._settings.keep_adapters_days
                pruned = prune(self._engine, self._artifacts, days, self._clock)
                log.info("pruned: %s", pruned)
            except StoreError as error:
                # What was left lying is found by a later round.
                log.warning("pruning stopped: %s", error)

    def run(self, stopped: threading.Event) -> None:
        """Makes rounds until stopped, whatever one meets. A database that is away is waited for."""
        while not stopped.wait(POLLS_A_ROUND * self._settings.poll_seconds):
            try:
                self.tick()
                self._prune()
            except DATABASE_AWAY as error:
                log.warning("the database is away: %s", absence(error))
            except Exception:
                # One job's rows, or one file: the other jobs still need their wake-ups.
                log.exception("a round met an error that nobody foresaw")


def main() -> None:
    """Runs the reconciler until a signal."""
    die_with_parent()
    configured = settings()
    logs.configure(configured.log_format, configured.log_level)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    Reconciler(make_engine(configured.url), configured).run(stopped)


if __name__ == "__main__":
    sys.exit(run_process(main))
