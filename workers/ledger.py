"""Writes a trainer's reports into the job's rows, under the lease, and measures its progress."""

import time
from functools import partial
from pathlib import Path

from sqlalchemy.orm import Session

from app.artifacts import Artifacts
from app.db.tables import Job
from app.jobs import journal
from app.jobs.failure import Failure
from inframind.errors import EngineError
from inframind.models.adapter import verify_adapter
from inframind.stages.base import StageReport
from workers.held_lease import HeldLease
from workers.pipe import (
    CheckpointSaved,
    Event,
    Failed,
    Message,
    Progress,
    StageDone,
    StageStarted,
    TrainerJob,
)
from workers.progress import Estimate, StallDetector


class UntrustedReportError(Exception):
    """The trainer reported a path outside its folder, or an adapter with wrong bytes."""


class Ledger:
    """Takes the messages of one trainer, one after another.

    What a message names on the disk is checked, and is in the store, before a row names it.
    """

    def __init__(
        self, lease: HeldLease, artifacts: Artifacts, job: TrainerJob, stall_seconds: float
    ) -> None:
        self._lease, self._artifacts = lease, artifacts
        self._run_dir = job.run_dir.resolve()
        self._estimate = Estimate.of(job.spec.stages, list(job.finished))
        self._unfinished = set(range(len(job.spec.stages))) - set(job.finished)
        self.stall = StallDetector(stall_seconds, time.monotonic())
        self.failure: Failure | None = None
        """What the trainer said before it gave up."""

    @property
    def is_complete(self) -> bool:
        """Holds once every stage has left its result."""
        return not self._unfinished

    def take(self, message: Message) -> None:
        """Writes one message.

        Raises UntrustedReportError, NonFiniteError, LeaseLostError, StoreError, OSError.
        """
        checked = self._checked(message)
        self._measure(checked)
        # After the files: a row must never name what is not in the store.
        self._lease.write(partial(self._write, message=checked))
        if isinstance(checked, StageDone):
            self._unfinished.discard(checked.stage_index)

    def _checked(self, message: Message) -> Message:
        """Checks the files that a message names and brings them to the store."""
        match message:
            case CheckpointSaved(checkpoint=saved):
                folder = self._inside(saved.path)
                self._lease.keep_during(partial(self._artifacts.push, folder))
                return CheckpointSaved(checkpoint=saved.model_copy(update={"path": folder}))
            case StageDone(report=report) if report.path is not None:
                folder = self._inside(report.path)
                # Every byte is read: of a large adapter that takes longer than a short lease.
                whole = self._lease.keep_during(partial(self._with_manifest, report, folder))
                self._lease.keep_during(partial(self._artifacts.push, folder))
                return message.model_copy(update={"report": whole})
        return message

    def _inside(self, path: Path) -> Path:
        # Resolved first: a link or `..` may lead out of a folder whose name looks right.
        whole = path.resolve()
        if not whole.is_relative_to(self._run_dir):
            raise UntrustedReportError("a path outside the attempt's folder")
        return whole

    @staticmethod
    def _with_manifest(report: StageReport, folder: Path) -> StageReport:
        """Takes the manifest from the folder, once every byte there is as it says."""
        try:
            manifest = verify_adapter(folder)
        except EngineError as error:
            raise UntrustedReportError(str(error)) from error
        return report.model_copy(update={"manifest": manifest, "path": folder})

    def _measure(self, message: Message) -> None:
        now = time.monotonic()
        if not isinstance(message, Event):
            self.stall.moved(now, step=isinstance(message, Progress))
        match message:
            case Progress(stage_index=index, step=step):
                self._estimate.step(index, step, now)
            case StageDone(stage_index=index):
                self._estimate.finish(index)
            case Failed(failure=failure):
                self.failure = failure

    def _write(self, session: Session, job: Job, message: Message) -> None:
        match message:
            case StageStarted(stage_index=index, stage=stage, total_steps=total_steps):
                journal.start_stage(session, job, index, stage, total_steps)
            case Progress(stage_index=index, step=step, metrics=metrics):
                journal.add_metrics(session, job, index, step, metrics)
            case Event(level=level, code=code, message=text, data=data):
                journal.add_event(session, job, level, code, text, data)
            case CheckpointSaved(checkpoint=saved):
                journal.add_checkpoint(session, job, saved)
            case StageDone(stage_index=index, stage=stage, report=report):
                journal.publish_stage(session, job, index, stage, report)
        job.progress = self._estimate.progress()
        job.eta_seconds = self._estimate.eta_seconds()
