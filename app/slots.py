"""Bounds the requests that each part of the service has in hand, and every key's share of them."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from app.db.ownership import acting
from app.errors import TooManyRequestsError

RETRY_AFTER_SECONDS = 2


class Queue:
    """Requests in hand of one part of the service. Use it from one event loop.

    A key has at most as many of them as there are places left for the others: no key fills it.
    """

    def __init__(self, name: str, limit: int) -> None:
        self._name, self._limit = name, limit
        self._of_key: Counter[str] = Counter()
        self.taken = 0

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place while the block runs.

        Raises TooManyRequestsError when all are taken, or the key of the request has its share.
        """
        key = acting.get().key
        if self.taken >= self._limit:
            raise TooManyRequestsError(
                f"{self._name} has {self._limit} requests in hand; try again in a moment",
                RETRY_AFTER_SECONDS,
            )
        # Dynamic thresholds (Choudhury and Hahne, 1998): alone a key gets half, and k keys 1/(k+1)
        # each, so that whoever comes next finds a place without any being kept idle for them. An
        # open service has no keys, and nobody to share with.
        if key is not None and self._of_key[key] >= self._limit - self.taken:
            raise TooManyRequestsError(
                f"{self._name} has {self._of_key[key]} requests of this key in hand, of"
                f" {self._limit} for all; try again in a moment",
                RETRY_AFTER_SECONDS,
            )
        self.taken += 1
        self._of_key[key or ""] += 1
        try:
            yield
        finally:
            self.taken -= 1
            self._of_key[key or ""] -= 1
            if not self._of_key[key or ""]:
                # Keys come and go.
                del self._of_key[key or ""]
