"""Places for those who wait. A queue without an end only makes everybody late."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.errors import TooManyRequestsError

RETRY_AFTER_SECONDS = 2


class Queue:
    """Requests in hand of one part of the service. Use it from one event loop."""

    def __init__(self, name: str, limit: int) -> None:
        self._name, self._limit = name, limit
        self.taken = 0

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place while the block runs. Raises TooManyRequestsError when all are taken."""
        if self.taken >= self._limit:
            raise TooManyRequestsError(
                f"{self._name} has {self._limit} requests in hand; try again in a moment",
                RETRY_AFTER_SECONDS,
            )
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1
