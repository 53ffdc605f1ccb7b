"""Child processes that cannot outlive their parent: own session, and the kernel kills them when the parent dies."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

PARENT = "INFRAMIND_PARENT_PID"
PR_SET_PDEATHSIG = 1


def spawn(
    module: str, *arguments: str, env: Mapping[str, str], **options: Any
) -> "subprocess.Popen[bytes]":
    """Starts `python -m module` in a session of its own. Call it from the main thread.

    The kernel ties a child to the thread that started it, not to the process (prctl(2), PR_SET_PDEATHSIG).
    """
    command = [sys.executable, "-P", "-m", module, *arguments]
    return subprocess.Popen(  # noqa: S603 - our own modules
        command, env={**env, PARENT: str(os.getpid())}, start_new_session=True, **options
    )


def die_with_parent() -> None:
    """The first thing a child does: from now on the parent's death is its own, also by kill -9."""
    parent = os.environ.pop(PARENT, None)
    if parent is None:
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != int(parent):
        # The parent was gone before the kernel knew of the tie.
        os._exit(0)


def signal_group(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    """Sends a signal to the child's whole process group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def stop(process: "subprocess.Popen[bytes]", grace_seconds: float) -> int:
    """Asks a child to end, kills its process group when it does not, and gives its exit status."""
    if process.poll() is None:
        process.terminate()
        deadline = time.monotonic() + grace_seconds
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
    signal_group(process, signal.SIGKILL)
    return process.wait()
