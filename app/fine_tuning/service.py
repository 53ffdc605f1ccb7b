"""OpenAI's fine-tuning jobs over our own: one row a job, one state, one life."""

import re
from collections.abc import Mapping

from sqlalchemy import ColumnElement, Engine, Text, case, cast, not_, select
from sqlalchemy.orm import Session

from app.catalog.names import resolved
from app.datasets import service as datasets
from app.datasets.files import row_of
from app.db.paging import read_page, stored_position
from app.db.session import reading
from app.db.tables import Adapter, Job, JobEvent, StageResult
from app.errors import InvalidError, NotFoundError
from app.fine_tuning.request import CreateRequest
from app.fine_tuning.views import (
    CHECKPOINT,
    EVENT,
    PREFIX,
    CheckpointMetrics,
    FineTuningCheckpoint,
    FineTuningEvent,
    FineTuningJob,
    fine_tuning_job,
    model_name,
)
from app.jobs.service import ID, JobService
from app.jobs.spec import JobSpec
from app.jobs.views import job_view
from app.views import Page, PageRequest
from inframind.errors import ConfigError, InfraMindError
from inframind.models.registry import BASE_MODELS
from inframind.stages import parse_all

MAX_FILTERS = 16
"""Pairs of metadata that a job of OpenAI's API has at most."""
EVENT_NUMBER = re.compile(r"[0-9]{1,9}")
NUL_IN_JSON = r"\u0000"


def create(jobs: JobService, request: CreateRequest, key: str | None = None) -> FineTuningJob:
    """Queues the job that the request means, or gives the one that it made with this `key` before.

    Raises NotFoundError and what `JobService.submit` raises, with `param` as the client named it.
    """
    try:
        job = jobs.submit_as(request, lambda: _spec(jobs, request), key)
    except InfraMindError as error:
        raise request.translated(error) from error
    return get(jobs.engine, PREFIX + job.id)


def _spec(jobs: JobService, request: CreateRequest) -> JobSpec:
    with reading(jobs.engine) as session:
        model = resolved(session, request.model)
        base_model = model if model in BASE_MODELS else session.get_one(Adapter, model).base_model
        dataset = _dataset(session, request.training_file, "training_file")
        held_out = (
            _dataset(session, request.validation_file, "validation_file")
            if request.validation_file
            else None
        )
    if held_out:
        dataset = datasets.with_validation(jobs.engine, jobs.artifacts, dataset, held_out)
    rows = datasets.find(jobs.engine, dataset).tasks.get("train", 0)
    start_from = model if model not in BASE_MODELS else None
    return request.spec(base_model=base_model, start_from=start_from, dataset=dataset, rows=rows)


def _dataset(session: Session, file: str, param: str) -> str:
    try:
        return row_of(session, file).dataset
    except NotFoundError as error:
        raise InvalidError(str(error), param=param) from None


def get(engine: Engine, identity: str) -> FineTuningJob:
    """One job. Raises NotFoundError."""
    with reading(engine) as session:
        return _fine_tuning_view(session, _job(session, identity))


def cancel(jobs: JobService, identity: str) -> FineTuningJob:
    """Cancels a job. Raises NotFoundError, ConflictError."""
    jobs.cancel(_ours(jobs, identity))
    return get(jobs.engine, identity)


def pause(jobs: JobService, identity: str) -> FineTuningJob:
    """Pauses a job. Raises NotFoundError, ConflictError."""
    jobs.pause(_ours(jobs, identity))
    return get(jobs.engine, identity)


def resume(jobs: JobService, identity: str) -> FineTuningJob:
    """Lets a paused job go on. Raises NotFoundError, ConflictError."""
    jobs.resume(_ours(jobs, identity))
    return get(jobs.engine, identity)


def _ours(jobs: JobService, identity: str) -> str:
    """Finds our id of a fine-tuning job. Raises NotFoundError."""
    with reading(jobs.engine) as session:
        return _job(session, identity).id


def list_jobs(
    engine: Engine, page: PageRequest, metadata: Mapping[str, str]
) -> Page[FineTuningJob]:
    """Lists jobs of this API, newest first, that have all of the metadata. Raises InvalidError."""
    if len(metadata) > MAX_FILTERS:
        # Each is a condition on every row: 2,500 of one URL took SQLite 3.2 s.
        raise InvalidError(
            f"{len(metadata)} filters `metadata[...]` are too many: {MAX_FILTERS} at most, which is"
            " as many as a job has",
            param="metadata",
        )
    query = select(Job).where(Job.fine_tuning.is_not(None))
    for key, value in metadata.items():
        query = query.where(_metadata(key) == value)
    with reading(engine) as session:
        jobs = read_page(session, query, (Job.id,), page, _own_id, descending=True)
        views = [_fine_tuning_view(session, job) for job in jobs.rows]
    ids = [view.id for view in views]
    return Page[FineTuningJob].of(views, ids, has_more=jobs.has_more)


