"""Bounds an owner's jobs: those that run at once, and those that wait.

Jobs without an owner (the embedded service) know no limit.
"""

from sqlalchemy import Engine, bindparam, func, select, text
from sqlalchemy.orm import Session

from app.db.session import now, writing
from app.db.tables import Base, Job, Quota
from app.errors import QuotaError
from app.job_state import JobState

_QUOTAS = Base.metadata.tables["quotas"]
OWN = select(_QUOTAS.c.max_running, _QUOTAS.c.max_queued).where(
    _QUOTAS.c.owner == bindparam("owner")
)
ADMISSION = select(now(), OWN.with_only_columns(_QUOTAS.c.max_queued).scalar_subquery())
"""Clock and limit in one question: every job that is sent asks it."""


def set_quota(engine: Engine, owner: str, max_running: int | None, max_queued: int | None) -> None:
    """Gives an owner limits of their own; None: the settings'."""
    with writing(engine) as session:
        session.merge(Quota(owner=owner, max_running=max_running, max_queued=max_queued))


def full_owners(session: Session, max_running: int | None) -> list[str]:
    """Owners that run as many jobs as they may."""
    limit = func.coalesce(Quota.max_running, max_running)
    counted = (
        select(Job.owner)
        .outerjoin(Quota, Quota.owner == Job.owner)
        .where(Job.state == JobState.RUNNING, Job.owner.is_not(None))
    )
    rows = session.scalars(
        counted.group_by(Job.owner, Quota.max_running).having(func.count() >= limit)
    )
    none = select(Quota.owner).where(Quota.max_running == 0)
    return [owner for owner in rows if owner is not None] + list(session.scalars(none))


def has_room(session: Session, owner: str, max_running: int | None) -> bool:
    """Tells whether the owner may run one more.

    Holds the owner until the transaction ends: a second claim counts this one.
    """
    quota = session.execute(OWN, {"owner": owner}).one_or_none()
    limit = max_running if quota is None or quota.max_running is None else quota.max_running
    if limit is None:
        return True
    # Counted under the lock: two claims that count at once would both find room.
    _hold(session, owner)
    return _count(session, owner, JobState.RUNNING) < limit


def admit(session: Session, owner: str | None, max_queued: int | None) -> float:
    """Gives the database's time. Raises QuotaError if as many of the owner's jobs wait as may.

    An owner with a limit is held until the transaction ends.
    """
    time, max_of_owner = session.execute(ADMISSION, {"owner": owner}).one()
    limit = max_queued if max_of_owner is None else max_of_owner
    if owner is not None and limit is not None:
        _hold(session, owner)
        if (waiting := _count(session, owner, JobState.QUEUED)) >= limit:
            raise QuotaError(
                f"{waiting} of your jobs wait already, of at most {limit}: "
                "wait for some to end, or cancel them"
            )
    return float(time)


def _count(session: Session, owner: str, state: JobState) -> int:
    return session.scalar(select(func.count()).where(Job.owner == owner, Job.state == state)) or 0


def _hold(session: Session, owner: str) -> None:
    # On SQLite a writing transaction is alone anyway.
    if session.get_bind().dialect.name == "postgresql":
        session.execute(
            text("SELECT pg_advisory_xact_lock(hashtext(:owner))"), {"owner": f"quota:{owner}"}
        )
