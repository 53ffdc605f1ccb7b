"""How a job moves from one state to the next. Every function takes a row that the caller has locked.

Attempts that fail by themselves are counted in `failures`; lost workers in `infra_failures`; drains and pauses in neither.
"""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy.orm import Session

from app.db.session import database_now
from app.db.tables import Job
from app.job_state import JobState, may_move
from app.jobs.record import MAX_MESSAGE, add_event

MAX_INFRA_FAILURES = 10
"""Lost workers after which a job is given up: it may be what kills them."""
FIRST_BACKOFF_SECONDS, LONGEST_BACKOFF_SECONDS = 1.0, 60.0

Terminal = Literal[JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED]
_SAID: dict[Terminal, str] = {
    JobState.SUCCEEDED: "succeeded",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "was cancelled",
}


@dataclass(frozen=True)
class JobError:
    """Why an attempt ended, as the user sees it."""

    code: str
    message: str
    param: str | None = None


DEADLINE = JobError(
    "deadline_exceeded",
    "the job had not ended by its deadline: give it more `deadline_seconds`",
    "deadline_seconds",
)


def backoff(times: int) -> float:
    """Seconds to wait after so many failures in a row."""
    return (
        min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2.0 ** (times - 1))
        if times > 0
        else 0.0
    )


def finish(session: Session, job: Job, state: Terminal, error: JobError | None = None) -> None:
    """Ends the job for good."""
    _leave(job, state)
    job.finished_at = database_now(session)
    if state == JobState.SUCCEEDED:
        job.progress = 1.0
    _say(job, error)
    level = "error" if state == JobState.FAILED else "info"
    data = {"code": error.code, "param": error.param} if error else {}
    add_event(
        session, job, level, state, error.message if error else f"the job {_SAID[state]}", data
    )


def pause(session: Session, job: Job, error: JobError | None = None) -> None:
    """Keeps the job out of the queue until it is resumed: asked for by the user, or by an error that only a person can end."""
    if job.want == "cancel":
        finish(session, job, JobState.CANCELLED)
        return
    _leave(job, JobState.PAUSED)
    job.want = "run"
    _say(job, error)
    message = f"{error.message}; then resume the job" if error else "the job was paused"
    add_event(
        session,
        job,
        "error" if error else "info",
        JobState.PAUSED,
        message,
        {"code": error.code} if error else {},
    )


def resume(session: Session, job: Job) -> None:
    """Puts a paused job back into the queue."""
    _leave(job, JobState.QUEUED)
    job.not_before = 0.0
    job.error_code, job.error_message, job.error_param = None, None, None
    add_event(session, job, "info", "resumed_by_user", "the job waits for a worker again")


def requeue(session: Session, job: Job, reason: JobError, delay_seconds: float = 0.0) -> None:
    """Gives the job back to the queue, or does what was asked for in the meantime: cancel or pause."""
    if job.want == "cancel":
        finish(session, job, JobState.CANCELLED)
    elif job.want == "pause":
        pause(session, job)
    else:
        _leave(job, JobState.QUEUED)
        # At once means at once: the clock goes on within a transaction.
        job.not_before = database_now(session) + delay_seconds if delay_seconds else 0.0
        data = {"code": reason.code, "delay_seconds": delay_seconds}
        add_event(
            session,
            job,
            "warn",
            "requeued",
            f"{reason.message}; the job waits for another attempt",
            data,
        )


def lose_worker(session: Session, job: Job, reason: JobError) -> None:
    """The worker is gone. The first time the job waits for nothing; then longer and longer, so that others come first."""
    job.infra_failures += 1
    if job.want != "cancel" and job.infra_failures >= MAX_INFRA_FAILURES:
        finish(
            session,
            job,
            JobState.FAILED,
            JobError("worker_lost", f"{MAX_INFRA_FAILURES} workers were lost with this job"),
        )
    else:
        requeue(session, job, reason, backoff(job.infra_failures - 1))


def fail_attempt(session: Session, job: Job, error: JobError, *, retry: bool) -> None:
    """An attempt failed by itself: again later if that may help and attempts are left, else the job has failed."""
    job.failures += 1
    if job.want == "cancel":
        finish(session, job, JobState.CANCELLED)
    elif retry and job.failures < job.max_attempts:
        requeue(session, job, error, backoff(job.failures))
    else:
        finish(session, job, JobState.FAILED, error)


def _leave(job: Job, state: JobState) -> None:
    assert may_move(JobState(job.state), state), f"{job.state} -> {state}"
    job.state, job.lease_owner, job.lease_until, job.eta_seconds = state, None, None, None


def _say(job: Job, error: JobError | None) -> None:
    if error is not None:
        job.error_code, job.error_message, job.error_param = (
            error.code[:64],
            error.message[:MAX_MESSAGE],
            error.param,
        )
