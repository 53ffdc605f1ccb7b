"""How the work of a function grows with its input: the same number on a fast and a slow machine."""

import time
from collections.abc import Callable

LARGER = 8
QUADRATIC = LARGER**1.5
"""Between the growth of one pass (8) and that of a pass for every element (64)."""


def growth(work: Callable[[int], object], size: int) -> float:
    """Gives how many times the processor time of `work(8 * size)` is that of `work(size)`.

    The least of three of each: another process may cost time, and never saves any.
    """
    small, large = (min(_seconds(work, times) for _ in range(3)) for times in (size, LARGER * size))
    return large / small


def _seconds(work: Callable[[int], object], size: int) -> float:
    began = time.process_time()
    work(size)
    # Never nothing: the clock has steps.
    return time.process_time() - began + 1e-6
