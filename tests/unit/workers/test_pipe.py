"""The trainer's pipe: whole messages, bounded, in order, without loss."""

import fcntl
import math
import os
import sys
import termios
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.jobs.failure import MAX_MESSAGE, Failure
from inframind.errors import NonFiniteError
from inframind.stages.base import SavedCheckpoint, StageReport
from tests.support.waiting import until
from workers.pipe import (
    MAX_LINE,
    CheckpointSaved,
    Event,
    Failed,
    Message,
    PipeError,
    Progress,
    Reader,
    StageDone,
    StageStarted,
    Writer,
)

MESSAGES = [
    StageStarted(stage_index=0, stage="sft", total_steps=3),
    Progress(stage_index=0, step=1, metrics={"loss": 0.5}),
    Event(
        level="warn",
        code="refill_cap",
        message="line\nbreak and ünïcode \u2028",
        data={"steps": [1, 2]},
    ),
    StageDone(
        stage_index=0,
        stage="sft",
        report=StageReport(metrics={"rows": [{"n": 1}]}, train_seconds=1.5),
    ),
    CheckpointSaved(
        checkpoint=SavedCheckpoint(stage_index=0, step=2, path=Path("/x"), sha256="0" * 64)
    ),
    Failed(failure=Failure(code="out_of_memory", message="no", param="batch_size", then="fail")),
]


@settings(
    suppress_health_check=[HealthCheck.too_slow]
)  # it speaks of the machine's load, not of the data
@given(st.lists(st.integers(min_value=1, max_value=300), min_size=1, max_size=20))
def test_messages_survive_any_cut_of_the_bytes(sizes: list[int]) -> None:
    data = b"".join(message.model_dump_json().encode() + b"\n" for message in MESSAGES)
    reader, frames, position = Reader(), [], 0
    for size in [*sizes, len(data)]:
        frames += reader.feed(data[position : position + size])
        position += size
    assert frames == MESSAGES


def waiting_bytes(pipe: int) -> int:
    """Count the bytes that were written to a pipe and not read (FIONREAD)."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4), sys.byteorder)


def test_a_slow_reader_slows_the_writer_and_loses_nothing() -> None:
    incoming, outgoing = os.pipe()
    writer, total = Writer(outgoing), 3000

    def write() -> None:
        for step in range(total):
            writer.send(
                Progress(stage_index=0, step=step, metrics={"loss": step / 7, "reward": 0.25})
            )
        os.close(outgoing)

    thread = threading.Thread(target=write)
    thread.start()
    until(lambda: waiting_bytes(incoming) > 60_000)
    assert thread.is_alive(), "the pipe is full, and the writer waits"
    reader, steps = Reader(), []
    while data := os.read(incoming, 1 << 16):
        steps += [message.step for message in reader.feed(data)]
    thread.join()
    os.close(incoming)
    assert steps == list(range(total))


def test_threads_do_not_tear_lines() -> None:
    incoming, outgoing = os.pipe()
    writer = Writer(outgoing)
    text = "x" * 1900

    def write() -> None:
        for _ in range(50):
            writer.send(Event(level="info", code="note", message=text))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    reader, frames = Reader(), []
    while len(frames) < 200:
        frames += reader.feed(os.read(incoming, 1 << 16))
    for thread in threads:
        thread.join()
    os.close(incoming), os.close(outgoing)
    assert {message.message for message in frames} == {text}


@pytest.mark.parametrize(
    "line",
    [
        b"not json\n",
        b'{"kind": "unknown"}\n',
        b'{"kind": "progress", "step": 1}\n',
        b"[]\n",
        b"\xff\n",
    ],
)
def test_what_is_no_message_is_refused(line: bytes) -> None:
    with pytest.raises(PipeError):
        list(Reader().feed(line))


NOT_FINITE = [math.nan, math.inf, -math.inf]


def messages_with(value: float) -> list[Message]:
    """Messages that hold a number, wherever one may be."""
    report = StageReport(metrics={"rows": [{"n": 1}, {"n": value}]}, train_seconds=1.5)
    return [
        Progress(stage_index=0, step=3, metrics={"loss": 0.5, "grad_norm": value}),
        Event(level="info", code="note", message="", data={"deep": [{"er": value}]}),
        StageDone(stage_index=0, stage="sft", report=report),
    ]


@pytest.mark.parametrize("value", NOT_FINITE)
def test_a_number_that_is_not_finite_is_never_sent_as_one_that_is_not_there(value: float) -> None:
    paths = ("metrics.grad_norm", "data.deep.0.er", "report.metrics.rows.1.n")
    for message, path in zip(messages_with(value), paths, strict=True):
        with pytest.raises(NonFiniteError, match=path):
            Writer(1).send(message)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_is_not_finite_is_never_read(text: str) -> None:
    for message in messages_with(0.125):
        line = message.model_dump_json().replace("0.125", text).encode() + b"\n"
        with pytest.raises(PipeError):
            list(Reader().feed(line))


def test_size_is_bounded_on_both_ends() -> None:
    reader = Reader()
    with pytest.raises(PipeError):
        for _ in range(MAX_LINE // 1000 + 2):
            list(reader.feed(b"x" * 1000))
    with pytest.raises(PipeError):
        Writer(1).send(Event(level="info", code="big", message="", data={"text": "x" * MAX_LINE}))


def test_a_failure_is_cut_to_what_the_jobs_row_holds() -> None:
    told = Failed(failure=Failure(code="c" * 99, message="m" * 9999, param="p" * 999))
    (received,) = Reader().feed(told.model_dump_json().encode() + b"\n")
    assert isinstance(received, Failed)
    lengths = [len(text or "") for text in (received.failure.code, received.failure.param)]
    assert lengths == [64, 128] and received.failure.message == "m" * MAX_MESSAGE
