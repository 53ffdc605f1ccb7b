"""Waits for conditions. No test says how long something may take: a slow machine is no fault."""

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")

HANG_SECONDS = 600.0
"""After so long a wait is taken for a hang: for clients' and processes' timeouts too. It only ends
a run that would never end, so it is many times what the slowest machine needs."""
LOOK_SECONDS = 0.02


def until(condition: Callable[[], Value]) -> Value:
    """Gives the first true value of `condition()`; fails after HANG_SECONDS."""
    deadline = time.monotonic() + HANG_SECONDS
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not happen, and the test does not wait on"
        time.sleep(LOOK_SECONDS)
    return value
