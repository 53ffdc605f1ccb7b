"""Messages that come at once are one write, after which the lease is renewed."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.artifacts import Artifacts
from inframind.pipeline import PipelineSpec
from inframind.stages import sft
from workers.ledger import Ledger, UntrustedReportError
from workers.pipe import Event, Message, PipeError, Progress, StageStarted, TrainerJob


class CountedLease:
    """A lease that counts what is asked of it, and writes nothing."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.batches: list[list[Message]] = []
        self.refuses: Callable[[Message], bool] = lambda _: False

    def write(self, change: Any) -> None:
        self.calls.append("write")
        if any(self.refuses(message) for message in change.keywords["batch"]):
            raise OverflowError("a secret value")
        self.batches.append(change.keywords["batch"])

    def renew(self) -> None:
        self.calls.append("renew")


@pytest.fixture
def lease() -> CountedLease:
    return CountedLease()


@pytest.fixture
def ledger(lease: CountedLease, tmp_path: Path) -> Ledger:
    spec = PipelineSpec(job_id="j", base_model="inframind-nano", stages=(sft.Config(max_steps=9),))
    job = TrainerJob(spec=spec, run_dir=tmp_path, attempt=1)
    return Ledger(lease, Artifacts(tmp_path), job, 900.0)  # type: ignore[arg-type]  # enough of one


def progress(step: int) -> Progress:
    return Progress(stage_index=0, step=step, metrics={"loss": 1.0})


def test_500_messages_are_one_write(ledger: Ledger, lease: CountedLease) -> None:
    ledger.take([progress(step) for step in range(500)])
    assert lease.calls == ["write", "renew"] and len(lease.batches[0]) == 500


def test_nothing_said_is_nothing_written(ledger: Ledger, lease: CountedLease) -> None:
    ledger.take([])
    assert lease.calls == ["renew"]


def test_what_came_before_a_broken_line_is_written(ledger: Ledger, lease: CountedLease) -> None:
    def messages() -> Iterator[Message]:
        yield progress(1)
        raise PipeError("not a message")

    with pytest.raises(PipeError):
        ledger.take(messages())
    assert lease.batches == [[progress(1)]]


def test_of_a_batch_that_is_refused_the_rest_is_written(
    ledger: Ledger, lease: CountedLease
) -> None:
    lease.refuses = lambda message: message == progress(3)
    with pytest.raises(UntrustedReportError, match=r"refuses a progress message \(OverflowError\)"):
        ledger.take([progress(step) for step in range(1, 6)])
    assert lease.batches == [[progress(1)], [progress(2)]]


@pytest.mark.parametrize(
    "message",
    [
        StageStarted(stage_index=1, stage="sft", total_steps=1),
        StageStarted(stage_index=0, stage="dapo", total_steps=1),
        Progress(stage_index=3, step=1, metrics={}),
    ],
)
def test_a_stage_that_the_job_has_not_is_refused(ledger: Ledger, message: Message) -> None:
    with pytest.raises(UntrustedReportError, match="stage"):
        ledger.take([message])


def test_a_stage_starts_once_in_an_attempt(ledger: Ledger) -> None:
    started = StageStarted(stage_index=0, stage="sft", total_steps=9)
    ledger.take([started])
    with pytest.raises(UntrustedReportError, match="started already"):
        ledger.take([started])


def test_events_beyond_the_budget_are_written_by_nobody(
    ledger: Ledger, lease: CountedLease
) -> None:
    ledger.take([Event(level="info", code="flood", message="m") for _ in range(5000)])
    assert len(lease.batches[0]) < 1100
