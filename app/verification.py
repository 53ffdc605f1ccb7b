"""Gives every key its turn at the verifier, without a thread of the api for those who wait."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextvars import copy_context
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from app.db.ownership import acting
from app.slots import Queue
from inframind.sandbox.callers import Caller, FairThreads
from inframind.types import Verdict, VerifyRequest
from inframind.verifier.verifier import RequestError, Verifier, meaningful

Result = TypeVar("Result")
UPLOADS_AT_ONCE = 2
"""Uploads that are read at once, one of each key: each keeps a processor and the lock of Python
busy, and its rows have their turn at the verifier among everybody's."""
SPARE_PROCESSES = 1
"""Processes of the verifier that no key alone can keep busy."""


class Verification:
    """The verifier, for whoever acts; work is given up when its task is cancelled."""

    def __init__(self, verifier: Verifier, limit: int) -> None:
        self._verifier = verifier
        self.queue = Queue("the verifier", limit)
        # Guards read whole texts, 40 ms for the worst: not on the event loop, and not in the
        # threads that others' reads need.
        self._guards = CapacityLimiter(1)
        self._uploads = FairThreads(UPLOADS_AT_ONCE, 1, "uploads")

    def close(self) -> None:
        """Ends the threads."""
        self._uploads.close()

    async def verify_many(self, requests: Sequence[VerifyRequest]) -> list[Verdict]:
        """Judges texts.

        Raises TooManyRequestsError, and ConfigError or DataError for one that has no meaning.
        """
        with self.queue.place():
            return await self.judge_answers(requests)

    async def judge_answers(self, requests: Sequence[VerifyRequest]) -> list[Verdict]:
        """Judges answers of a request that is in hand already: refused half-way it was for nothing.

        Raises ConfigError or DataError for one that has no meaning.
        """
        caller = Caller(acting.get().key or "")

        def submit() -> list[Future[Verdict | RequestError]]:
            return [self._verifier.submit(request, caller) for request in requests]

        try:
            futures = await to_thread.run_sync(submit, limiter=self._guards)
            return meaningful(await asyncio.gather(*map(asyncio.wrap_future, futures)))
        finally:
            caller.leave()

    async def upload(self, read: Callable[[Verifier, Caller], Result]) -> Result:
        """Calls what reads an upload and has its rows judged, in the key's turn."""
        caller = Caller(acting.get().key or "")
        call = copy_context().run
        future = self._uploads.run(caller, lambda: call(read, self._verifier, caller))
        try:
            return await asyncio.wrap_future(future)
        finally:
            caller.leave()
