"""Shares places among those who wait for them, and lets go of the work of whoever leaves."""

import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from inframind.errors import InfraMindError

Result = TypeVar("Result")
LEAVING_SECONDS = 1.0
"""How long a call may go on after its caller has left. Nearly every text is judged in a twentieth
of it, and a worker that is let finish need not be started again."""


class AbandonedError(InfraMindError):
    """The call was given up: its caller has left."""

    code = "abandoned"


class Caller:
    """Somebody who waits for calls, until they `leave`. Thread-safe.

    Callers with the same name share the places that one name may have.
    """

    def __init__(self, name: str = "") -> None:
        self.name = name
        self._lock = threading.Lock()
        self._left_at: float | None = None
        self._waiting: set[Future[Any]] = set()

    @property
    def has_left(self) -> bool:
        """Tells whether nobody waits any more."""
        return self._left_at is not None

    def seconds_left(self, deadline: float) -> float:
        """Gives the seconds until a call's deadline, which is near once the caller has left."""
        left_at = self._left_at
        end = deadline if left_at is None else min(deadline, left_at + LEAVING_SECONDS)
        return end - time.monotonic()

    def expect(self, future: Future[Any]) -> None:
        """Gives up the future when the caller leaves. Raises AbandonedError if they have left."""
        with self._lock:
            if self.has_left:
                raise AbandonedError
            self._waiting.add(future)
        future.add_done_callback(self._waiting.discard)

    def leave(self) -> None:
        """Ends the calls that wait, at once, and within LEAVING_SECONDS those that run."""
        with self._lock:
            self._left_at = self._left_at or time.monotonic()
            waiting = list(self._waiting)
        # Outside the lock: `cancel` runs the callbacks of the future in this thread.
        for future in waiting:
            future.cancel()


def in_order(futures: Iterable[Future[Result]], ahead: int) -> Iterator[Result]:
    """Gives the results in the order of the futures, of which `ahead` are made before their turn.

    Raises what they raise, and AbandonedError when their caller leaves.
    """
    # A future for each of 20,000 rows at once, with the lock in it, made passes of the garbage
    # collector half a second long, in which an api answers nobody.
    waiting: deque[Future[Result]] = deque()
    try:
        for future in futures:
            waiting.append(future)
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except CancelledError:
        raise AbandonedError from None


@dataclass(frozen=True)
class Call:
    """Some work, who waits for it, and the future that the work settles."""

    caller: Caller
    future: Future[Any]
    work: Callable[[], object]


class FairQueue:
    """Calls in the order in which they are served. Thread-safe.

    The next one is of the name with the fewest calls under way, and of those of the one that was
    served longest ago; a name with `limit` calls under way waits, whoever else does not.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._waiting: OrderedDict[str, deque[Call]] = OrderedDict()
        self._running: Counter[str] = Counter()

    def add(self, call: Call) -> None:
        """Puts a call behind the others of its caller's name."""
        with self._lock:
            self._waiting.setdefault(call.caller.name, deque()).append(call)

    def take(self) -> Call | None:
        """Takes the next call; None: nobody waits who may have a place. `done` gives it back."""
        with self._lock:
            # `min` takes the first of equals, and whoever was served last stands last.
            name = min(self._waiting, key=lambda name: self._running[name], default=None)
            if name is None or self._running[name] >= self._limit:
                return None
            call = self._waiting[name].popleft()
            self._waiting.move_to_end(name)
            if not self._waiting[name]:
                del self._waiting[name]
            self._running[name] += 1
            return call

    def done(self, call: Call) -> None:
        """Gives the place of a call back."""
        with self._lock:
            self._running[call.caller.name] -= 1
            if not self._running[call.caller.name]:
                # Names come and go with the keys of a service.
                del self._running[call.caller.name]


class FairThreads:
    """Threads that serve their callers in turn; those of one name have `limit` of them at most."""

    def __init__(self, threads: int, limit: int, name: str) -> None:
        self._queue = FairQueue(limit)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)

    def run(self, caller: Caller, function: Callable[[], Result]) -> Future[Result]:
        """Calls the function in the caller's turn. Raises as `submit`."""
        future: Future[Result] = Future()

        def settle() -> None:
            try:
                future.set_result(function())
            except BaseException as error:  # noqa: BLE001 - it belongs to who waits for the future
                future.set_exception(error)

        self.submit(Call(caller, future, settle))
        return future

    def submit(self, call: Call) -> None:
        """Does the work of a call in its caller's turn, if they have not left by then.

        Raises AbandonedError once they have, RuntimeError after the `close`.
        """
        call.caller.expect(call.future)
        self._queue.add(call)
        # A turn for every call: one that finds nobody who may have a place ends, and the thread
        # that gives a place back looks again.
        self._threads.submit(self._serve)

    def _serve(self) -> None:
        while (call := self._queue.take()) is not None:
            try:
                if call.future.set_running_or_notify_cancel():
                    call.work()
            finally:
                self._queue.done(call)

    def close(self) -> None:
        """Ends the threads when all calls are done."""
        self._threads.shutdown(wait=True)
