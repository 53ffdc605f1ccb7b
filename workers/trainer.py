"""The trainer: one process per attempt at a job. `python -m workers.trainer < job.json`

It knows no database: what it reports is written by the supervisor, if the lease still holds. It
ends by itself when the lease is not renewed (the deadline file), when the supervisor dies (the
kernel's signal), and with a whole checkpoint when asked to (SIGTERM).
"""

import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any, Literal

import structlog

from app import logs
from app.db.storable import cleaned, made_storable
from inframind.errors import StoppedError
from inframind.pipeline import PipelineSpec, run_pipeline
from inframind.stages.base import AnswerJudge, Resume, SavedCheckpoint, StageContext, StageReport
from workers import failures
from workers.chat_judge import ChatJudge
from workers.deadline import deadline_file, watch_deadline
from workers.pipe import (
    EXIT_DONE,
    EXIT_FAILED,
    EXIT_STOPPED,
    MAX_TEXT,
    CheckpointSaved,
    Event,
    Failed,
    PipeError,
    Progress,
    StageDone,
    StageStarted,
    TrainerJob,
    Writer,
)
from workers.process import die_with_parent

log = logging.getLogger(__name__)

Pipeline = Callable[[PipelineSpec, StageContext], None]


class PipeContext:
    """Carries the stages' reports over the pipe, and the wish to stop to the stages."""

    def __init__(self, job: TrainerJob, writer: Writer) -> None:
        self.run_dir = job.run_dir
        self.attempt = job.attempt
        self.resume = Resume(job.finished, job.checkpoints)
        self.judge: AnswerJudge | None = ChatJudge(job.judge) if job.judge is not None else None
        self._writer = writer
        self._stop = threading.Event()

    def stage_started(self, stage_index: int, stage: str, total_steps: int) -> None:
        self._writer.send(
            StageStarted(stage_index=stage_index, stage=stage, total_steps=total_steps)
        )

    def progress(self, stage_index: int, step: int, metrics: Mapping[str, float]) -> None:
        values = {name: float(value) for name, value in metrics.items()}
        self._writer.send(Progress(stage_index=stage_index, step=step, metrics=values))

    def event(
        self,
        level: Literal["info", "warn", "error"],
        code: str,
        message: str,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        # An event may quote what a model wrote, any byte of it: that must not end the run.
        text, details = made_storable(message[:MAX_TEXT]), cleaned(dict(data or {}))
        self._writer.send(Event(level=level, code=code, message=text, data=details))

    def checkpoint(self, saved: SavedCheckpoint) -> None:
        self._writer.send(CheckpointSaved(checkpoint=saved))

    def stage_done(self, stage_index: int, stage: str, report: StageReport) -> None:
        whole = report.model_copy(update={"metrics": cleaned(dict(report.metrics))})
        self._writer.send(StageDone(stage_index=stage_index, stage=stage, report=whole))

    def should_stop(self) -> bool:
        return self._stop.is_set()

    def ask_to_stop(self) -> None:
        """Makes `should_stop` true from now on."""
        self._stop.set()


def run(pipeline: Pipeline, job: TrainerJob, context: PipeContext, writer: Writer) -> int:
    """Runs the pipeline and gives the exit status.

    The boundary: whatever goes wrong becomes a failure with a code, a message and a field.
    """
    try:
        pipeline(job.spec, context)
    except StoppedError:
        return EXIT_STOPPED
    # Reporting itself has failed: the traceback goes to the log, and the exit status tells.
    except (BrokenPipeError, PipeError):
        raise
    except Exception as error:
        log.exception("the run failed")
        writer.send(Failed(failure=failures.of_exception(error)))
        return EXIT_FAILED
    return EXIT_DONE


def main(pipeline: Pipeline = run_pipeline) -> None:
    """Reads the job from standard input, runs it and reports to what was standard output."""
    die_with_parent()
    writer = Writer(os.dup(1))
    # What libraries print goes to the log.
    os.dup2(2, 1)
    job = TrainerJob.model_validate_json(sys.stdin.buffer.read())
    logs.configure(job.log_format, job.log_level)
    structlog.contextvars.bind_contextvars(
        job_id=job.spec.job_id, fence=job.attempt, request_id=job.request_id
    )
    log.info("the trainer starts")
    context = PipeContext(job, writer)
    signal.signal(signal.SIGTERM, lambda *_: context.ask_to_stop())
    # KeyboardInterrupt could come in the middle of a step; an end is asked for with SIGTERM.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    watched = (deadline_file(context.run_dir),)
    threading.Thread(target=watch_deadline, args=watched, daemon=True).start()
    status = run(pipeline, job, context, writer)
    # Everything is reported: no destructor of a library may hang or crash this process now.
    # On a full disk the log cannot be written; the exit status must still be the run's.
    with contextlib.suppress(OSError):
        sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
