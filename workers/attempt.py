"""One attempt at a job: the trainer process, its lease, and what it reports, written with the fence."""

import contextlib
import errno
import logging
import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from pydantic import ValidationError
from sqlalchemy import Engine
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from app.artifacts import Artifacts
from app.db.tables import Job
from app.errors import StoreError
from app.job_state import TERMINAL
from app.jobs import lease, record, transitions
from app.jobs.lease import Claim, LeaseLostError
from app.jobs.transitions import DEADLINE, JobError
from app.judging import service as judging
from app.settings import Settings
from inframind.errors import EngineError, NoSpaceError
from inframind.models.adapter import AdapterManifest, verify_adapter
from inframind.pipeline import DEFAULT_DATASET, PipelineSpec
from inframind.stages.base import StageReport
from workers import pipe
from workers.process import signal_group, spawn
from workers.progress import Estimate, StallDetector
from workers.trainer import (
    EXIT_DONE,
    EXIT_LEASE_LOST,
    CheckpointRecord,
    TrainerJob,
    deadline_file,
    is_full,
)

log = logging.getLogger(__name__)

LEASE_SHARE = 0.8
"""The trainer ends itself after this share of the lease, before another worker can take the job."""
SPARE_CHECKPOINTS = 3
"""An attempt starts with room for so many checkpoints as large as the last one."""
NO_SPACE = JobError(NoSpaceError.code, str(NoSpaceError()))
STORE_AWAY_SECONDS = 30.0
"""Between attempts of a job while the store of the artifacts does not answer."""
TICK_SECONDS = 0.05
PASSED_ON = (
    "PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "LD_LIBRARY_PATH", "HF_HOME", "HF_HUB_CACHE", "OMP_NUM_THREADS",
    "CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES", "CUDA_HOME",
)  # fmt: skip
"""Everything of the environment that the trainer may see: no database, no key."""
JUDGE = "INFRAMIND_JUDGE_"
"""The judge model's address and key: only for a job whose evaluation asks it."""
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


class UntrustedReportError(Exception):
    """The trainer reported something that cannot be: a path outside its folder, an adapter with wrong bytes."""


