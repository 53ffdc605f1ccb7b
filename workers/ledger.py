"""Writes a trainer's reports into the job's rows, under the lease, and measures its progress."""

import time
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from sqlalchemy.orm import Session

from app.artifacts import Artifacts
from app.db.session import DATABASE_AWAY, REFUSED_BY_DATABASE
from app.db.storable import fault_of
from app.db.tables import Job
from app.jobs import journal
from app.jobs.failure import Failure
from app.jobs.journal import NewEvent, StepMetrics
from inframind.errors import EngineError, NonFiniteError
from inframind.models.adapter import adapter_id, verify_adapter
from inframind.stages.base import StageReport
from workers.event_budget import BURST, PER_SECOND, EventBudget
from workers.held_lease import HeldLease
from workers.pipe import (
    CheckpointSaved,
    Event,
    Failed,
    Message,
    PipeError,
    Progress,
    StageDone,
    StageStarted,
    TrainerJob,
)
from workers.progress import Estimate, StallDetector


class UntrustedReportError(Exception):
    """The trainer reported what cannot be: a path outside its folder, a stage that the job has not,
    a value that no row can hold."""


class DamagedAdapterError(UntrustedReportError):
    """The adapter's bytes are not as its manifest says: another attempt may write them whole."""


class Ledger:
    """Takes the messages of one trainer, in order.

    What a message names on the disk is checked, and is in the store, before a row names it. As many
    messages as have come at once are one transaction: a heartbeat never waits for a flood of them.
    """

    def __init__(
        self, lease: HeldLease, artifacts: Artifacts, job: TrainerJob, stall_seconds: float
    ) -> None:
        self._lease, self._artifacts, self._job = lease, artifacts, job
        self._run_dir = job.run_dir.resolve()
        self._estimate = Estimate.of(job.spec.stages, list(job.finished))
        self._unfinished = set(range(len(job.spec.stages))) - set(job.finished)
        self._started: set[int] = set()
        self._events = EventBudget(time.monotonic())
        self.stall = StallDetector(stall_seconds, time.monotonic())
        self.failure: Failure | None = None
        """What the trainer said before it gave up."""

    @property
    def is_complete(self) -> bool:
        """Holds once every stage has left its result."""
        return not self._unfinished

    def take(self, messages: Iterable[Message]) -> None:
        """Writes messages that have come at once, and renews the lease whenever it is time.

        Raises UntrustedReportError, NonFiniteError, and what `messages` raises, once what came
        before is written; LeaseLostError, StoreError, OSError.
        """
        batch: list[Message] = []
        try:
            for message in messages:
                if isinstance(message, CheckpointSaved | StageDone):
                    # Its files may take long to check and to push: the rest need not wait.
                    self._write_all(batch)
                    batch = []
                checked = self._checked(message)
                if self._measure(checked):
                    batch.append(checked)
        except (PipeError, UntrustedReportError, NonFiniteError):
            self._write_all(batch)
            raise
        self._write_all(batch)

    def tell_left_out(self, session: Session, job: Job) -> None:
        """Appends an event that counts those left out since the last of its kind, if any were."""
        left_out = self._events.left_out
        if count := left_out.total():
            message = (
                f"{count} events of the trainer were left out here: more than {BURST} came at "
                f"once, and more than {PER_SECOND:g} a second after that"
            )
            data = {"count": count, "codes": dict(left_out.most_common())}
            journal.add_event(session, job, "warn", "events_left_out", message, data)

    def _checked(self, message: Message) -> Message:
        """Checks what a message claims, its files too, and brings these to the store."""
        match message:
            case StageStarted(stage_index=index, stage=stage):
                self._check_stage(index, stage)
                if index in self._started:
                    raise UntrustedReportError(f"stage {index} has started already")
                self._started.add(index)
            case Progress(stage_index=index):
                self._check_stage(index)
            case CheckpointSaved(checkpoint=saved):
                self._check_stage(saved.stage_index)
                folder = self._inside(saved.path)
                self._lease.keep_during(partial(self._artifacts.push, folder))
                return CheckpointSaved(checkpoint=saved.model_copy(update={"path": folder}))
            case StageDone(stage_index=index, stage=stage, report=report):
                self._check_stage(index, stage)
                if report.path is not None:
                    return message.model_copy(update={"report": self._with_adapter(message)})
        return message

    def _check_stage(self, index: int, name: str | None = None) -> None:
        if index not in self._unfinished:
            raise UntrustedReportError(f"stage {index} is none that this attempt has to run")
        if name is not None and name != self._job.spec.stages[index].stage:
            raise UntrustedReportError(f"stage {index} is no {name!r}")

    def _inside(self, path: Path) -> Path:
        # Resolved first: a link or `..` may lead out of a folder whose name looks right. A loop of
        # links is a RuntimeError in Python 3.11, and a path of 5,000 characters an OSError.
        try:
            whole = path.resolve()
        except (OSError, RuntimeError, ValueError) as error:
            raise UntrustedReportError("a path that leads nowhere") from error
        if not whole.is_relative_to(self._run_dir):
            raise UntrustedReportError("a path outside the attempt's folder")
        return whole

    def _with_adapter(self, message: StageDone) -> StageReport:
        """Takes the manifest from the folder, once every byte there is as it says."""
        assert message.report.path is not None
        folder = self._inside(message.report.path)
        try:
            manifest = self._lease.keep_during(partial(verify_adapter, folder))
        except EngineError as error:
            raise DamagedAdapterError(str(error)) from error
        index, job = message.stage_index, self._job
        own_id = adapter_id(job.spec.job_id, index, message.stage, job.attempt)
        if (manifest.id, manifest.stage, manifest.stage_index) != (own_id, message.stage, index):
            raise UntrustedReportError(f"the adapter {manifest.id} is not stage {index}'s {own_id}")
        if fault := fault_of(manifest.model_dump(mode="json"), "manifest"):
            raise UntrustedReportError(fault)
        self._lease.keep_during(partial(self._artifacts.push, folder))
        return message.report.model_copy(update={"manifest": manifest, "path": folder})

    def _measure(self, message: Message) -> bool:
        """Notes what a message says of the trainer, and tells whether it is to be written."""
        now = time.monotonic()
        if not isinstance(message, Event):
            self.stall.moved(now, step=isinstance(message, Progress))
        match message:
            case Event(code=code):
                return self._events.admits(code, now)
            case Progress(stage_index=index, step=step):
                self._estimate.step(index, step, now)
            case StageDone(stage_index=index):
                self._estimate.finish(index)
                self._unfinished.discard(index)
            case Failed(failure=failure):
                self.failure = failure
        return True

    def _write_all(self, batch: Sequence[Message]) -> None:
        tells = self._events.is_due(time.monotonic())
        if batch or tells:
            try:
                self._lease.write(partial(self._write, batch=batch, tells=tells))
            except DATABASE_AWAY:
                raise
            except REFUSED_BY_DATABASE as error:
                self._write_up_to_the_refused(batch, error)
        if tells:
            # Only now: the transaction may have been tried twice.
            self._events.forget()
        self._lease.renew()

    def _write_up_to_the_refused(self, batch: Sequence[Message], error: Exception) -> None:
        """Finds the message that the database refuses, and writes those before it.

        Raises UntrustedReportError that names its kind; the database's text may quote its content.
        """
        if len(batch) < 2:
            kinds = ", ".join(message.kind for message in batch) or "no"
            reason = f"the database refuses a {kinds} message ({type(error).__name__})"
            raise UntrustedReportError(reason) from error
        for message in batch:
            self._write_all([message])

    def _write(self, session: Session, job: Job, batch: Sequence[Message], *, tells: bool) -> None:
        events: list[NewEvent] = []
        steps: list[StepMetrics] = []
        for message in batch:
            match message:
                case Event(level=level, code=code, message=text, data=data):
                    events.append(NewEvent(level, code, text, data))
                    continue
                case Progress(stage_index=index, step=step, metrics=metrics):
                    steps.append(StepMetrics(index, step, metrics))
                    continue
            # What follows has a place of its own among the events and the steps.
            self._write_collected(session, job, events, steps)
            self._write_one(session, job, message)
        self._write_collected(session, job, events, steps)
        if tells:
            self.tell_left_out(session, job)
        job.progress = self._estimate.progress()
        job.eta_seconds = self._estimate.eta_seconds()

    @staticmethod
    def _write_collected(
        session: Session, job: Job, events: list[NewEvent], steps: list[StepMetrics]
    ) -> None:
        journal.add_events(session, job, events)
        journal.add_steps(session, job, steps)
        events.clear()
        steps.clear()

    @staticmethod
    def _write_one(session: Session, job: Job, message: Message) -> None:
        match message:
            case StageStarted(stage_index=index, stage=stage, total_steps=total_steps):
                journal.start_stage(session, job, index, stage, total_steps)
            case CheckpointSaved(checkpoint=saved):
                journal.add_checkpoint(session, job, saved)
            case StageDone(stage_index=index, stage=stage, report=report):
                journal.publish_stage(session, job, index, stage, report)
