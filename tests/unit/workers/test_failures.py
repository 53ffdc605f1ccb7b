"""An attempt's end becomes a failure that a user can read, and a next move."""

import errno
import os
import signal

import pytest

from app.errors import StoreError
from app.jobs.failure import MAX_MESSAGE
from inframind.errors import ConfigError, NonFiniteError, SandboxError
from workers import failures


def wrapped(cause: Exception) -> Exception:
    """A library's error with the system's own below it."""
    try:
        raise RuntimeError("cannot write") from cause
    except RuntimeError as error:
        return error


@pytest.mark.parametrize(
    ("error", "code", "then"),
    [
        (ConfigError("no", param="seed"), "invalid_config", "fail"),
        (SandboxError("no workers"), "verifier_unavailable", "retry"),
        (NonFiniteError("nan"), "non_finite", "fail"),
        (MemoryError(), "out_of_memory", "fail"),
        (ModuleNotFoundError("no", name="trl"), "missing_package", "fail"),
        (KeyError("missing"), "internal_error", "retry"),
        (OSError(errno.ENOSPC, "full"), "no_space", "pause"),
        (wrapped(OSError(errno.EDQUOT, "full")), "no_space", "pause"),
        (RuntimeError(f"writer: {os.strerror(errno.ENOSPC)}"), "no_space", "pause"),
    ],
)
def test_an_exception_has_a_code_and_says_whether_to_try_again(
    error: Exception, code: str, then: str
) -> None:
    failure = failures.of_exception(error)
    assert (failure.code, failure.then) == (code, then) and failure.message


def test_our_own_errors_keep_the_field_and_long_messages_are_cut() -> None:
    assert failures.of_exception(ConfigError("no", param="stages.0")).param == "stages.0"
    long = failures.of_exception(ValueError("x" * 9999)).message
    assert len(long) == MAX_MESSAGE and long.endswith(failures.LOG_HINT)


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (3, "trainer_exited", "status 3"),
        (-signal.SIGKILL, "trainer_killed", "out-of-memory"),
        (-signal.SIGSEGV, "trainer_killed", "SIGSEGV"),
        (-250, "trainer_killed", "250"),
    ],
)
def test_an_end_without_a_word_is_told_by_its_status(status: int, code: str, said: str) -> None:
    failure = failures.of_exit_status(status)
    assert (failure.code, failure.then) == (code, "retry") and said in failure.message


@pytest.mark.parametrize(
    ("error", "code", "then"),
    [
        (OSError(errno.ENOSPC, "full"), "no_space", "pause"),
        (OSError(errno.EIO, "broken"), "disk_error", "retry"),
        (StoreError("away"), "artifacts_unavailable", "retry"),
    ],
)
def test_a_disk_or_a_store_that_fails(error: OSError, code: str, then: str) -> None:
    failure = failures.of_artifacts(error)
    assert (failure.code, failure.then) == (code, then)
