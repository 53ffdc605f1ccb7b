"""Tells a time by which only what is surely old looks old, whoever sets the database's clock."""

import time
from collections.abc import Callable

# NTP slews a clock by 0.5 ms/s at most (adjtimex(2)): a difference of seconds between two looks is
# a leap, or a question that took that long.
LEAP_SECONDS = 5.0


class SteadyClock:
    """Follows the database's clock, but not where it leaps forward between two looks.

    A leap is a difference to this process's monotonic clock. Rows from before the leap keep their
    true age; those from after it look younger than they are, by the leap. Back is believed at once:
    it makes rows younger, and nothing is deleted for that.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: tuple[float, float] | None = None
        self._leapt = 0.0

    def look(self, database_now: float) -> float:
        """Gives the time to measure ages by."""
        counted = self._clock()
        if self._last is not None:
            leap = (database_now - self._last[0]) - (counted - self._last[1])
            # The sum: a clock that is set forward and back again has not leapt.
            self._leapt += leap if abs(leap) > LEAP_SECONDS else 0.0
        self._last = (database_now, counted)
        return database_now - max(0.0, self._leapt)