class Attempt:
    """Runs one claimed job until it ends, is taken away or the worker drains."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        artifacts: Artifacts,
        held: Claim,
        draining: Callable[[], bool],
    ) -> None:
        self._engine, self._settings, self._held, self._draining = engine, settings, held, draining
        self._artifacts = artifacts
        self._job_dir = artifacts.job(held.job_id)
        self._run_dir = self._job_dir / str(held.fence)
        self._lease_until = time.monotonic() + settings.lease_seconds * LEASE_SHARE
        self._beat_at = 0.0
        self._want = "run"
        self._told_to_stop_at: float | None = None
        self._killed_for: JobError | None = None
        self._failure: pipe.Failed | None = None
        self._stall = StallDetector(settings.stall_seconds, time.monotonic())
        self._estimate = Estimate()
        self._unfinished: set[int] = set()
        self._ended = False

    def run(self) -> None:
        """The whole attempt. Loses silently: without the lease nothing is written."""
        structlog.contextvars.bind_contextvars(job_id=self._held.job_id, fence=self._held.fence)
        process = None
        try:
            try:
                process = self._start()
                if process is not None:
                    self._attend(process)
                    self._write(partial(self._settle, status=process.wait()))
                    log.info("the attempt has ended", extra={"status": process.returncode})
                    self._tidy()
            except OSError as error:
                # The disk or the store, not the job: nothing of it is lost, and the supervisor goes on.
                log.exception("the artifacts could not be used")
                end(process)
                self._write(partial(_fail_for_the_disk, error=error))
        except LeaseLostError as error:
            log.warning("%s", error)
        finally:
            end(process)
            structlog.contextvars.clear_contextvars()

    # Start

    def _start(self) -> "subprocess.Popen[bytes] | None":
        self._run_dir.mkdir(parents=True, exist_ok=True)
        try:
            job = self._trainer_job()
        except ValidationError as error:
            message = f"the job's stages are not valid for this version: {error.errors()[0]['msg']}"
            invalid = JobError("invalid_config", message, "stages")
            self._write(lambda session, row: transitions.finish(session, row, "failed", invalid))
            return None
        self._meanwhile(lambda: pull(self._artifacts, job))
        self._check_space(job)
        self._estimate = Estimate.of(
            [(stage.stage, stage.total_steps) for stage in job.spec.stages], list(job.finished)
        )
        self._unfinished = set(range(len(job.spec.stages))) - set(job.finished)
        # The claim's own lease holds, should the database be away at this very moment.
        self._allow_until(self._lease_until)
        self._renew()
        structlog.contextvars.bind_contextvars(request_id=job.request_id)
        log.info("the attempt starts")
        given = self._run_dir / "job.json"
        given.write_text(job.model_dump_json())
        names = [
            name
            for name in os.environ
            if name in PASSED_ON or (job.judge and name.startswith(JUDGE))
        ]
        env = {name: os.environ[name] for name in names} | OFFLINE
        with given.open("rb") as stdin, (self._run_dir / "trainer.log").open("ab") as stderr:
            return spawn(
                "workers.trainer", env=env, stdin=stdin, stdout=subprocess.PIPE, stderr=stderr
            )

    def _check_space(self, job: TrainerJob) -> None:
        """Raises OSError (ENOSPC) now rather than in the middle of a checkpoint."""
        sizes = [
            sum(file.stat().st_size for file in Path(saved.path).glob("*"))
            for saved in job.checkpoints
        ]
        needed = max([self._settings.min_free_bytes, *(SPARE_CHECKPOINTS * size for size in sizes)])
        if shutil.disk_usage(self._run_dir).free < needed:
            raise OSError(errno.ENOSPC, f"less than {needed} bytes are free")

    def _trainer_job(self) -> TrainerJob:
        run = lease.load_run(self._engine, self._held)
        adapters = {adapter.id: adapter for adapter in run.adapters}
        finished = {}
        for result in run.results:
            adapter = adapters.get(result.adapter_id or "")
            manifest = AdapterManifest.model_validate(adapter.manifest) if adapter else None
            path = adapter.path if adapter else None
            finished[result.stage_index] = StageReport(
                metrics=result.metrics,
                train_seconds=result.train_seconds,
                manifest=manifest,
                path=path,
            )
        start = run.start_from
        spec = PipelineSpec.model_validate(
            {
                "job_id": run.job.id,
                "base_model": run.job.base_model,
                "dataset": run.job.dataset,
                "dataset_path": self._dataset_path(run.job.dataset),
                "seed": run.job.seed,
                "stages": run.job.spec,
                "start_from": (start.stage, start.id, start.path) if start else None,
                "models": [
                    (a.stage, a.id, a.path, a.manifest["train_seconds"]) for a in run.evaluated
                ],
            }
        )
        saved = [
            CheckpointRecord(stage_index=c.stage_index, step=c.step, path=c.path, sha256=c.sha256)
            for c in run.checkpoints
        ]
        return TrainerJob(
            spec=spec,
            run_dir=str(self._run_dir),
            attempt=self._held.fence,
            pipeline=self._settings.pipeline,
            finished=finished,
            checkpoints=tuple(saved),
            request_id=run.job.request_id,
            log_format=self._settings.log_format,
            log_level=self._settings.log_level,
            judge=self._judge(run.job.spec),
        )

    def _judge(self, stages: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
        """The judge model, and how far it is trusted now, if a stage asks it and the settings name one."""
        if not (self._settings.has_judge and any(stage.get("judged_tasks") for stage in stages)):
            return None
        return judging.known(self._engine, self._settings.judge_model).model_dump(mode="json")

    def _dataset_path(self, name: str) -> str | None:
        return None if name == DEFAULT_DATASET else str(self._artifacts.dataset(name))

    # While it runs

    def _attend(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None
        reader, descriptor, open_ = pipe.Reader(), process.stdout.fileno(), True
        while open_ or process.poll() is None:
            if open_ and select.select([descriptor], [], [], TICK_SECONDS)[0]:
                data = os.read(descriptor, 1 << 16)
                open_ = bool(data) and self._take(reader, data, process)
            elif not open_:
                time.sleep(TICK_SECONDS)
            elif process.poll() is not None and not select.select([descriptor], [], [], 0)[0]:
                # Dead, and nothing left to read: a process it left behind may hold the pipe open.
                return
            self._renew()
            self._stop_if_asked(process)

    def _take(self, reader: pipe.Reader, data: bytes, process: "subprocess.Popen[bytes]") -> bool:
        """Writes what the trainer said; False: it is not listened to any more."""
        try:
            for message in reader.feed(data):
                if (path := self._published(message)) is not None:
                    self._meanwhile(partial(self._artifacts.push, path))
                self._write(partial(self._record, message=message))
        except (pipe.PipeError, UntrustedReportError) as error:
            self._kill(
                process, JobError("internal_error", f"the trainer's report was refused: {error}")
            )
            return False
        return True

    def _published(self, message: pipe.Message) -> Path | None:
        """What must be in the store before its row names it."""
        match message:
            case pipe.CheckpointSaved(path=path):
                return self._own(path)
            case pipe.StageDone(report=report) if report.path is not None:
                return self._own(report.path)
        return None

    def _meanwhile(self, work: Callable[[], object]) -> None:
        """Does what may take long, and keeps the lease."""
        with ThreadPoolExecutor(1) as pool:
            done = pool.submit(work)
            while not wait([done], timeout=TICK_SECONDS).done:
                self._renew()
        done.result()

    def _record(self, session: Session, job: Job, message: Any) -> None:
        now = time.monotonic()
        if not isinstance(message, pipe.Event):
            self._stall.moved(now, step=isinstance(message, pipe.Progress))
        match message:
            case pipe.StageStarted(stage_index=index, stage=stage, total_steps=total):
                record.start_stage(session, job, index, stage, total)
            case pipe.Progress(stage_index=index, step=step, metrics=metrics):
                self._estimate.step(index, step, now)
                record.add_metrics(session, job, index, step, metrics)
            case pipe.Event(level=level, code=code, message=text, data=data):
                record.add_event(session, job, level, code, text, data)
            case pipe.CheckpointSaved(stage_index=index, step=step, path=path, sha256=sha256):
                record.add_checkpoint(session, job, index, step, str(self._own(path)), sha256)
            case pipe.StageDone(stage_index=index, stage=stage, report=report):
                self._publish(session, job, index, stage, report)
            case pipe.Failed():
                self._failure = message
        job.progress, job.eta_seconds = self._estimate.progress(), self._estimate.eta_seconds()

    def _publish(
        self, session: Session, job: Job, index: int, stage: str, report: StageReport
    ) -> None:
        manifest, path = None, None
        if report.manifest is not None and report.path is not None:
            path = self._own(report.path)
            try:
                manifest = verify_adapter(path).model_dump(mode="json")
            except EngineError as error:
                raise UntrustedReportError(str(error)) from error
        self._estimate.finish(index)
        self._unfinished.discard(index)
        record.publish_stage(
            session,
            job,
            index,
            stage,
            report.metrics,
            report.train_seconds,
            manifest,
            str(path) if path else None,
        )

    def _own(self, path: str) -> Path:
        whole = Path(path).resolve()
        if not whole.is_relative_to(self._run_dir.resolve()):
            raise UntrustedReportError("a path outside the attempt's folder")
        return whole

    def _write(self, change: Callable[[Session, Job], None]) -> None:
        """One fenced transaction, tried again while the database is away and the lease may still hold."""
        while True:
            try:
                with lease.fenced(self._engine, self._held) as (session, job):
                    change(session, job)
                    return
            except (OperationalError, InterfaceError) as error:
                if time.monotonic() > self._lease_until:
                    raise LeaseLostError(
                        "the database was away for longer than the lease"
                    ) from error
                time.sleep(TICK_SECONDS)

    def _renew(self) -> None:
        """Renews the lease when it is time."""
        sent = time.monotonic()
        if sent < self._beat_at:
            return
        lease_seconds = self._settings.lease_seconds
        try:
            self._want = lease.heartbeat(self._engine, self._held, lease_seconds)
        except (OperationalError, InterfaceError) as error:
            log.warning("the lease could not be renewed: %s", type(error).__name__)
            if sent > self._lease_until:
                raise LeaseLostError("the database was away for longer than the lease") from error
            return
        self._beat_at = sent + min(lease_seconds / 5, 2.0)
        self._allow_until(sent + lease_seconds * LEASE_SHARE)

    def _allow_until(self, moment: float) -> None:
        """Tells the trainer until when it may go on."""
        self._lease_until = moment
        temporary = self._run_dir / ".deadline"
        temporary.write_text(str(moment))
        temporary.rename(deadline_file(self._run_dir))

    # How it ends

    def _stop_if_asked(self, process: "subprocess.Popen[bytes]") -> None:
        now = time.monotonic()
        if process.poll() is not None:
            return
        if self._told_to_stop_at is None:
            if self._want != "run" or self._draining():
                self._told_to_stop_at = now
                process.terminate()
            elif self._stall.is_stalled(now):
                message = f"the trainer made no step for {self._stall.limit_seconds:.0f} s"
                self._kill(process, JobError("trainer_stalled", message))
        elif now - self._told_to_stop_at > self._settings.grace_seconds:
            signal_group(process, signal.SIGKILL)

    def _kill(self, process: "subprocess.Popen[bytes]", reason: JobError) -> None:
        self._killed_for = reason
        signal_group(process, signal.SIGKILL)

    def _settle(self, session: Session, job: Job, status: int) -> None:
        """What the trainer's end means for the job."""
        if self._killed_for is not None:
            transitions.fail_attempt(session, job, self._killed_for, retry=True)
        elif self._failure is not None:
            error = JobError(self._failure.code, self._failure.message, self._failure.param)
            if self._failure.then == "pause":
                transitions.pause(session, job, error)
            else:
                transitions.fail_attempt(session, job, error, retry=self._failure.then == "retry")
        elif status == EXIT_DONE and not self._unfinished:
            transitions.finish(session, job, "succeeded")
        elif self._want == "deadline":
            transitions.finish(session, job, "failed", DEADLINE)
        elif self._told_to_stop_at is not None or job.want != "run":
            transitions.requeue(session, job, JobError("worker_drained", "the worker was stopped"))
        elif status == EXIT_LEASE_LOST:
            transitions.lose_worker(
                session, job, JobError("lease_not_renewed", "the lease was not renewed in time")
            )
        else:
            transitions.fail_attempt(session, job, crash(status), retry=True)
        self._ended = job.state in TERMINAL

    def _tidy(self) -> None:
        """A finished job needs its published adapters, not the folders the stages worked in. What stays is pruned later."""
        try:
            for folder in self._job_dir.glob("*/stage-*") if self._ended else ():
                self._artifacts.remove(folder)
        except StoreError as error:
            log.warning("%s", error)


