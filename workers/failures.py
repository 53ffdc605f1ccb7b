"""Translates what ends an attempt, an exception, an exit or a bad disk, into a failure to tell."""

import contextlib
import errno
import os
import signal

from app.errors import StoreError, UnreadableJobError
from app.jobs.failure import MAX_MESSAGE, Failure
from inframind.errors import (
    InfraMindError,
    NoSpaceError,
    OutOfMemoryError,
    SandboxError,
    is_disk_full,
)
from inframind.installation import extra_of, missing_packages

NO_SPACE = Failure(code=NoSpaceError.code, message=str(NoSpaceError()), then="pause")
LOG_HINT = " (`inframind jobs logs ID` and GET /jobs/{id}/log show the trainer's log)"


def of_exception(error: Exception) -> Failure:
    """Translates what the run raised in the trainer.

    Errors of ours say what to do; the others name themselves, and the log has the rest.
    """
    if isinstance(error, NoSpaceError) or is_disk_full(error):
        return NO_SPACE
    if isinstance(error, SandboxError):
        # The verifier's environment may recover by the next attempt; a wrong setting does not.
        return Failure(code=error.code, message=str(error), param=error.param, then="retry")
    if isinstance(error, InfraMindError):
        return Failure(code=error.code, message=str(error), param=error.param)
    if isinstance(error, MemoryError):
        return Failure(code=OutOfMemoryError.code, message=str(OutOfMemoryError()))
    if isinstance(error, ModuleNotFoundError):
        message = missing_packages([str(error.name)], extra_of(error.name) or "train")
        return Failure(code="missing_package", message=message)
    message = f"{type(error).__name__}: {error}"[: MAX_MESSAGE - len(LOG_HINT)]
    return Failure(code="internal_error", message=message + LOG_HINT, then="retry")


def of_exit_status(status: int) -> Failure:
    """Translates the end of a trainer that has not said why; a negative status is a signal."""
    if status >= 0:
        message = f"the trainer ended with status {status} before its stages were done{LOG_HINT}"
        return Failure(code="trainer_exited", message=message, then="retry")
    name = str(-status)
    with contextlib.suppress(ValueError):
        name = signal.Signals(-status).name
    message = f"the trainer was killed by {name}"
    # The kernel's killer sends a signal that no process can catch, so nobody else can say why.
    if name == "SIGKILL":
        message += " (often the system's out-of-memory killer: lower `batch_size` or `max_tokens`)"
    else:
        message += LOG_HINT
    return Failure(code="trainer_killed", message=message, then="retry")


def of_report(error: Exception, *, may_pass: bool) -> Failure:
    """Translates a trainer's report that cannot be believed or stored.

    `may_pass`: another attempt may report otherwise, for its disk may.
    """
    message = f"the trainer's report was refused: {error}{LOG_HINT}"
    return Failure(code="report_refused", message=message, then="retry" if may_pass else "fail")


def of_rows(error: UnreadableJobError) -> Failure:
    """Translates rows of a job that this version cannot read, now or later."""
    return Failure(code=error.code, message=str(error), param=error.param)


def of_supervisor(error: Exception) -> Failure:
    """Translates what nobody foresaw in the supervisor. Its text stays in the log: it may quote."""
    message = (
        f"the worker met a {type(error).__name__} with this job, which its log has in full; "
        "other jobs go on"
    )
    return Failure(code="internal_error", message=message, then="retry")


def of_artifacts(error: OSError) -> Failure:
    """Translates what the supervisor met in the folder of the artifacts or the store behind it."""
    if is_disk_full(error):
        return NO_SPACE
    if isinstance(error, StoreError):
        return Failure(code=error.code, message=str(error), then="retry")
    reason = os.strerror(error.errno or errno.EIO)
    message = f"the folder of the artifacts could not be used: {reason}"
    return Failure(code="disk_error", message=message, then="retry")
