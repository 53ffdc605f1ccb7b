"""Clocks that a test sets: the monotonic one of a process, and the date by which a database tells."""

from dataclasses import dataclass


@dataclass
class ManualClock:
    """A monotonic clock that goes on when a test says so."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now

    def goes_on(self, seconds: float) -> None:
        self.now += seconds
