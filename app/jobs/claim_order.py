"""Chooses the job that runs next: highest priority, then oldest, of an owner who has room.

While every owner has room it is the head of one index. Else the heads of the owners are compared,
one probe of another index each: the jobs of those who have none, however many wait, are never read.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, CompoundSelect, Select, func, select
from sqlalchemy.orm import Session

from app.db.tables import WITHOUT_DOCUMENTS, Job
from app.job_state import JobState
from app.jobs import quota
from app.jobs.transitions import LONGEST_COOL_DOWN_SECONDS

ORDER = (Job.priority.desc(), Job.created_at, Job.id)
QUEUED = Job.state == JobState.QUEUED


def best_job(session: Session, now: float, max_running: int | None) -> Job | None:
    """Finds the job to run next and locks its row; those that another claim holds are passed."""
    # The head of one index: claims stay flat from 1,000 to 100,000 waiting jobs (load.md).
    full_owners = quota.full_owners(session, max_running)
    if not full_owners:
        job = _first_locked(session, select(Job).where(may_run(now)))
        if job is None or job.owner is None or quota.has_room(session, job.owner, max_running):
            return job
        full_owners = [job.owner]
    best_of_each = [job_id for job_id in session.scalars(heads(now, full_owners)) if job_id]
    owners = select(Job.owner).where(Job.id.in_(best_of_each)).order_by(*ORDER)
    for owner in session.scalars(owners).all():
        job = _first_locked(session, select(Job).where(may_run(now), _of(owner)))
        if job is not None and (owner is None or quota.has_room(session, owner, max_running)):
            return job
    return None


def has_job(session: Session, now: float, max_running: int | None) -> bool:
    """Looks whether some job could run now."""
    if full_owners := quota.full_owners(session, max_running):
        return any(job_id is not None for job_id in session.scalars(heads(now, full_owners)))
    return session.scalar(select(Job.id).where(may_run(now)).limit(1)) is not None


def may_run(now: float) -> ColumnElement[bool]:
    """Selects the jobs that wait and are in no cool-down.

    One that would last longer than any cool-down was written before the clock was set back.
    """
    return QUEUED & ~Job.not_before.between(now, now + LONGEST_COOL_DOWN_SECONDS)


def heads(now: float, full_owners: Sequence[str]) -> CompoundSelect[str | None]:
    """Selects the best job's id of each owner who has room, and of the jobs without an owner.

    An owner with nothing to run now gives None. The owners are found by one probe of the index
    each (a "loose index scan"), which no plain DISTINCT does.
    """
    # Before this and its index, 100,000 jobs of full owners made a claim 533 ms long (load.md).
    first = select(func.min(Job.owner).label("owner")).where(QUEUED).cte("waiting", recursive=True)
    later = select(func.min(Job.owner)).where(QUEUED, Job.owner > first.c.owner).scalar_subquery()
    waiting = first.union_all(select(later).where(first.c.owner.is_not(None)))
    best_id = select(Job.id).where(may_run(now)).order_by(*ORDER).limit(1)
    of_owner = best_id.where(Job.owner == waiting.c.owner).correlate(waiting).scalar_subquery()
    return (
        select(of_owner)
        .where(waiting.c.owner.not_in(full_owners))
        .union_all(select(best_id.where(Job.owner.is_(None)).scalar_subquery()))
    )


def _of(owner: str | None) -> ColumnElement[bool]:
    return Job.owner.is_(None) if owner is None else Job.owner == owner


def _first_locked(session: Session, jobs: Select[Job]) -> Job | None:
    # SQLite keeps any text in a JSON column: reading a broken one here would stop every claim.
    jobs = jobs.options(*WITHOUT_DOCUMENTS)
    return session.scalars(jobs.order_by(*ORDER).limit(1).with_for_update(skip_locked=True)).first()
