"""What a trainer says to its supervisor: one JSON object a line, typed, of bounded size.

The trainer's write blocks while the supervisor is behind, so nothing is lost and nothing piles up.
"""

import os
import threading
from collections.abc import Iterator
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from inframind.stages.base import StageReport
from inframind.types import Contract, Json

MAX_LINE = 1 << 20
"""Bytes of one message. A stage's report with its rows and manifest is some kilobytes."""
MAX_TEXT = 2000


class StageStarted(Contract):
    """A stage begins."""

    kind: Literal["stage_started"] = "stage_started"
    stage_index: int
    stage: str
    total_steps: int


class Progress(Contract):
    """A step is done."""

    kind: Literal["progress"] = "progress"
    stage_index: int
    step: int
    metrics: dict[str, float]


class Event(Contract):
    """Something worth knowing."""

    kind: Literal["event"] = "event"
    level: Literal["info", "warn", "error"]
    code: str = Field(max_length=64)
    message: str = Field(max_length=MAX_TEXT)
    data: dict[str, Json] = Field(default_factory=dict)


class CheckpointSaved(Contract):
    """A whole checkpoint is on the disk."""

    kind: Literal["checkpoint"] = "checkpoint"
    stage_index: int
    step: int
    path: str
    sha256: str


class StageDone(Contract):
    """A stage has ended; its adapter, if any, is on the disk."""

    kind: Literal["stage_done"] = "stage_done"
    stage_index: int
    stage: str
    report: StageReport


class Failed(Contract):
    """The run cannot go on. The last message."""

    kind: Literal["failed"] = "failed"
    code: str = Field(max_length=64)
    message: str = Field(max_length=MAX_TEXT)
    param: str | None = None
    then: Literal["retry", "pause", "fail"]
    """Another attempt may fare better; only a person can help, and then the job goes on; or it is hopeless."""


Message: TypeAlias = StageStarted | Progress | Event | CheckpointSaved | StageDone | Failed
_MESSAGE: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="kind")])


class PipeError(Exception):
    """A line is too long or no message: the trainer is not to be trusted any further."""


class Writer:
    """The trainer's end. Thread-safe; a line is never torn."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()

    def send(self, message: Message) -> None:
        """Writes one message, waiting while the pipe is full. Raises PipeError for one too long, BrokenPipeError."""
        line = message.model_dump_json().encode() + b"\n"
        if len(line) > MAX_LINE:
            raise PipeError(f"a {message.kind} message of {len(line)} bytes; at most {MAX_LINE}")
        with self._lock:
            left = memoryview(line)
            while left:
                left = left[os.write(self._descriptor, left) :]


class Reader:
    """The supervisor's end: bytes in, whole messages out."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages that `data` completes. Raises PipeError."""
        self._buffer += data
        *lines, self._buffer = self._buffer.split(b"\n")
        if len(self._buffer) > MAX_LINE:
            raise PipeError("a line without end")
        for line in lines:
            try:
                yield _MESSAGE.validate_json(line)
            except ValueError as error:
                raise PipeError(f"not a message: {line[:80]!r}") from error
