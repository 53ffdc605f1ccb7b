"""Starts our processes: the one place that does.

A child finds our modules wherever the command was started, has a session of its own, and cannot
outlive its parent: the kernel kills it when the parent dies.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PARENT = "INFRAMIND_PARENT_PID"
PR_SET_PDEATHSIG = 1
QUIET = {
    # Of tqdm, read when it is imported; transformers, TRL, peft and datasets draw with it.
    "TQDM_DISABLE": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    # No terminal reads a log: rich and pip would ask it for its colours.
    "NO_COLOR": "1",
}
"""Variables by which libraries leave progress bars and colours out of a child's log."""
ROOT = Path(__file__).parents[1]
"""The folder of our packages."""


def module_path(environment: Mapping[str, str]) -> dict[str, str]:
    """Makes the variables by which Python finds our modules first, and none in the current folder.

    A folder in which somebody works may well hold a package named `app`.
    """
    rest = environment.get("PYTHONPATH", "").split(os.pathsep)
    # A child's child gets it from its parent: once is enough.
    path = [str(ROOT), *(folder for folder in rest if folder and folder != str(ROOT))]
    return {"PYTHONSAFEPATH": "1", "PYTHONPATH": os.pathsep.join(path)}


def spawn(
    module: str, *arguments: str, env: Mapping[str, str], **options: Any
) -> "subprocess.Popen[bytes]":
    """Starts `python -m module` in a session of its own. Call it from the main thread.

    The kernel ties a child to the thread that started it, not to the process (prctl(2),
    PR_SET_PDEATHSIG).
    """
    return subprocess.Popen(  # noqa: S603 - our own modules
        [sys.executable, "-m", module, *arguments],
        env={**env, **QUIET, **module_path(env), PARENT: str(os.getpid())},
        # A terminal's Ctrl-C goes to its whole foreground group (setsid(2)): only we pass an end
        # on.
        start_new_session=True,
        **options,
    )


def die_with_parent() -> None:
    """Ties this process's life to its parent's, also against kill -9. A child's first call."""
    # Taken out, so that this process's own children do not take our parent for theirs.
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
        # A verifier's workers lead sessions of their own and are not reached by this: the kernel
        # kills them with the thread that started them (PR_SET_PDEATHSIG).
        os.killpg(process.pid, number)


def stop(process: "subprocess.Popen[bytes]", grace_seconds: float) -> int:
    """Asks a child to end, kills its process group if it does not, and gives its exit status."""
    if process.poll() is None:
        process.terminate()
        deadline = time.monotonic() + grace_seconds
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
    # After a tidy end too: a child of the child may have stayed in its group.
    signal_group(process, signal.SIGKILL)
    return process.wait()
