"""Makes the trainer's job of the claimed job's rows, and brings the files here that it reads."""

import errno
import logging
import shutil
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import NoResultFound

from app.artifacts import Artifacts
from app.db.tables import Adapter
from app.errors import UnreadableJobError
from app.jobs import lease
from app.jobs.lease import Claim, Run
from app.judging import calibrations
from app.settings import Settings
from inframind.errors import ConfigError
from inframind.models.adapter import AdapterManifest
from inframind.pipeline import DEFAULT_DATASET, PipelineSpec
from inframind.stages.base import SavedCheckpoint, StageReport, TrainedAdapter
from workers.pipe import TrainerJob

log = logging.getLogger(__name__)
BROKEN = (ValueError, TypeError, LookupError, AttributeError, NoResultFound)
"""What reading raises where a document has another shape, is no JSON, or where a row is missing."""
SPARE_CHECKPOINTS = 3
"""An attempt starts with room for so many checkpoints as large as the last one."""


def assignment(
    engine: Engine, settings: Settings, artifacts: Artifacts, claim: Claim, run_dir: Path
) -> TrainerJob:
    """Reads what the trainer is to do.

    Raises UnreadableJobError for rows that are broken, or of a version with other stages; what the
    database raises while it is away.
    """
    try:
        return _trainer_job(engine, settings, artifacts, claim, run_dir)
    except ConfigError as error:
        message = f"the job's stages are not valid for this version: {error}"
        raise UnreadableJobError(message, param="stages") from error
    except BROKEN as error:
        # The rows were written by another version, by hand, or on a disk that has flipped bits.
        log.exception("the job's rows cannot be read")
        message = f"{' '.join((UnreadableJobError.__doc__ or '').split())} ({type(error).__name__})"
        raise UnreadableJobError(message) from error


def _trainer_job(
    engine: Engine, settings: Settings, artifacts: Artifacts, claim: Claim, run_dir: Path
) -> TrainerJob:
    run = lease.load_run(engine, claim)
    if not run.stages:
        # It would succeed at once, with nothing trained.
        raise UnreadableJobError("the job has no stages", param="stages")
    spec = _pipeline_spec(run, artifacts)
    asks_judge = settings.has_judge and any(stage.asks_judge for stage in run.stages)
    judge = calibrations.describe_judge(engine, settings.judge_model) if asks_judge else None
    return TrainerJob(
        spec=spec,
        run_dir=run_dir,
        attempt=claim.fence,
        finished=_finished_stages(run, artifacts),
        checkpoints=tuple(
            SavedCheckpoint(
                stage_index=row.stage_index,
                step=row.step,
                path=artifacts.locate(row.whereabouts),
                sha256=row.sha256,
            )
            for row in run.checkpoints
        ),
        request_id=run.job.request_id,
        log_format=settings.log_format,
        log_level=settings.log_level,
        judge=judge.model_dump(mode="json") if judge else None,
    )


def _pipeline_spec(run: Run, artifacts: Artifacts) -> PipelineSpec:
    job = run.job
    own_data = job.dataset != DEFAULT_DATASET
    return PipelineSpec(
        job_id=job.id,
        base_model=job.base_model,
        dataset=job.dataset,
        dataset_path=artifacts.dataset(job.dataset) if own_data else None,
        seed=job.seed,
        stages=run.stages,
        start_from=_trained(run.start_from, artifacts, 0.0) if run.start_from else None,
        models=tuple(
            _trained(row, artifacts, row.manifest["train_seconds"]) for row in run.evaluated
        ),
    )


def _trained(row: Adapter, artifacts: Artifacts, train_seconds: float) -> TrainedAdapter:
    folder = artifacts.locate(row.whereabouts)
    return TrainedAdapter(stage=row.stage, id=row.id, folder=folder, train_seconds=train_seconds)


def _finished_stages(run: Run, artifacts: Artifacts) -> dict[int, StageReport]:
    adapters = {row.id: row for row in run.adapters}
    finished = {}
    for result in run.results:
        adapter = adapters.get(result.adapter_id or "")
        # An evaluation leaves a result without an adapter.
        finished[result.stage_index] = StageReport(
            metrics=result.metrics,
            train_seconds=result.train_seconds,
            manifest=AdapterManifest.model_validate(adapter.manifest) if adapter else None,
            path=artifacts.locate(adapter.whereabouts) if adapter else None,
        )
    return finished


def pull_files(artifacts: Artifacts, job: TrainerJob) -> None:
    """Copies what the trainer reads from the store to here. Raises StoreError, OSError."""
    for path in _files(job):
        artifacts.pull(path)


def _files(job: TrainerJob) -> Iterable[Path]:
    yield from (report.path for report in job.finished.values() if report.path)
    yield from (adapter.folder for adapter in job.spec.models)
    # A finished stage goes on from its adapter: its checkpoints need not travel.
    yield from (saved.path for saved in job.checkpoints if saved.stage_index not in job.finished)
    if job.spec.start_from:
        yield job.spec.start_from.folder
    if job.spec.dataset_path:
        yield job.spec.dataset_path


def check_space(job: TrainerJob, min_free_bytes: int) -> None:
    """Raises OSError (ENOSPC) now rather than in the middle of a checkpoint."""
    sizes = [sum(file.stat().st_size for file in saved.path.glob("*")) for saved in job.checkpoints]
    needed = max([min_free_bytes, *(SPARE_CHECKPOINTS * size for size in sizes)])
    if shutil.disk_usage(job.run_dir).free < needed:
        raise OSError(errno.ENOSPC, f"less than {needed} bytes are free")