def pull(artifacts: Artifacts, job: TrainerJob) -> None:
    """Makes the files that the trainer reads be here."""
    spec = job.spec
    adapters = [report.path for report in job.finished.values() if report.path]
    adapters += [path for _, _, path in ([spec.start_from] if spec.start_from else [])]
    adapters += [path for _, _, path, _ in spec.models]
    checkpoints = [saved.path for saved in job.checkpoints if saved.stage_index not in job.finished]
    for path in [*adapters, *checkpoints, *([spec.dataset_path] if spec.dataset_path else [])]:
        artifacts.pull(Path(path))


def end(process: "subprocess.Popen[bytes] | None") -> None:
    """Ends the trainer and everything it started, for certain."""
    if process is not None:
        signal_group(process, signal.SIGKILL)
        process.wait()
        if process.stdout:
            process.stdout.close()


def _fail_for_the_disk(session: Session, job: Job, error: OSError) -> None:
    if is_full(error):
        transitions.pause(session, job, NO_SPACE)
    elif isinstance(error, StoreError):
        # However long it is away: the job goes on from its last checkpoint, and no attempt is counted.
        transitions.requeue(session, job, JobError(error.code, str(error)), STORE_AWAY_SECONDS)
    else:
        message = f"the folder of the artifacts could not be used: {os.strerror(error.errno or errno.EIO)}"
        transitions.fail_attempt(session, job, JobError("disk_error", message), retry=True)


def crash(status: int) -> JobError:
    """An end without a word."""
    if status >= 0:
        return JobError(
            "trainer_exited",
            f"the trainer ended with status {status} before its stages were done; see its log",
        )
    name = str(-status)
    with contextlib.suppress(ValueError):
        name = signal.Signals(-status).name
    hint = (
        " (often the system's out-of-memory killer: lower `batch_size` or `max_tokens`)"
        if name == "SIGKILL"
        else ""
    )
    return JobError("trainer_killed", f"the trainer was killed by {name}{hint}")
