"""Lets one worker write a job's row: the holder of the lease with the newest fence, nobody else.

A claim counts the fence up. Every later write locks the row by (id, fence, running) first; a worker
that was declared dead and comes back finds no such row and writes nothing. That a worker is dead is
seen by watching its lease (`app.jobs.silence`): the dates in the rows are the database's clock,
which may be set at any time. One code for SQLite (a writing transaction is alone) and PostgreSQL
(the row is locked).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Engine, Select, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.db.session import database_now, now, reading, writing
from app.db.tables import (
    WITHOUT_DOCUMENTS,
    Adapter,
    Checkpoint,
    Job,
    StageResult,
    Worker,
)
from app.job_state import JobState
from app.jobs import claim_order
from app.jobs.failure import DEADLINE_EXCEEDED, Failure
from app.jobs.journal import add_event
from app.jobs.silence import LeaseWatch, Mark
from app.jobs.transitions import finish, lose_worker
from inframind.stages import parse_all
from inframind.stages.config import StageConfig

EXPIRED_AT_ONCE = 100
"""Jobs that one call takes back at most: a claim must not pay for all of them."""
RUNNING = Job.state == JobState.RUNNING


class LeaseLostError(Exception):
    """Another worker may have the job: stop the trainer, write nothing more."""


@dataclass(frozen=True)
class Claim:
    """The right to write one job's row."""

    job_id: str
    fence: int
    seconds_left: float | None = None
    """To the job's deadline, which its worker counts on its own clock; None: it has none."""


@dataclass(frozen=True)
class Run:
    """A claimed job's rows: all that an attempt starts from."""

    job: Job
    stages: tuple[StageConfig, ...]
    start_from: Adapter | None
    results: Sequence[StageResult]
    adapters: Sequence[Adapter]
    checkpoints: Sequence[Checkpoint]
    evaluated: Sequence[Adapter]
    """Adapters of other jobs that an evaluation names."""


def claim(
    engine: Engine,
    worker: str,
    device: str,
    lease_seconds: float,
    max_running: int | None = None,
    watch: LeaseWatch | None = None,
) -> Claim | None:
    """Takes the best job whose owner runs fewer than `max_running`, or than their own quota.

    None if there is nothing to do, or the device has a job already. Without the `watch` that its
    process keeps, no silent worker is noticed.
    """
    try:
        with writing(engine) as session:
            now = database_now(session)
            # First of all: a job whose worker went silent still holds its device.
            expire(session, now, watch or LeaseWatch(lease_seconds))
            if _is_busy(session, device):
                return None
            job = claim_order.best_job(session, now, max_running)
            if job is None:
                return None
            job.state, job.device = JobState.RUNNING, device
            job.lease_owner, job.lease_until = worker, now + lease_seconds
            job.lease_seconds = lease_seconds
            # Whoever held the job before finds no row with the old fence (docs/decisions/0001).
            job.fence += 1
            job.attempts += 1
            job.started_at = job.started_at or now
            job.eta_seconds = None
            message = f"attempt {job.attempts} started"
            add_event(session, job, "info", "claimed", message, {"worker": worker})
            left = None if job.deadline_at is None else job.deadline_at - now
            return Claim(job.id, job.fence, left)
    except IntegrityError:
        # Another worker with the same device was faster: the index allows one running job for each.
        return None


def _is_busy(session: Session, device: str) -> bool:
    running = select(Job.id).where(Job.device == device, RUNNING).limit(1)
    return session.scalar(running) is not None


def has_work(engine: Engine, max_running: int | None = None) -> bool:
    """Looks whether some job could be claimed now."""
    with reading(engine) as session:
        return claim_order.has_job(session, database_now(session), max_running)


