"""Warm worker processes with a deadline per call. The only place of the library that starts processes.

A call that hangs or crashes its worker is repeated once, alone, in a fresh worker: a second time it is the text's fault.
"""

import contextlib
import os
import queue
import select
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import IO

from inframind.errors import SandboxError
from inframind.sandbox.worker import HEADER

START_SECONDS = 30.0
CALLS_PER_WORKER = 20_000
"""A worker is replaced after so many calls, so that a slow leak in a parser stays small."""


class WorkerLostError(Exception):
    """The worker crashed, or passed the deadline and was killed."""


class CallFailedError(Exception):
    """The call hung or crashed two fresh workers; `reason` is `deadline` or `crash`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Worker:
    """One process. Not thread-safe; the pool hands it to one thread at a time."""

    def __init__(self, target: str) -> None:
        command = [sys.executable, "-I", "-m", "inframind.sandbox.worker", target, str(os.getpid())]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own module, no text of a model
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={"LC_ALL": "C.UTF-8"},
                start_new_session=True,
            )
        except OSError as error:
            raise SandboxError(f"cannot start a verifier worker: {error}") from None
        self.calls = 0
        if self._receive(time.monotonic() + START_SECONDS) != b"ready":
            raise SandboxError("a verifier worker did not start; run `inframind doctor`")

    def call(self, payload: bytes, deadline_seconds: float) -> bytes:
        """The function's answer. Raises WorkerLostError; the worker is dead then."""
        self.calls += 1
        stdin = self._pipe(self._process.stdin)
        try:
            stdin.write(HEADER.pack(len(payload)) + payload)
            stdin.flush()
            return self._receive(time.monotonic() + deadline_seconds)
        except (BrokenPipeError, WorkerLostError) as error:
            self.close()
            raise WorkerLostError(str(error) or "crash") from None

    def _receive(self, deadline: float) -> bytes:
        header = self._read(HEADER.size, deadline)
        return self._read(HEADER.unpack(header)[0], deadline)

    def _read(self, size: int, deadline: float) -> bytes:
        descriptor = self._pipe(self._process.stdout).fileno()
        data = bytearray()
        while len(data) < size:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([descriptor], [], [], left)[0]:
                raise WorkerLostError("deadline")
            piece = os.read(descriptor, size - len(data))
            if not piece:
                raise WorkerLostError("crash")
            data += piece
        return bytes(data)

    @staticmethod
    def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
        assert pipe is not None
        return pipe

    def close(self) -> None:
        """Kills the process and waits for it."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(BrokenPipeError):
                self._pipe(pipe).close()
        self._process.wait()


class Pool:
    """Calls `target` ("module:function", text to text) in worker processes that start when first needed. Thread-safe."""

    def __init__(self, target: str, workers: int = 2, deadline_seconds: float = 2.0) -> None:
        self.size = workers
        self._target = target
        self._deadline = deadline_seconds
        self._idle: queue.LifoQueue[Worker | None] = queue.LifoQueue()
        for _ in range(workers):
            self._idle.put(None)
        self._closed = threading.Event()
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="verifier")

    def call(self, payload: str) -> str:
        """The function's answer. Raises CallFailedError (the text's fault) or SandboxError (the environment's)."""
        if self._closed.is_set():
            raise SandboxError("the verifier is closed")
        data = payload.encode("utf-8", "surrogatepass")
        worker = self._idle.get()
        try:
            try:
                worker = worker or Worker(self._target)
                answer = worker.call(data, self._deadline)
            except WorkerLostError:
                worker = None
                worker, answer = self._again(data)
        finally:
            self._idle.put(self._kept(worker))
        return answer.decode("utf-8", "surrogatepass")

    def _again(self, data: bytes) -> tuple[Worker, bytes]:
        fresh = Worker(self._target)
        try:
            return fresh, fresh.call(data, self._deadline)
        except WorkerLostError as error:
            raise CallFailedError(str(error)) from None

    def _kept(self, worker: Worker | None) -> Worker | None:
        if worker is not None and (worker.calls >= CALLS_PER_WORKER or self._closed.is_set()):
            worker.close()
            return None
        return worker

    def map(self, payloads: Sequence[str]) -> list[str | CallFailedError | SandboxError]:
        """Answers in order, from all workers at once; a failed call is its exception."""

        def attempt(payload: str) -> str | CallFailedError | SandboxError:
            try:
                return self.call(payload)
            except (CallFailedError, SandboxError) as error:
                return error

        return list(self._threads.map(attempt, payloads))

    def close(self) -> None:
        """Ends every worker; calls under way finish first."""
        self._closed.set()
        self._threads.shutdown(wait=True)
        for _ in range(self.size):
            worker = self._idle.get()
            if worker is not None:
                worker.close()
            self._idle.put(None)
