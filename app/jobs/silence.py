"""Notices silent workers by watching their leases, never by comparing dates.

A lease is over when one process has seen it unchanged for its whole length, counted on that
process's own monotonic clock. A clock that is set, in whichever process or database, neither ends a
lease that is renewed nor keeps one alive that is not (docs/decisions/0015).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.tables import Job
from app.job_state import JobState


@dataclass(frozen=True)
class Mark:
    """A lease as it was seen: each renewal changes `until`, each claim the fence."""

    fence: int
    until: float | None


class LeaseWatch:
    """Remembers since when each running job's lease has looked as it does now.

    One for each process that takes jobs back; it is not shared between threads.
    """

    def __init__(self, lease_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`lease_seconds` is the length of a lease whose row does not say it."""
        self._default_seconds, self._clock = lease_seconds, clock
        self._seen: dict[str, tuple[Mark, float]] = {}

    def silent(self, session: Session) -> dict[str, Mark]:
        """Looks at every lease, and gives those that were not renewed for their whole length.

        A running job without a lease is nobody's, and is given at once.
        """
        # Before the question: an answer that takes long must not make a lease look older.
        looked_at = self._clock()
        leases = select(Job.id, Job.fence, Job.lease_until, Job.lease_seconds)
        rows = session.execute(leases.where(Job.state == JobState.RUNNING)).all()
        # After the answer, for the same reason: a new mark may be as young as this moment.
        answered_at = self._clock()
        seen: dict[str, tuple[Mark, float]] = {}
        silent = {}
        for job_id, fence, until, seconds in rows:
            mark = Mark(fence, until)
            before, since = self._seen.get(job_id, (None, answered_at))
            seen[job_id] = (mark, since if before == mark else answered_at)
            # A worker of the version before this column writes no length.
            length = self._default_seconds if seconds is None else seconds
            if until is None or (before == mark and looked_at - since > length):
                silent[job_id] = mark
        self._seen = seen
        return silent