def expire(session: Session, now: float, watch: LeaseWatch) -> None:
    """Takes back the jobs of silent workers, and ends those that wait past their deadline."""
    marks = watch.silent(session)
    silent = select(Job).where(RUNNING, Job.id.in_(list(marks)[:EXPIRED_AT_ONCE]))
    for job in session.scalars(_some_unlocked(silent)).all() if marks else ():
        # Locked now, and renewed perhaps between the look and the lock.
        if Mark(job.fence, job.lease_until) != marks[job.id]:
            continue
        message = f"the worker {job.lease_owner} went silent"
        lose_worker(session, job, Failure(code="worker_lost", message=message, then="retry"))
    late = select(Job).where(
        Job.state.in_((JobState.QUEUED, JobState.PAUSED)),
        Job.deadline_at.is_not(None),
        Job.deadline_at < now,
    )
    for job in session.scalars(_some_unlocked(late)).all():
        finish(session, job, JobState.FAILED, DEADLINE_EXCEEDED)
    session.flush()


def _some_unlocked(jobs: Select[Job]) -> Select[Job]:
    # A row that somebody has locked is being taken back, or ended, at this moment.
    unread = jobs.options(*WITHOUT_DOCUMENTS)
    return unread.limit(EXPIRED_AT_ONCE).with_for_update(skip_locked=True)


@contextmanager
def fenced(engine: Engine, claim: Claim) -> Iterator[tuple[Session, Job]]:
    """Opens a writing transaction with the job's row locked.

    Raises LeaseLostError if the claim does not hold any more.
    """
    with writing(engine) as session:
        row = select(Job).where(*_held_by(claim)).options(*WITHOUT_DOCUMENTS).with_for_update()
        job = session.scalars(row).one_or_none()
        if job is None:
            raise _lost(claim)
        yield session, job


def heartbeat(engine: Engine, claim: Claim, lease_seconds: float) -> str:
    """Renews the lease, in one statement, and gives what the user wants of the job.

    That is `run`, `pause` or `cancel`. Raises LeaseLostError.
    """
    # A worker of the version before compares `lease_until` with the clock: it must stay a date.
    renewal = update(Job).where(*_held_by(claim)).values(lease_until=now() + lease_seconds)
    with writing(engine) as session:
        want = session.scalar(renewal.returning(Job.want))
    if want is None:
        raise _lost(claim)
    return str(want)


def _held_by(claim: Claim) -> tuple[ColumnElement[bool], ...]:
    return (Job.id == claim.job_id, Job.fence == claim.fence, RUNNING)


def _lost(claim: Claim) -> LeaseLostError:
    return LeaseLostError(f"job {claim.job_id} is not held with fence {claim.fence} any more")


def load_run(engine: Engine, claim: Claim) -> Run:
    """Reads the claimed job, what its earlier attempts left, and the adapters that it needs.

    Raises ConfigError if its stages, written by another version, are none of this one's.
    """
    with reading(engine) as session:
        job = session.get_one(Job, claim.job_id)
        results = (
            select(StageResult)
            .where(StageResult.job_id == job.id)
            .order_by(StageResult.stage_index)
        )
        checkpoints = (
            select(Checkpoint)
            .where(Checkpoint.job_id == job.id)
            .order_by(Checkpoint.stage_index, Checkpoint.step)
        )
        stages = parse_all(job.stages)
        evaluated = [name for stage in stages for name in stage.models_named.values()]
        return Run(
            job=job,
            stages=stages,
            start_from=session.get_one(Adapter, job.start_from) if job.start_from else None,
            results=session.scalars(results).all(),
            adapters=session.scalars(select(Adapter).where(Adapter.job_id == job.id)).all(),
            checkpoints=session.scalars(checkpoints).all(),
            evaluated=session.scalars(select(Adapter).where(Adapter.id.in_(evaluated))).all(),
        )


def report_alive(
    engine: Engine, worker: str, host: str, device: str, *, draining: bool = False
) -> None:
    """Writes a worker's sign of life."""
    with writing(engine) as session:
        session.merge(
            Worker(
                id=worker,
                host=host,
                device=device,
                heartbeat_at=database_now(session),
                draining=draining,
            )
        )


def sign_off(engine: Engine, worker: str) -> None:
    """Deletes the row of a worker that ends in order."""
    with writing(engine) as session:
        session.execute(delete(Worker).where(Worker.id == worker))
