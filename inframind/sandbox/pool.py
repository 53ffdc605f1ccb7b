"""Keeps warm worker processes and gives each call a deadline.

A call that hangs, fills or crashes its worker is repeated once, alone, in a fresh worker: a second
time the call itself is the cause. No other module of the library but `isolation` starts processes.
"""

import logging
import os
import queue
import resource
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import IO, Literal

from inframind.errors import SandboxError
from inframind.sandbox.callers import AbandonedError, Call, Caller, FairThreads, Result, in_order
from inframind.sandbox.confinement import MEMORY_BYTES, MemoryBound
from inframind.sandbox.worker import ANSWER, EXHAUSTED, REQUEST, RESPONSE

log = logging.getLogger(__name__)

START_SECONDS = 60.0
END_SECONDS = 5.0
"""Time between the end of a worker's pipe and its own."""
WALL_FACTOR = 5.0
"""Wall-clock limit of a call in units of its processor-time limit.

Five, for a machine that is busy; finite, for a worker that only sleeps.
"""
WATCH_SECONDS = 0.05
"""Time between two looks at the memory of a worker whose address space is not limited."""
AHEAD = 16
"""Calls of a batch that wait for each worker: none is idle while their caller makes the next."""
LOOK_SECONDS = 0.25
"""Time between two looks whether anybody still waits for a call."""
CALLS_PER_WORKER = 20_000
"""A worker is replaced after so many calls, so that a slow leak in a parser stays small."""


LossReason = Literal["deadline", "memory", "crash"]


class WorkerLostError(Exception):
    """The worker raised, crashed, or passed a limit; `detail` says where, if it is known.

    Whoever sends a text decides about time and memory, so `deadline` and `memory` are limits that a
    text can pass. A `crash` is a mistake of the checker, whatever the text.
    """

    def __init__(self, reason: LossReason, detail: str = "") -> None:
        super().__init__(detail or reason)
        self.reason: LossReason = reason
        self.detail = detail


class CallFailedError(WorkerLostError):
    """The call was lost in two workers, the second one fresh."""


Reply = str | CallFailedError | SandboxError
"""The answer to a call; CallFailedError where the text is at fault, SandboxError where the
environment is."""


