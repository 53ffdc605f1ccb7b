"""How many jobs an owner may have: running at once, and waiting. Jobs without an owner (the embedded service) know no limit."""

from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from app.db.models import Job, Quota
from app.db.session import writing
from app.errors import QuotaError


def set_quota(engine: Engine, owner: str, max_running: int | None, max_queued: int | None) -> None:
    """Gives an owner limits of their own; None: the settings'."""
    with writing(engine) as session:
        session.merge(Quota(owner=owner, max_running=max_running, max_queued=max_queued))


def full_owners(session: Session, max_running: int | None) -> list[str]:
    """Owners that run as many jobs as they may."""
    limit = func.coalesce(Quota.max_running, max_running)
    counted = select(Job.owner).outerjoin(Quota, Quota.owner == Job.owner).where(Job.state == "running", Job.owner.is_not(None))
    rows = session.scalars(counted.group_by(Job.owner, Quota.max_running).having(func.count() >= limit))
    none = select(Quota.owner).where(Quota.max_running == 0)
    return [owner for owner in rows if owner is not None] + list(session.scalars(none))


def has_room(session: Session, owner: str, max_running: int | None) -> bool:
    """Whether the owner may run one more. Holds the owner until the transaction ends: a second claim counts this one."""
    limit = _limit(session, owner, "max_running", max_running)
    if limit is None:
        return True
    _hold(session, owner)
    return _count(session, owner, "running") < limit


def check_queued(session: Session, owner: str, max_queued: int | None) -> None:
    """Raises QuotaError if the owner has as many jobs waiting as they may. Holds the owner until the transaction ends."""
    limit = _limit(session, owner, "max_queued", max_queued)
    if limit is None:
        return
    _hold(session, owner)
    if (found := _count(session, owner, "queued")) >= limit:
        raise QuotaError(f"{found} of your jobs wait already, of at most {limit}: wait for some to end, or cancel them")


def _limit(session: Session, owner: str, name: str, default: int | None) -> int | None:
    own = session.get(Quota, owner)
    limit: int | None = getattr(own, name) if own is not None else None
    return default if limit is None else limit


def _count(session: Session, owner: str, state: str) -> int:
    return session.scalar(select(func.count()).where(Job.owner == owner, Job.state == state)) or 0


def _hold(session: Session, owner: str) -> None:
    # On SQLite a writing transaction is alone anyway.
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(hashtext(:owner))"), {"owner": f"quota:{owner}"})
