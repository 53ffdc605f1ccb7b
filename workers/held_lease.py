"""Holds a job's lease while an attempt runs, renews it in time, and writes only under it."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from math import inf
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.db.session import DATABASE_AWAY
from app.db.tables import Job
from app.jobs import lease
from app.jobs.lease import Claim, LeaseLostError
from workers.deadline import allow_until

log = logging.getLogger(__name__)

TRAINERS_SHARE = 0.8
"""The trainer ends itself after this share of the lease, before another worker can take the job."""
LONGEST_BETWEEN_RENEWALS = 2.0
TICK_SECONDS = 0.05

Result = TypeVar("Result")


class HeldLease:
    """Keeps a claim alive and lets the trainer go on as long as it holds.

    A database that is away is waited for, but never longer than the lease.
    """

    def __init__(
        self,
        engine: Engine,
        claim: Claim,
        lease_seconds: float,
        run_dir: Path,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine, self._claim, self._seconds = engine, claim, lease_seconds
        self._run_dir, self._clock = run_dir, clock
        # The claim was written before this line, so the lease ends a little earlier than counted
        # here; the fifth that the trainer does not get is the room for that.
        self._holds_until = clock() + lease_seconds * TRAINERS_SHARE
        # A date would end the job when the database's clock is set forward, which loses its work.
        self._late_at = inf if claim.seconds_left is None else clock() + claim.seconds_left
        self._renew_at = 0.0
        self.wish = "run"
        """The user wants `run`, `pause` or `cancel`; or the job's `deadline` has passed."""

    def begin(self) -> None:
        """Lets the trainer go on for the claim's own lease, and renews it.

        Should the database be away at this very moment, the claim's lease still bounds the trainer.
        """
        allow_until(self._run_dir, self._holds_until)
        self.renew()

    def renew(self) -> None:
        """Renews the lease when it is time. Raises LeaseLostError."""
        # Before the question: the database counts the lease from a later moment, never earlier.
        sent = self._clock()
        if sent < self._renew_at:
            return
        try:
            want = lease.heartbeat(self._engine, self._claim, self._seconds)
        except DATABASE_AWAY as error:
            log.warning("the lease could not be renewed: %s", type(error).__name__)
            self._check_holds(error)
            return
        self.wish = "deadline" if want != "cancel" and sent >= self._late_at else want
        # A fifth: further tries follow a lost one in time. At most two seconds, because the user's
        # wish comes back with the renewal.
        self._renew_at = sent + min(self._seconds / 5, LONGEST_BETWEEN_RENEWALS)
        self._holds_until = sent + self._seconds * TRAINERS_SHARE
        allow_until(self._run_dir, self._holds_until)

    def write(self, change: Callable[[Session, Job], None]) -> None:
        """Changes the job in one fenced transaction, tried again while the database is away.

        Raises LeaseLostError.
        """

        def in_a_transaction() -> None:
            with lease.fenced(self._engine, self._claim) as (session, job):
                change(session, job)

        self.retry(in_a_transaction)

    def retry(self, question: Callable[[], Result]) -> Result:
        """Asks the database, again and again while it is away. Raises LeaseLostError."""
        while True:
            try:
                return question()
            except DATABASE_AWAY as error:
                self._check_holds(error)
                time.sleep(TICK_SECONDS)

    def keep_during(self, work: Callable[[], Result]) -> Result:
        """Does what may take longer than the lease, such as a copy of files, and renews meanwhile.

        Raises LeaseLostError, and what the work raises.
        """
        with ThreadPoolExecutor(1) as pool:
            done = pool.submit(work)
            while not wait([done], timeout=TICK_SECONDS).done:
                self.renew()
        return done.result()

    def _check_holds(self, error: Exception) -> None:
        if self._clock() > self._holds_until:
            raise LeaseLostError("the database was away for longer than the lease") from error
