"""Lets a trainer's events through, and of a flood of them a part and a count."""

from collections import Counter

BURST = 1000
"""Events that may come at once: an honest run of 100,000 steps has some dozens."""
PER_SECOND = 1.0
TELL_SECONDS = 10.0
"""A flood that goes on is told of so often."""
MAX_CODES = 20
"""Codes that are counted by name: a trainer may make up any number of them."""
OTHER = "others"


class EventBudget:
    """A token bucket, on the caller's monotonic clock, and the count of what it left out."""

    def __init__(self, now: float) -> None:
        self._tokens, self._filled_at = float(BURST), now
        self._left_out: Counter[str] = Counter()
        self._since = now

    def admits(self, code: str, now: float) -> bool:
        """Tells whether one more event may be written, and counts it if not."""
        self._tokens = min(BURST, self._tokens + (now - self._filled_at) * PER_SECOND)
        self._filled_at = now
        if self._tokens >= 1.0:
            self._tokens -= 1.0
            return True
        # From the first one on: what is left out is told of after TELL_SECONDS, not at once, so
        # that a flood makes one event of ten seconds and not one for each of its parts.
        if not self._left_out:
            self._since = now
        is_listed = code in self._left_out or len(self._left_out) < MAX_CODES
        self._left_out[code if is_listed else OTHER] += 1
        return False

    def is_due(self, now: float) -> bool:
        """Tells whether events were left out and nobody was told for a while."""
        return bool(self._left_out) and now - self._since >= TELL_SECONDS

    @property
    def left_out(self) -> Counter[str]:
        """The numbers of events left out and not yet told of, by code."""
        return self._left_out

    def forget(self) -> None:
        """Notes that somebody was told."""
        self._left_out = Counter()