class WorkerProcess:
    """Starts and talks to one process. Raises SandboxError if it does not start.

    Not thread-safe: the pool hands it to one thread at a time.
    """

    def __init__(
        self, target: str, cpu_seconds: float, bound: MemoryBound = "address-space"
    ) -> None:
        self._limit = cpu_seconds * WALL_FACTOR
        self._watched = bound == "resident"
        self.calls = 0
        command = [
            sys.executable,
            "-I",
            "-m",
            "inframind.sandbox.worker",
            target,
            str(os.getpid()),
            str(cpu_seconds),
            bound,
        ]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own module, no text of a model
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                cwd="/",
                env={"LC_ALL": "C.UTF-8"},
                start_new_session=True,
            )
        except OSError as error:
            raise SandboxError(f"cannot start a verifier worker: {error}") from None
        os.set_blocking(self._descriptor(self._process.stdin), False)
        try:
            self._receive(time.monotonic() + START_SECONDS, Caller())
        except WorkerLostError:
            self.close()
            raise SandboxError(
                "a verifier worker did not start; what it printed says why"
            ) from None

    @property
    def process_id(self) -> int:
        """The process id of the worker."""
        return self._process.pid

    def call(self, payload: bytes, caller: Caller) -> bytes:
        """Calls the function. Raises WorkerLostError; the worker is dead then."""
        self.calls += 1
        deadline = time.monotonic() + self._limit
        try:
            self._send(REQUEST.pack(len(payload)) + payload, deadline, caller)
            return self._receive(deadline, caller)
        except WorkerLostError:
            self.close()
            raise

    def _send(self, data: bytes, deadline: float, caller: Caller) -> None:
        descriptor = self._descriptor(self._process.stdin)
        rest = memoryview(data)
        while rest:
            self._wait(descriptor, select.POLLOUT, deadline, caller)
            try:
                rest = rest[os.write(descriptor, rest) :]
            except BrokenPipeError:
                raise self._lost() from None

    def _receive(self, deadline: float, caller: Caller) -> bytes:
        status, size = RESPONSE.unpack(self._read(RESPONSE.size, deadline, caller))
        answer = self._read(size, deadline, caller)
        if status != ANSWER:
            reason: LossReason = "memory" if status == EXHAUSTED else "crash"
            raise WorkerLostError(reason, answer.decode("utf-8", "replace"))
        return answer

    def _read(self, size: int, deadline: float, caller: Caller) -> bytes:
        descriptor = self._descriptor(self._process.stdout)
        data = bytearray()
        while len(data) < size:
            self._wait(descriptor, select.POLLIN, deadline, caller)
            piece = os.read(descriptor, size - len(data))
            if not piece:
                raise self._lost()
            data += piece
        return bytes(data)

    def _wait(self, descriptor: int, event: int, deadline: float, caller: Caller) -> None:
        # poll, because select refuses descriptors over 1023, which a busy server has.
        poll = select.poll()
        poll.register(descriptor, event)
        pause = WATCH_SECONDS if self._watched else LOOK_SECONDS
        while (left := caller.seconds_left(deadline)) > 0:
            if poll.poll(min(left, pause) * 1000):
                return
            if self._watched and resident_bytes(self.process_id) > MEMORY_BYTES:
                raise WorkerLostError("memory", "out of memory")
        raise WorkerLostError("deadline")

    def _lost(self) -> WorkerLostError:
        """Finds out why the process has closed its pipe."""
        try:
            code = self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            return WorkerLostError("crash")
        # A native allocator that is refused memory aborts, as other mistakes do. Which it was
        # cannot be told: ru_maxrss holds the parent's size from before exec (getrusage(2)).
        reason: LossReason = "deadline" if code == -signal.SIGPROF else "crash"
        return WorkerLostError(reason, f"worker ended with status {code}")

    @staticmethod
    def _descriptor(pipe: IO[bytes] | None) -> int:
        assert pipe is not None
        return pipe.fileno()

    def close(self) -> None:
        """Kills the process and waits for it."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait()


def resident_bytes(process_id: int) -> int:
    """Reads the memory that a process holds now (proc(5)); 0 if it has ended."""
    try:
        return (
            int(Path(f"/proc/{process_id}/statm").read_text().split()[1]) * resource.getpagesize()
        )
    except (OSError, IndexError):
        return 0


class Pool:
    """Calls a function in worker processes, which start when they are first needed. Thread-safe.

    `target` is "module:function", from text to text. `deadline_seconds` limits a call's processor
    time; its wall-clock time is limited to five times as much. `bound` says how memory is limited.
    Callers of one name keep `workers` processes busy at most; `spare` more are for the others.
    """

    def __init__(
        self,
        target: str,
        workers: int = 2,
        deadline_seconds: float = 2.0,
        bound: MemoryBound = "address-space",
        spare: int = 0,
    ) -> None:
        self.size = workers + spare
        self._target = target
        self._bound: MemoryBound = bound
        self._deadline = deadline_seconds
        self._idle: queue.LifoQueue[WorkerProcess | None] = queue.LifoQueue()
        for _ in range(self.size):
            self._idle.put(None)
        self._spare = spare
        self._closed = threading.Event()
        # Workers die with the thread that started them (prctl(2), PR_SET_PDEATHSIG): only threads
        # of the pool start any.
        self._threads = FairThreads(self.size, workers, "verifier")

    def call(self, payload: str) -> str:
        """Calls the function once.

        Raises CallFailedError for the text's fault, SandboxError for the environment's.
        """
        answer = self.map([payload])[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def map(self, payloads: Sequence[str], caller: Caller | None = None) -> list[Reply]:
        """Calls the function for each payload, with all workers at once.

        The answers are in the payloads' order; a failed call's is its exception. Raises
        SandboxError once the pool is closed, AbandonedError once the caller has left.
        """
        caller = caller or Caller()
        futures = (self.submit(payload, caller, lambda reply: reply) for payload in payloads)
        return list(in_order(futures, AHEAD * self.size))

    def submit(
        self, payload: str, caller: Caller, finish: Callable[[Reply], Result]
    ) -> Future[Result]:
        """Calls the function in the caller's turn, and gives what `finish` makes of the reply.

        Raises SandboxError once the pool is closed, AbandonedError once the caller has left. The
        future is cancelled, or raises AbandonedError, when the caller leaves.
        """
        if self._closed.is_set():
            raise SandboxError("the verifier is closed")
        future: Future[Result] = Future()
        self._threads.submit(
            Call(caller, future, lambda: self._answer(payload, caller, finish, future))
        )
        if self._spare:
            self._start_spare()
        return future

    @property
    def is_busy(self) -> bool:
        """Tells whether a call is under way, or a worker of one is being replaced."""
        return self._idle.qsize() < self.size

    def process_ids(self) -> list[int]:
        """Lists the process ids of the idle workers."""
        with self._idle.mutex:
            return [worker.process_id for worker in self._idle.queue if worker is not None]

    def _start_spare(self) -> None:
        """Starts all processes with the first call: who comes to a busy pool waits for none."""
        self._spare = 0
        for place in range(self.size):
            caller = Caller(f"start-{place}")
            self._threads.run(caller, lambda: self._idle.put(self._idle.get() or self._started()))

    def _answer(
        self,
        payload: str,
        caller: Caller,
        finish: Callable[[Reply], Result],
        future: Future[Result],
    ) -> None:
        """Sets the result of one call; whatever goes wrong is told to its caller alone."""
        worker = self._idle.get()
        is_lost = False
        try:
            reply, worker = self._reply(worker, payload, caller)
            is_lost = isinstance(reply, CallFailedError)
            if is_lost and caller.has_left:
                raise AbandonedError
            future.set_result(finish(reply))
        except Exception as error:  # noqa: BLE001 - it belongs to this caller, not to this thread
            future.set_exception(error)
        finally:
            if worker is not None and worker.calls >= CALLS_PER_WORKER:
                worker.close()
                worker = None
            # Who lost a worker waits for the new one here, and the next caller finds it warm.
            self._idle.put(self._started() if is_lost else worker)

    def _reply(
        self, worker: WorkerProcess | None, payload: str, caller: Caller
    ) -> tuple[Reply, WorkerProcess | None]:
        """The reply, and the worker if it lives."""
        data = payload.encode("utf-8", "surrogatepass")
        try:
            try:
                worker = worker or self._fresh()
                answer = worker.call(data, caller)
            except WorkerLostError as error:
                if caller.has_left:
                    raise
                log.warning("a verifier worker was lost (%s); trying again in a fresh one", error)
                worker = self._fresh()
                answer = worker.call(data, caller)
        except WorkerLostError as error:
            return CallFailedError(error.reason, error.detail), None
        except SandboxError as error:
            return error, None
        except OSError as error:
            # A pipe or a system that fails otherwise than by an end: this worker is not trusted.
            log.exception("a verifier worker could not be spoken to")
            if worker is not None:
                worker.close()
            return SandboxError(f"a verifier worker could not be spoken to: {error}"), None
        return answer.decode("utf-8", "surrogatepass"), worker

    def _fresh(self) -> WorkerProcess:
        return WorkerProcess(self._target, self._deadline, self._bound)

    def _started(self) -> WorkerProcess | None:
        """A worker for calls to come; None: there is none now, and the next call tells why."""
        try:
            return None if self._closed.is_set() else self._fresh()
        except SandboxError:
            return None

    def close(self) -> None:
        """Ends every worker; calls under way finish first."""
        self._closed.set()
        self._threads.close()
        for worker in [self._idle.get() for _ in range(self.size)]:
            if worker is not None:
                worker.close()
            self._idle.put(None)
