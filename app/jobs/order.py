"""Which job runs next: highest priority, then oldest, of an owner who has room.

While every owner has room it is the head of one index. Else the heads of the owners are compared, one probe of another index each:
the jobs of those who have none, however many wait, are never read.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, CompoundSelect, Select, func, select
from sqlalchemy.orm import Session

from app.db.tables import Job
from app.job_state import JobState
from app.jobs import quota

ORDER = (Job.priority.desc(), Job.created_at, Job.id)


def best(session: Session, now: float, max_running: int | None) -> Job | None:
    """The job to run next, its row locked; jobs that another claim looks at are passed over."""
    full = quota.full_owners(session, max_running)
    if not full:
        job = _lock(session, select(Job).where(may_run(now)))
        if job is None or job.owner is None or quota.has_room(session, job.owner, max_running):
            return job
        full = [job.owner]
    found = [job_id for job_id in session.scalars(heads(now, full)) if job_id is not None]
    for owner in session.scalars(select(Job.owner).where(Job.id.in_(found)).order_by(*ORDER)).all():
        job = _lock(session, select(Job).where(may_run(now), _of(owner)))
        if job is not None and (owner is None or quota.has_room(session, owner, max_running)):
            return job
    return None


def is_any(session: Session, now: float, max_running: int | None) -> bool:
    """Whether some job could run now."""
    if full := quota.full_owners(session, max_running):
        return any(job_id is not None for job_id in session.scalars(heads(now, full)))
    return session.scalar(select(Job.id).where(may_run(now)).limit(1)) is not None


def may_run(now: float) -> ColumnElement[bool]:
    """The condition of a job that waits and whose time has come."""
    return (Job.state == JobState.QUEUED) & (Job.not_before <= now)


def heads(now: float, full: Sequence[str]) -> CompoundSelect[str | None]:
    """Ids of the best jobs of the owners who have room and something to run, and of the best job without an owner; and None."""
    queued = Job.state == JobState.QUEUED
    first = select(func.min(Job.owner).label("owner")).where(queued).cte("waiting", recursive=True)
    later = select(func.min(Job.owner)).where(queued, Job.owner > first.c.owner).scalar_subquery()
    waiting = first.union_all(select(later).where(first.c.owner.is_not(None)))
    best_id = select(Job.id).where(may_run(now)).order_by(*ORDER).limit(1)
    of_owner = best_id.where(Job.owner == waiting.c.owner).correlate(waiting).scalar_subquery()
    return (
        select(of_owner)
        .where(waiting.c.owner.not_in(full))
        .union_all(select(best_id.where(Job.owner.is_(None)).scalar_subquery()))
    )


def _of(owner: str | None) -> ColumnElement[bool]:
    return Job.owner.is_(None) if owner is None else Job.owner == owner


def _lock(session: Session, jobs: Select[Job]) -> Job | None:
    return session.scalars(jobs.order_by(*ORDER).limit(1).with_for_update(skip_locked=True)).first()
