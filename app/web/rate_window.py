"""Counts requests in windows of a monotonic clock, for the limits of the gate."""

import time
from collections.abc import Callable

from limits.aio.storage import Storage

SWEEP_AT = 10_000
"""Windows that are kept before those that are over are first looked for: one for each key or
address."""


class SteadyStorage(Storage):
    """Storage of the library's fixed windows, in this process.

    The library's own (limits 5.8) ends a window at a date: where the clock was set back by a day, a
    key that had reached its limit stayed refused for a day.
    """

    # Without a scheme: the library's register of storages is for those that a URL names.
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._windows: dict[str, tuple[float, int]] = {}
        self._sweep_at = SWEEP_AT

    @property
    def base_exceptions(self) -> type[Exception]:
        """Errors that the library is to translate: nothing here raises one."""
        return ValueError

    async def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Counts requests in the key's window, which begins with the first of them."""
        now = self._clock()
        # Addresses are many and windows short: those that are over would fill the memory.
        if len(self._windows) >= self._sweep_at:
            self._windows = {name: old for name, old in self._windows.items() if old[0] > now}
            # Twice what lives: else each request would sweep while so many addresses guess.
            self._sweep_at = max(SWEEP_AT, 2 * len(self._windows))
        ends_at, count = self._windows.get(key, (now + expiry, 0))
        if ends_at <= now:
            ends_at, count = now + expiry, 0
        self._windows[key] = (ends_at, count + amount)
        return count + amount

    async def get(self, key: str) -> int:
        """Gives the requests in the key's window."""
        ends_at, count = self._windows.get(key, (0.0, 0))
        return count if ends_at > self._clock() else 0

    async def get_expiry(self, key: str) -> float:
        """Gives the end of the key's window, by the same clock."""
        return self._windows.get(key, (self._clock(), 0))[0]

    async def check(self) -> bool:
        """Tells that it answers."""
        return True

    async def reset(self) -> int:
        """Forgets every window, and gives their number."""
        count = len(self._windows)
        self._windows.clear()
        return count

    async def clear(self, key: str) -> None:
        """Forgets the key's window."""
        self._windows.pop(key, None)
