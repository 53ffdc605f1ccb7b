"""Pipe between supervisor and trainer: a job in, messages out, an exit status at the end.

The job is one JSON document on the trainer's standard input. The messages are one JSON object a
line, typed and of bounded size, on what was its standard output. A write blocks while the
supervisor is behind, so nothing is lost and nothing piles up.
"""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import from_json

from app.db.storable import INT32_MAX, Fault, fault_of, faults
from app.jobs.failure import Failure
from app.logs import LogFormat
from inframind.errors import NonFiniteError
from inframind.pipeline import PipelineSpec
from inframind.stages.base import SavedCheckpoint, StageReport
from inframind.types import Contract, Json

MAX_LINE = 1 << 20
"""Bytes of one message. A stage's report with its rows and manifest is some kilobytes."""
MAX_TEXT = 2000
# Ranges of the columns (app/db/tables.py), for PostgreSQL refuses what lies beyond them.
Count: TypeAlias = Annotated[int, Field(ge=0, le=INT32_MAX)]
StageName: TypeAlias = Annotated[str, Field(max_length=32)]
MAX_METRICS = 256
"""Metrics of a step; the stages report some thirty."""
# 70 and 75 are EX_SOFTWARE and EX_TEMPFAIL of sysexits.h.
EXIT_DONE, EXIT_FAILED, EXIT_LEASE_LOST, EXIT_STOPPED = 0, 70, 75, 77


class TrainerJob(Contract):
    """A run for the trainer: its stages, what earlier attempts left, and where to work."""

    spec: PipelineSpec
    run_dir: Path
    attempt: int
    finished: dict[int, StageReport] = Field(default_factory=dict)
    checkpoints: tuple[SavedCheckpoint, ...] = ()
    request_id: str | None = None
    log_format: LogFormat = "text"
    log_level: str = "INFO"
    judge: dict[str, Json] | None = None
    """Who the judge model is and how far it is trusted; the environment has address and key."""


class StageStarted(Contract):
    """Message that a stage begins."""

    kind: Literal["stage_started"] = "stage_started"
    stage_index: Count
    stage: StageName
    total_steps: Count


class Progress(Contract):
    """A step is done."""

    kind: Literal["progress"] = "progress"
    stage_index: Count
    step: Count
    metrics: dict[Annotated[str, Field(max_length=128)], float] = Field(max_length=MAX_METRICS)


class Event(Contract):
    """Something happened that a reader of the job's events should know."""

    kind: Literal["event"] = "event"
    level: Literal["info", "warn", "error"]
    code: str = Field(max_length=64)
    message: str = Field(max_length=MAX_TEXT)
    data: dict[str, Json] = Field(default_factory=dict)


class CheckpointSaved(Contract):
    """A whole checkpoint is on the disk."""

    kind: Literal["checkpoint"] = "checkpoint"
    checkpoint: SavedCheckpoint


class StageDone(Contract):
    """A stage has ended; its adapter, if any, is on the disk."""

    kind: Literal["stage_done"] = "stage_done"
    stage_index: Count
    stage: StageName
    report: StageReport


class Failed(Contract):
    """The run cannot go on. The last message."""

    kind: Literal["failed"] = "failed"
    failure: Failure


Message: TypeAlias = StageStarted | Progress | Event | CheckpointSaved | StageDone | Failed
_MESSAGE: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="kind")])


class PipeError(Exception):
    """A line is too long, no message, or holds what no row can: the trainer cannot be believed."""


class Writer:
    """Sends messages from the trainer. Thread-safe; a line is never torn."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()

    def send(self, message: Message) -> None:
        """Writes one message, waiting while the pipe is full.

        Raises NonFiniteError for a number that JSON has not, PipeError for a message too long,
        BrokenPipeError.
        """
        broken = (place for place, fault in faults(message.model_dump()) if fault is Fault.NUMBER)
        field = next(broken, None)
        if field is not None:
            # pydantic would write null, and a metric that is broken would look as one that is not
            # there.
            raise NonFiniteError(
                f"{field} of the trainer's report `{message.kind}` is NaN or infinite"
            )
        line = message.model_dump_json().encode() + b"\n"
        if len(line) > MAX_LINE:
            raise PipeError(f"a {message.kind} message of {len(line)} bytes; at most {MAX_LINE}")
        # The kernel keeps only writes of up to PIPE_BUF bytes whole, 4096 on Linux (pipe(7)).
        with self._lock:
            left = memoryview(line)
            while left:
                left = left[os.write(self._descriptor, left) :]


class Reader:
    """Makes whole messages of the bytes that reach the supervisor."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> Iterator[Message]:
        """Yields the messages that `data` completes. Raises PipeError."""
        self._buffer += data
        *lines, self._buffer = self._buffer.split(b"\n")
        # The supervisor outlives its trainers: one that never ends a line must not fill its memory.
        if len(self._buffer) > MAX_LINE:
            raise PipeError("a line without end")
        for line in lines:
            yield _message(line)


def _message(line: bytes) -> Message:
    """Reads one line. Raises PipeError, which names the field at fault."""
    try:
        # Not `validate_json`, whose `Any` takes NaN, which PostgreSQL's JSON does not.
        document = from_json(line, allow_inf_nan=False)
        message = _MESSAGE.validate_python(document)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in fault["loc"]) or "kind"
        raise PipeError(f"{place}: {fault['msg']}: {line[:80]!r}") from error
    except ValueError as error:
        raise PipeError(f"not a message: {error}: {line[:80]!r}") from error
    if fault_of_value := fault_of(document):
        raise PipeError(f"{message.kind}.{fault_of_value}")
    return message
