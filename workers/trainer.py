"""The trainer: one process per attempt at a job. `python -m workers.trainer < job.json`; reports go to standard output.

It knows no database: what it says is written by the supervisor, if the lease still holds. It ends by itself when the lease is not
renewed (the deadline file), when the supervisor dies (the kernel's signal), and with a whole checkpoint when asked to (SIGTERM).
"""

import importlib
import logging
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import structlog
from pydantic import Field

from app import logs
from inframind.errors import (
    FULL,
    InfraMindError,
    NoSpaceError,
    OutOfMemoryError,
    SandboxError,
    StoppedError,
)
from inframind.installation import extra_of, missing_packages
from inframind.pipeline import PipelineSpec
from inframind.stages.base import AnswerJudge, Resume, SavedCheckpoint, StageContext, StageReport
from inframind.types import Contract, Json
from workers.chat_judge import ChatJudge
from workers.pipe import (
    MAX_TEXT,
    CheckpointSaved,
    Event,
    Failed,
    PipeError,
    Progress,
    StageDone,
    StageStarted,
    Writer,
)
from workers.process import die_with_parent

log = logging.getLogger(__name__)

EXIT_DONE, EXIT_FAILED, EXIT_LEASE_LOST, EXIT_STOPPED = 0, 70, 75, 77
WATCHDOG_SECONDS = 0.2

Pipeline = Callable[[PipelineSpec, StageContext], None]


class CheckpointRecord(Contract):
    """A registered checkpoint."""

    stage_index: int
    step: int
    path: str
    sha256: str


class TrainerJob(Contract):
    """What the supervisor gives the trainer."""

    spec: PipelineSpec
    run_dir: str
    attempt: int
    pipeline: str
    """`module:function` to run."""
    finished: dict[int, StageReport] = Field(default_factory=dict)
    checkpoints: tuple[CheckpointRecord, ...] = ()
    request_id: str | None = None
    log_format: logs.LogFormat = "text"
    log_level: str = "INFO"
    judge: dict[str, Json] | None = None
    """Who the judge model is and how far it is trusted; where it is, and its key, come by the environment."""


class PipeContext:
    """The stages' context over the pipe."""

    def __init__(self, job: TrainerJob, writer: Writer) -> None:
        self.run_dir = Path(job.run_dir)
        self.attempt = job.attempt
        saved = tuple(
            SavedCheckpoint(c.stage_index, c.step, Path(c.path), c.sha256) for c in job.checkpoints
        )
        self.resume = Resume(job.finished, saved)
        self.judge: AnswerJudge | None = ChatJudge(job.judge) if job.judge is not None else None
        self._writer = writer
        self._stop = threading.Event()

    def stage_started(self, stage_index: int, stage: str, total_steps: int) -> None:
        self._writer.send(
            StageStarted(stage_index=stage_index, stage=stage, total_steps=total_steps)
        )

    def progress(self, stage_index: int, step: int, metrics: Mapping[str, float]) -> None:
        # JSON has no NaN.
        finite = {name: float(value) for name, value in metrics.items() if math.isfinite(value)}
        self._writer.send(Progress(stage_index=stage_index, step=step, metrics=finite))

    def event(
        self,
        level: Literal["info", "warn", "error"],
        code: str,
        message: str,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        self._writer.send(
            Event(level=level, code=code, message=message[:MAX_TEXT], data=dict(data or {}))
        )

    def checkpoint(self, saved: SavedCheckpoint) -> None:
        self._writer.send(
            CheckpointSaved(
                stage_index=saved.stage_index,
                step=saved.step,
                path=str(saved.path),
                sha256=saved.sha256,
            )
        )

    def stage_done(self, stage_index: int, stage: str, report: StageReport) -> None:
        self._writer.send(StageDone(stage_index=stage_index, stage=stage, report=report))

    def should_stop(self) -> bool:
        return self._stop.is_set()

    def ask_to_stop(self) -> None:
        """From now on `should_stop` holds."""
        self._stop.set()


def deadline_file(run_dir: Path) -> Path:
    """Where the supervisor writes until when the lease holds."""
    return run_dir / "deadline"


def watch_deadline(path: Path) -> None:
    """Ends this process when the lease runs out: the file holds the last moment, by this host's monotonic clock.

    Without a file nobody has allowed anything.
    """
    while _may_go_on(path):
        time.sleep(WATCHDOG_SECONDS)
    os._exit(EXIT_LEASE_LOST)


def _may_go_on(path: Path) -> bool:
    try:
        return time.monotonic() <= float(path.read_text())
    except (OSError, ValueError):
        return False


def resolve(target: str) -> Pipeline:
    """The function that `module:function` names."""
    module, _, name = target.partition(":")
    found: Pipeline = getattr(importlib.import_module(module), name)
    return found


def run(job: TrainerJob, context: PipeContext, writer: Writer) -> int:
    """Runs the pipeline and gives the exit status. The boundary: whatever goes wrong becomes a code, a message and a field."""
    try:
        resolve(job.pipeline)(job.spec, context)
    except StoppedError:
        return EXIT_STOPPED
    except (BrokenPipeError, PipeError):
        raise
    except Exception as error:
        log.exception("the run failed")
        writer.send(failure(error))
        return EXIT_FAILED
    return EXIT_DONE


def is_full(error: BaseException) -> bool:
    """Whether a full disk is at the root: libraries wrap the system's error, or only quote it."""
    seen: BaseException | None = error
    while seen is not None:
        if (isinstance(seen, OSError) and seen.errno in FULL) or any(
            os.strerror(number) in str(seen) for number in FULL
        ):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def failure(error: Exception) -> Failed:
    """What the user is told. Errors of our own say what to do; the others name themselves, and the log has the rest."""
    if isinstance(error, NoSpaceError) or is_full(error):
        return Failed(code=NoSpaceError.code, message=str(NoSpaceError()), then="pause")
    if isinstance(error, InfraMindError):
        # The verifier's environment may have recovered by the next attempt; a wrong setting has not.
        then: Literal["retry", "pause", "fail"] = (
            "retry" if isinstance(error, SandboxError) else "fail"
        )
        return Failed(code=error.code, message=str(error)[:MAX_TEXT], param=error.param, then=then)
    if isinstance(error, MemoryError):
        return Failed(code=OutOfMemoryError.code, message=str(OutOfMemoryError()), then="fail")
    if isinstance(error, ModuleNotFoundError):
        extra = extra_of(error.name) or "train"
        message = missing_packages([str(error.name)], extra)
        return Failed(code="missing_package", message=message, then="fail")
    message = f"{type(error).__name__}: {error}"[: MAX_TEXT - 100]
    return Failed(
        code="internal_error",
        message=f"{message} (the trainer's log has the traceback)",
        then="retry",
    )


def main() -> None:
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
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(
        target=watch_deadline, args=(deadline_file(context.run_dir),), daemon=True
    ).start()
    status = run(job, context, writer)
    # Everything is reported: no destructor of a library may hang or crash this process now.
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
