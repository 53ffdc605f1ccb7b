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
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Literal

from inframind.errors import SandboxError
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
            self._receive(time.monotonic() + START_SECONDS)
        except WorkerLostError:
            self.close()
            raise SandboxError(
                "a verifier worker did not start; what it printed says why"
            ) from None

    @property
    def process_id(self) -> int:
        """The process id of the worker."""
        return self._process.pid

    def call(self, payload: bytes) -> bytes:
        """Calls the function. Raises WorkerLostError; the worker is dead then."""
        self.calls += 1
        deadline = time.monotonic() + self._limit
        try:
            self._send(REQUEST.pack(len(payload)) + payload, deadline)
            return self._receive(deadline)
        except WorkerLostError:
            self.close()
            raise

    def _send(self, data: bytes, deadline: float) -> None:
        descriptor = self._descriptor(self._process.stdin)
        rest = memoryview(data)
        while rest:
            self._wait(descriptor, select.POLLOUT, deadline)
            try:
                rest = rest[os.write(descriptor, rest) :]
            except BrokenPipeError:
                raise self._lost() from None

    def _receive(self, deadline: float) -> bytes:
        status, size = RESPONSE.unpack(self._read(RESPONSE.size, deadline))
        answer = self._read(size, deadline)
        if status != ANSWER:
            reason: LossReason = "memory" if status == EXHAUSTED else "crash"
            raise WorkerLostError(reason, answer.decode("utf-8", "replace"))
        return answer

    def _read(self, size: int, deadline: float) -> bytes:
        descriptor = self._descriptor(self._process.stdout)
        data = bytearray()
        while len(data) < size:
            self._wait(descriptor, select.POLLIN, deadline)
            piece = os.read(descriptor, size - len(data))
            if not piece:
                raise self._lost()
            data += piece
        return bytes(data)

    def _wait(self, descriptor: int, event: int, deadline: float) -> None:
        # poll, because select refuses descriptors over 1023, which a busy server has.
        poll = select.poll()
        poll.register(descriptor, event)
        while (left := deadline - time.monotonic()) > 0:
            if poll.poll(min(left, WATCH_SECONDS if self._watched else left) * 1000):
                return
            if self._watched and resident_bytes(self.process_id) > MEMORY_BYTES:
                raise WorkerLostError("memory", "out of memory")
        raise WorkerLostError("deadline")

    def _lost(self) -> WorkerLostError:
        """Finds out why the process has closed its pipe."""
        status, peak_bytes = self._end()
        detail = f"worker ended with status {status}"
        if status == -signal.SIGPROF:
            return WorkerLostError("deadline", detail)
        # Where Python raises MemoryError, Rust's and C++'s allocators abort: it was nearly full.
        is_full = status == -signal.SIGABRT and peak_bytes > MEMORY_BYTES // 2
        return WorkerLostError("memory" if is_full else "crash", detail)

    def _end(self) -> tuple[int | None, int]:
        """Waits for the end: exit status (None: it goes on) and the most memory it ever held."""
        deadline = time.monotonic() + END_SECONDS
        while time.monotonic() < deadline:
            process_id, status, usage = os.wait4(self.process_id, os.WNOHANG)
            if process_id:
                self._process.returncode = os.waitstatus_to_exitcode(status)
                # In KiB on Linux (getrusage(2)).
                return self._process.returncode, usage.ru_maxrss * 1024
            time.sleep(0.005)
        return None, 0

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
    """

    def __init__(
        self,
        target: str,
        workers: int = 2,
        deadline_seconds: float = 2.0,
        bound: MemoryBound = "address-space",
    ) -> None:
        self.size = workers
        self._target = target
        self._bound: MemoryBound = bound
        self._deadline = deadline_seconds
        self._idle: queue.LifoQueue[WorkerProcess | None] = queue.LifoQueue()
        for _ in range(workers):
            self._idle.put(None)
        self._closed = threading.Event()
        # Workers die with the thread that started them (prctl(2), PR_SET_PDEATHSIG): only threads
        # of the pool start any.
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="verifier")

    def call(self, payload: str) -> str:
        """Calls the function once.

        Raises CallFailedError for the text's fault, SandboxError for the environment's.
        """
        answer = self.map([payload])[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def map(self, payloads: Sequence[str]) -> list[str | CallFailedError | SandboxError]:
        """Calls the function for each payload, with all workers at once.

        The answers are in the payloads' order; a failed call's is its exception. Raises
        SandboxError once the pool is closed.
        """
        if self._closed.is_set():
            raise SandboxError("the verifier is closed")
        return list(self._threads.map(self._attempt, payloads))

    def process_ids(self) -> list[int]:
        """Lists the process ids of the idle workers."""
        with self._idle.mutex:
            return [worker.process_id for worker in self._idle.queue if worker is not None]

    def _attempt(self, payload: str) -> str | CallFailedError | SandboxError:
        data = payload.encode("utf-8", "surrogatepass")
        worker = self._idle.get()
        try:
            try:
                worker = worker or self._fresh()
                answer = worker.call(data)
            except WorkerLostError as error:
                log.warning("a verifier worker was lost (%s); trying again in a fresh one", error)
                worker = None
                worker = self._fresh()
                answer = worker.call(data)
        except WorkerLostError as error:
            worker = None
            return CallFailedError(error.reason, error.detail)
        except SandboxError as error:
            return error
        finally:
            self._idle.put(self._kept(worker))
        return answer.decode("utf-8", "surrogatepass")

    def _fresh(self) -> WorkerProcess:
        return WorkerProcess(self._target, self._deadline, self._bound)

    def _kept(self, worker: WorkerProcess | None) -> WorkerProcess | None:
        if worker is not None and worker.calls >= CALLS_PER_WORKER:
            worker.close()
            return None
        return worker

    def close(self) -> None:
        """Ends every worker; calls under way finish first."""
        self._closed.set()
        self._threads.shutdown(wait=True)
        for worker in [self._idle.get() for _ in range(self.size)]:
            if worker is not None:
                worker.close()
            self._idle.put(None)
