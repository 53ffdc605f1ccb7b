"""Who may write a job's row: the holder of the lease with the newest fence, nobody else.

A claim counts the fence up. Every later write locks the row by (id, fence, running) first; a worker that was declared dead and
comes back finds no such row and writes nothing. All times are the database's clock. One code for SQLite (a writing transaction is
alone) and PostgreSQL (the row is locked).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Engine, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.db.models import Adapter, Checkpoint, Job, StageResult, Worker
from app.db.session import database_now, reading, writing
from app.jobs.record import MAX_MESSAGE, add_event

MAX_INFRA_FAILURES = 10
"""Lost workers after which a job is given up: it may be what kills them."""
FIRST_BACKOFF_SECONDS, LONGEST_BACKOFF_SECONDS = 1.0, 60.0

Terminal = Literal["succeeded", "failed", "cancelled"]


class LeaseLostError(Exception):
    """The job is not this worker's any more: stop the trainer, write nothing."""


@dataclass(frozen=True)
class Claim:
    """The right to write one job's row."""

    job_id: str
    fence: int


@dataclass(frozen=True)
class JobError:
    """Why an attempt ended, as the user sees it."""

    code: str
    message: str
    param: str | None = None


@dataclass(frozen=True)
class Run:
    """Everything an attempt starts from."""

    job: Job
    start_from: Adapter | None
    results: Sequence[StageResult]
    adapters: Sequence[Adapter]
    checkpoints: Sequence[Checkpoint]
    evaluated: Sequence[Adapter]
    """Adapters of other jobs that an evaluation names."""


def claim(engine: Engine, owner: str, device: str, lease_seconds: float) -> Claim | None:
    """Takes the best job that waits: highest priority, then oldest. None: nothing to do, or the device has a job already."""
    try:
        with writing(engine) as session:
            now = database_now(session)
            expire(session, now)
            job = _best(session, device, now)
            if job is None:
                return None
            job.state, job.lease_owner, job.lease_until, job.device = "running", owner, now + lease_seconds, device
            job.fence += 1
            job.attempts += 1
            job.started_at = job.started_at or now
            job.eta_seconds = None
            add_event(session, job, "info", "claimed", f"attempt {job.attempts} started", {"worker": owner})
            return Claim(job.id, job.fence)
    except IntegrityError:
        # Another worker with the same device was faster; the index allows one running job per device.
        return None


def _best(session: Session, device: str, now: float) -> Job | None:
    if session.scalar(select(Job.id).where(Job.device == device, Job.state == "running").limit(1)):
        return None
    waiting = select(Job).where(Job.state == "queued", Job.not_before <= now)
    order = (Job.priority.desc(), Job.created_at, Job.id)
    return session.scalars(waiting.order_by(*order).limit(1).with_for_update(skip_locked=True)).first()


def expire(session: Session, now: float) -> None:
    """Takes back the jobs of workers that are silent for longer than their lease."""
    silent = select(Job).where(Job.state == "running", Job.lease_until < now).with_for_update(skip_locked=True)
    for job in session.scalars(silent).all():
        error = JobError("worker_lost", f"the worker {job.lease_owner} went silent")
        if job.want != "cancel" and job.infra_failures + 1 >= MAX_INFRA_FAILURES:
            finish(session, job, "failed", JobError("worker_lost", f"{MAX_INFRA_FAILURES} workers were lost with this job"))
        else:
            requeue(session, job, error, infrastructure=True)
    session.flush()


@contextmanager
def fenced(engine: Engine, held: Claim) -> Iterator[tuple[Session, Job]]:
    """One writing transaction with the job's row locked. Raises LeaseLostError if the claim does not hold any more."""
    with writing(engine) as session:
        mine = select(Job).where(Job.id == held.job_id, Job.fence == held.fence, Job.state == "running").with_for_update()
        job = session.scalars(mine).one_or_none()
        if job is None:
            raise LeaseLostError(f"job {held.job_id} is not held with fence {held.fence} any more")
        yield session, job


def heartbeat(engine: Engine, held: Claim, lease_seconds: float) -> str:
    """Renews the lease; the answer is what the user wants: `run` or `cancel`. Raises LeaseLostError."""
    with fenced(engine, held) as (session, job):
        job.lease_until = database_now(session) + lease_seconds
        return job.want


def finish(session: Session, job: Job, state: Terminal, error: JobError | None = None) -> None:
    """Ends the job for good."""
    job.state, job.finished_at = state, database_now(session)
    job.lease_owner, job.lease_until, job.eta_seconds = None, None, None
    if state == "succeeded":
        job.progress = 1.0
    if error is not None:
        job.error_code, job.error_message, job.error_param = error.code[:64], error.message[:MAX_MESSAGE], error.param
    level = "error" if state == "failed" else "info"
    data = {"code": error.code, "param": error.param} if error else {}
    add_event(session, job, level, state, error.message if error else f"the job {_SAID[state]}", data)


_SAID = {"succeeded": "succeeded", "failed": "failed", "cancelled": "was cancelled"}


def requeue(session: Session, job: Job, reason: JobError, *, infrastructure: bool, delay_seconds: float = 0.0) -> None:
    """Gives the job back to the queue, or ends it if its cancelling was asked for in the meantime."""
    job.infra_failures += int(infrastructure)
    if job.want == "cancel":
        finish(session, job, "cancelled")
        return
    job.state, job.lease_owner, job.lease_until, job.eta_seconds = "queued", None, None, None
    # At once means at once: the clock goes on within a transaction.
    job.not_before = database_now(session) + delay_seconds if delay_seconds else 0.0
    data = {"code": reason.code, "delay_seconds": delay_seconds}
    add_event(session, job, "warn", "requeued", f"{reason.message}; the job waits for another attempt", data)


def fail_attempt(session: Session, job: Job, error: JobError, *, retry: bool) -> None:
    """An attempt failed by itself: again later if that may help and attempts are left, else the job has failed."""
    failed = job.attempts - job.infra_failures
    if retry and failed < job.max_attempts:
        delay = min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2 ** (failed - 1))
        requeue(session, job, error, infrastructure=False, delay_seconds=delay)
    elif job.want == "cancel":
        finish(session, job, "cancelled")
    else:
        finish(session, job, "failed", error)


def load_run(engine: Engine, held: Claim) -> Run:
    """What the claimed job is, and what its earlier attempts left."""
    with reading(engine) as session:
        job = session.get_one(Job, held.job_id)
        results = select(StageResult).where(StageResult.job_id == job.id).order_by(StageResult.stage_index)
        checkpoints = select(Checkpoint).where(Checkpoint.job_id == job.id).order_by(Checkpoint.stage_index, Checkpoint.step)
        evaluated = [name for stage in job.spec for name in stage.get("models") or ()]
        return Run(
            job=job,
            start_from=session.get_one(Adapter, job.start_from) if job.start_from else None,
            results=session.scalars(results).all(),
            adapters=session.scalars(select(Adapter).where(Adapter.job_id == job.id)).all(),
            checkpoints=session.scalars(checkpoints).all(),
            evaluated=session.scalars(select(Adapter).where(Adapter.id.in_(evaluated))).all(),
        )


def beat(engine: Engine, worker: str, host: str, device: str, *, draining: bool = False) -> None:
    """A worker's sign of life."""
    with writing(engine) as session:
        session.merge(Worker(id=worker, host=host, device=device, heartbeat_at=database_now(session), draining=draining))


def leave(engine: Engine, worker: str) -> None:
    """A worker ends in order."""
    with writing(engine) as session:
        session.execute(delete(Worker).where(Worker.id == worker))