def _metadata(key: str) -> ColumnElement[str | None]:
    """The value of a job's metadata; none where they have a NUL, which no door takes any more."""
    # PostgreSQL reads no JSON with a NUL in it: one old row would fail the whole list, for the
    # order of conditions is the planner's, but not that of a CASE.
    readable = not_(cast(Job.meta, Text).contains(NUL_IN_JSON, autoescape=True))
    return case((readable, Job.meta[key].as_string()), else_=None)


def _own_id(identity: str) -> tuple[str] | None:
    job_id = identity.removeprefix(PREFIX)
    return (job_id,) if identity.startswith(PREFIX) and ID.fullmatch(job_id) else None


def list_events(engine: Engine, identity: str, page: PageRequest) -> Page[FineTuningEvent]:
    """Lists a job's events, newest first. Raises NotFoundError, InvalidError."""

    def position(event: str) -> tuple[int] | None:
        number = event.removeprefix(f"{EVENT}{job.id}-")
        return (int(number),) if EVENT_NUMBER.fullmatch(number) else None

    with reading(engine) as session:
        job = _job(session, identity)
        query = select(JobEvent).where(JobEvent.job_id == job.id)
        # OpenAI's order, and the other way round than that of `/jobs/{id}/events`.
        events = read_page(session, query, (JobEvent.seq,), page, position, descending=True)
        views = [
            FineTuningEvent.model_validate(
                {
                    "id": f"{EVENT}{job.id}-{row.seq}",
                    "created_at": int(row.at),
                    "level": row.level,
                    "message": row.message,
                    "data": {"code": row.code, **row.data},
                }
            )
            for row in events.rows
        ]
    ids = [view.id for view in views]
    return Page[FineTuningEvent].of(views, ids, has_more=events.has_more)


def list_checkpoints(
    engine: Engine, identity: str, page: PageRequest
) -> Page[FineTuningCheckpoint]:
    """Lists the adapters of finished stages, newest first. Raises NotFoundError, InvalidError."""
    with reading(engine) as session:
        row = _job(session, identity)
        job, request = job_view(row, _results(session, row)), row.fine_tuning or {}
        steps = _steps(row)
        finished = StageResult.job_id == row.id, StageResult.adapter_id.is_not(None)
        keys = (StageResult.stage_index,)
        results = read_page(
            session,
            select(StageResult).where(*finished),
            keys,
            page,
            lambda checkpoint: stored_position(
                session,
                keys,
                *finished,
                StageResult.adapter_id == checkpoint.removeprefix(CHECKPOINT),
            ),
            descending=True,
        )
        views = [
            FineTuningCheckpoint(
                id=f"{CHECKPOINT}{result.adapter_id}",
                created_at=int(result.finished_at),
                fine_tuned_model_checkpoint=model_name(job, request, str(result.adapter_id)),
                fine_tuning_job_id=identity,
                metrics=_metrics(result, steps[result.stage_index]),
                step_number=steps[result.stage_index],
            )
            for result in results.rows
        ]
    ids = [view.id for view in views]
    return Page[FineTuningCheckpoint].of(views, ids, has_more=results.has_more)


def _steps(job: Job) -> list[int]:
    """The steps of each stage; 0 of a job whose stages another version wrote, and not this one."""
    try:
        return [stage.total_steps for stage in parse_all(job.stages)]
    except ConfigError:
        return [0] * len(job.stages)


def _metrics(result: StageResult, step: int) -> CheckpointMetrics:
    metrics = result.metrics
    return CheckpointMetrics(
        step=step,
        train_loss=metrics.get("loss"),
        train_mean_token_accuracy=metrics.get("token_accuracy"),
    )


def _job(session: Session, identity: str) -> Job:
    job_id = identity.removeprefix(PREFIX)
    job = session.get(Job, job_id) if identity.startswith(PREFIX) and ID.fullmatch(job_id) else None
    if job is None or job.fine_tuning is None:
        message = (
            f"there is no fine-tuning job {identity[:64]!r}; "
            "GET /v1/fine_tuning/jobs lists those that exist"
        )
        raise NotFoundError(message, param="fine_tuning_job_id")
    return job


def _results(session: Session, job: Job) -> list[StageResult]:
    query = (
        select(StageResult).where(StageResult.job_id == job.id).order_by(StageResult.stage_index)
    )
    return list(session.scalars(query))


def _fine_tuning_view(session: Session, job: Job) -> FineTuningJob:
    return fine_tuning_job(job_view(job, _results(session, job)), job.fine_tuning or {})
