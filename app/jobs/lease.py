"""Who may write a job's row: the holder of the lease with the newest fence, nobody else.

A claim counts the fence up. Every later write locks the row by (id, fence, running) first; a worker that was declared dead and
comes back finds no such row and writes nothing. All times are the database's clock. One code for SQLite (a writing transaction is
alone) and PostgreSQL (the row is locked).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.db.session import database_now, now, reading, writing
from app.db.tables import Adapter, Checkpoint, Job, StageResult, Worker
from app.job_state import JobState
from app.jobs import order
from app.jobs.record import add_event
from app.jobs.transitions import DEADLINE, JobError, finish, lose_worker
from inframind.stages import parse_all
from inframind.stages.config import StageConfig

EXPIRED_AT_ONCE = 100
"""Jobs that one call takes back at most: a claim must not pay for all of them."""


class LeaseLostError(Exception):
    """The job is not this worker's any more: stop the trainer, write nothing."""


@dataclass(frozen=True)
class Claim:
    """The right to write one job's row."""

    job_id: str
    fence: int


@dataclass(frozen=True)
class Run:
    """Everything an attempt starts from."""

    job: Job
    stages: tuple[StageConfig, ...]
    start_from: Adapter | None
    results: Sequence[StageResult]
    adapters: Sequence[Adapter]
    checkpoints: Sequence[Checkpoint]
    evaluated: Sequence[Adapter]
    """Adapters of other jobs that an evaluation names."""


def claim(
    engine: Engine, worker: str, device: str, lease_seconds: float, max_running: int | None = None
) -> Claim | None:
    """Takes the best job that waits: highest priority, then oldest, whose owner runs fewer than `max_running` (or their own quota).

    None: nothing to do, or the device has a job already.
    """
    try:
        with writing(engine) as session:
            now = database_now(session)
            expire(session, now)
            job = None if _is_busy(session, device) else order.best(session, now, max_running)
            if job is None:
                return None
            job.state, job.lease_owner, job.lease_until, job.device = (
                JobState.RUNNING,
                worker,
                now + lease_seconds,
                device,
            )
            job.fence += 1
            job.attempts += 1
            job.started_at = job.started_at or now
            job.eta_seconds = None
            add_event(
                session,
                job,
                "info",
                "claimed",
                f"attempt {job.attempts} started",
                {"worker": worker},
            )
            return Claim(job.id, job.fence)
    except IntegrityError:
        # Another worker with the same device was faster; the index allows one running job per device.
        return None


def _is_busy(session: Session, device: str) -> bool:
    return (
        session.scalar(
            select(Job.id).where(Job.device == device, Job.state == JobState.RUNNING).limit(1)
        )
        is not None
    )


def has_work(engine: Engine, max_running: int | None = None) -> bool:
    """Whether some job could be claimed now."""
    with reading(engine) as session:
        return order.is_any(session, database_now(session), max_running)


def expire(session: Session, now: float) -> None:
    """Takes back the jobs of workers that are silent for longer than their lease, and ends those whose deadline has passed."""
    silent = select(Job).where(Job.state == JobState.RUNNING, Job.lease_until < now)
    for job in session.scalars(
        silent.limit(EXPIRED_AT_ONCE).with_for_update(skip_locked=True)
    ).all():
        lose_worker(
            session, job, JobError("worker_lost", f"the worker {job.lease_owner} went silent")
        )
    late = select(Job).where(
        Job.state.in_((JobState.QUEUED, JobState.PAUSED)),
        Job.deadline_at.is_not(None),
        Job.deadline_at < now,
    )
    for job in session.scalars(late.limit(EXPIRED_AT_ONCE).with_for_update(skip_locked=True)).all():
        finish(session, job, JobState.FAILED, DEADLINE)
    session.flush()


@contextmanager
def fenced(engine: Engine, held: Claim) -> Iterator[tuple[Session, Job]]:
    """One writing transaction with the job's row locked. Raises LeaseLostError if the claim does not hold any more."""
    with writing(engine) as session:
        mine = (
            select(Job)
            .where(Job.id == held.job_id, Job.fence == held.fence, Job.state == JobState.RUNNING)
            .with_for_update()
        )
        job = session.scalars(mine).one_or_none()
        if job is None:
            raise _lost(held)
        yield session, job


def heartbeat(engine: Engine, held: Claim, lease_seconds: float) -> str:
    """Renews the lease, in one statement.

    The answer: what the user wants (`run`, `pause` or `cancel`), or `deadline`: it has passed. Raises LeaseLostError.
    """
    mine = update(Job).where(
        Job.id == held.job_id, Job.fence == held.fence, Job.state == JobState.RUNNING
    )
    late = (Job.deadline_at.is_not(None) & (Job.deadline_at < now())).label("late")
    with writing(engine) as session:
        renewed = session.execute(
            mine.values(lease_until=now() + lease_seconds).returning(Job.want, late)
        ).one_or_none()
    if renewed is None:
        raise _lost(held)
    return "deadline" if renewed.late and renewed.want != "cancel" else str(renewed.want)


def _lost(held: Claim) -> LeaseLostError:
    return LeaseLostError(f"job {held.job_id} is not held with fence {held.fence} any more")


def load_run(engine: Engine, held: Claim) -> Run:
    """Loads the claimed job, and what its earlier attempts left.

    Raises ConfigError if its stages, written by another version, are none of this one's.
    """
    with reading(engine) as session:
        job = session.get_one(Job, held.job_id)
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


def beat(engine: Engine, worker: str, host: str, device: str, *, draining: bool = False) -> None:
    """A worker's sign of life."""
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


def leave(engine: Engine, worker: str) -> None:
    """A worker ends in order."""
    with writing(engine) as session:
        session.execute(delete(Worker).where(Worker.id == worker))
