"""The file by which a supervisor lets its trainer go on: until a moment, moved with each renewal.

Times are of this host's monotonic clock, which all its processes share.
"""

import os
import time
from pathlib import Path

from inframind.durable import write_whole
from workers.pipe import EXIT_LEASE_LOST

WATCH_SECONDS = 0.2


def deadline_file(run_dir: Path) -> Path:
    """Names the file in the attempt's folder."""
    return run_dir / "deadline"


def allow_until(run_dir: Path, moment: float) -> None:
    """Lets the trainer go on until then. The file is replaced whole: a reader never sees half."""
    # Unsynced: a slow disk must not delay the next renewal, and no number outlives a loss of power.
    write_whole(deadline_file(run_dir), str(moment).encode(), synced=False)


def watch_deadline(file: Path) -> None:
    """Ends this process when the moment has passed, or when no file allows anything."""
    while _may_go_on(file):
        time.sleep(WATCH_SECONDS)
    # `sys.exit` would end this thread alone.
    os._exit(EXIT_LEASE_LOST)


def _may_go_on(file: Path) -> bool:
    try:
        # CLOCK_MONOTONIC is one clock for all processes of a machine (clock_gettime(2)), and no
        # change of the date moves it: the supervisor's number holds here.
        return time.monotonic() <= float(file.read_text())
    except (OSError, ValueError):
        return False
