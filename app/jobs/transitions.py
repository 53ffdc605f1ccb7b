"""Moves a job from one state to the next. Every function takes a row that the caller has locked.

Attempts that fail by themselves are counted in `failures`; lost workers in `infra_failures`; drains
and pauses in neither.
"""

from typing import Literal

from sqlalchemy.orm import Session

from app.db.session import database_now
from app.db.tables import Job
from app.job_state import JobState, may_move
from app.jobs.failure import Failure
from app.jobs.journal import add_event

MAX_INFRA_FAILURES = 10
"""Lost workers after which a job is given up: it may be what kills them."""
FIRST_BACKOFF_SECONDS, LONGEST_COOL_DOWN_SECONDS = 1.0, 60.0

Terminal = Literal[JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED]
ENDED: dict[Terminal, str] = {
    JobState.SUCCEEDED: "the job succeeded",
    JobState.FAILED: "the job failed",
    JobState.CANCELLED: "the job was cancelled",
}


def backoff(failures: int) -> float:
    """Doubles the wait, in seconds, with every failure in a row."""
    if failures <= 0:
        return 0.0
    # The exponent is cut too: 2.0 ** 1024 is an OverflowError, and cut at 60 s anyway.
    return min(LONGEST_COOL_DOWN_SECONDS, FIRST_BACKOFF_SECONDS * 2.0 ** min(failures - 1, 16))


def finish(session: Session, job: Job, state: Terminal, failure: Failure | None = None) -> None:
    """Ends the job for good."""
    _release(job, state)
    job.finished_at = database_now(session)
    if state == JobState.SUCCEEDED:
        job.progress = 1.0
    if failure:
        _write_error(job, failure)
    level = "error" if state == JobState.FAILED else "info"
    data = {"code": failure.code, "param": failure.param} if failure else {}
    add_event(session, job, level, state, failure.message if failure else ENDED[state], data)


def pause(session: Session, job: Job, failure: Failure | None = None) -> None:
    """Keeps the job out of the queue until it is resumed.

    The user asked for it, or a failure did that only a person can mend.
    """
    if job.want == "cancel":
        finish(session, job, JobState.CANCELLED)
        return
    _release(job, JobState.PAUSED)
    job.want = "run"
    if failure:
        _write_error(job, failure)
        message = f"{failure.message}; then resume the job"
        add_event(session, job, "error", JobState.PAUSED, message, {"code": failure.code})
    else:
        add_event(session, job, "info", JobState.PAUSED, "the job was paused")


def resume(session: Session, job: Job) -> None:
    """Puts a paused job back into the queue."""
    _release(job, JobState.QUEUED)
    job.not_before = 0.0
    _write_error(job, None)
    add_event(session, job, "info", "resumed_by_user", "the job waits for a worker again")


def requeue(session: Session, job: Job, reason: Failure, delay_seconds: float = 0.0) -> None:
    """Gives the job back to the queue, unless the user has asked to cancel or pause it.

    A longer cool-down than LONGEST_COOL_DOWN_SECONDS is not believed (`claim_order.may_run`).
    """
    assert delay_seconds <= LONGEST_COOL_DOWN_SECONDS
    if job.want == "cancel":
        finish(session, job, JobState.CANCELLED)
    elif job.want == "pause":
        pause(session, job)
    else:
        _release(job, JobState.QUEUED)
        # Without a delay not even the clock's now: it goes on within a transaction.
        job.not_before = database_now(session) + delay_seconds if delay_seconds else 0.0
        message = f"{reason.message}; the job waits for another attempt"
        data = {"code": reason.code, "delay_seconds": delay_seconds}
        add_event(session, job, "warn", "requeued", message, data)


def lose_worker(session: Session, job: Job, reason: Failure) -> None:
    """Gives a lost worker's job back to the queue, or gives it up after too many of them.

    The first time the job waits for nothing; then longer and longer, so that others come first.
    """
    job.infra_failures += 1
    if job.want != "cancel" and job.infra_failures >= MAX_INFRA_FAILURES:
        message = f"{MAX_INFRA_FAILURES} workers were lost with this job"
        finish(session, job, JobState.FAILED, Failure(code="worker_lost", message=message))
    else:
        requeue(session, job, reason, backoff(job.infra_failures - 1))


def fail_attempt(session: Session, job: Job, failure: Failure) -> None:
    """Does what the failure asks for: another attempt while some are left, a pause, or the end."""
    # Before it is counted: what only a person can mend must not use up the attempts.
    if failure.then == "pause":
        pause(session, job, failure)
        return
    job.failures += 1
    if job.want == "cancel":
        finish(session, job, JobState.CANCELLED)
    elif failure.then == "retry" and job.failures < job.max_attempts:
        requeue(session, job, failure, backoff(job.failures))
    else:
        finish(session, job, JobState.FAILED, failure)


def _release(job: Job, state: JobState) -> None:
    """Moves the job on, and ends its lease if it has one."""
    assert may_move(JobState(job.state), state), f"{job.state} -> {state}"
    job.state, job.lease_owner, job.lease_until, job.eta_seconds = state, None, None, None


def _write_error(job: Job, failure: Failure | None) -> None:
    job.error_code = failure.code if failure else None
    job.error_message = failure.message if failure else None
    job.error_param = failure.param if failure else None
