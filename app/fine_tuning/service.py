"""OpenAI's fine-tuning jobs over our own: one row a job, one state, one life."""

from collections.abc import Callable, Mapping

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app.artifacts import Artifacts
from app.catalog.names import resolved
from app.datasets import service as datasets
from app.datasets.files import row_of
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
    FineTuningCheckpointList,
    FineTuningEvent,
    FineTuningEventList,
    FineTuningJob,
    FineTuningJobList,
    fine_tuning_job,
    model_name,
)
from app.jobs.service import ID
from app.jobs.spec import JobSpec
from app.jobs.views import JobView, job_view
from inframind.models.registry import BASE_MODELS


def create(
    engine: Engine,
    artifacts: Artifacts,
    request: CreateRequest,
    submit: Callable[[JobSpec], JobView],
) -> FineTuningJob:
    """Queues the job that the request means. Raises InvalidError, NotFoundError, DataError, ConfigError with `param`."""
    with reading(engine) as session:
        model = resolved(session, request.model)
        base_model = model if model in BASE_MODELS else session.get_one(Adapter, model).base_model
        training = _dataset(session, request.training_file, "training_file")
        validation = (
            _dataset(session, request.validation_file, "validation_file")
            if request.validation_file
            else None
        )
    dataset = (
        datasets.with_validation(engine, artifacts, training, validation)
        if validation
        else training
    )
    rows = datasets.find(engine, dataset).tasks.get("train", 0)
    start_from = model if model not in BASE_MODELS else None
    spec = request.spec(base_model=base_model, start_from=start_from, dataset=dataset, rows=rows)
    job = submit(spec)
    return fine_tuning_job(job, spec.fine_tuning or {})


def _dataset(session: Session, file: str, param: str) -> str:
    try:
        return row_of(session, file).dataset
    except NotFoundError as error:
        raise InvalidError(str(error), param=param) from None


def get(engine: Engine, identity: str) -> FineTuningJob:
    """One job. Raises NotFoundError."""
    with reading(engine) as session:
        return _view(session, _job(session, identity))


def change(engine: Engine, identity: str, move: Callable[[Engine, str], JobView]) -> FineTuningJob:
    """Cancels, pauses or resumes a job: `move` is the function that does it to ours. Raises NotFoundError, ConflictError."""
    with reading(engine) as session:
        job = _job(session, identity)
    return fine_tuning_job(move(engine, job.id), job.fine_tuning or {})


def page(
    engine: Engine, limit: int, after: str | None, metadata: Mapping[str, str]
) -> FineTuningJobList:
    """Jobs of this API, newest first, that have all of the metadata."""
    with reading(engine) as session:
        query = (
            select(Job).where(Job.fine_tuning.is_not(None)).order_by(Job.id.desc()).limit(limit + 1)
        )
        if after is not None:
            query = query.where(Job.id < _job(session, after).id)
        for key, value in metadata.items():
            query = query.where(Job.meta[key].as_string() == value)
        jobs = list(session.scalars(query))
        return FineTuningJobList(
            data=[_view(session, job) for job in jobs[:limit]], has_more=len(jobs) > limit
        )


def events(engine: Engine, identity: str, limit: int, after: str | None) -> FineTuningEventList:
    """Events, newest first."""
    with reading(engine) as session:
        job = _job(session, identity)
        query = (
            select(JobEvent)
            .where(JobEvent.job_id == job.id)
            .order_by(JobEvent.seq.desc())
            .limit(limit + 1)
        )
        if after is not None:
            query = query.where(JobEvent.seq < _seq(job, after))
        rows = list(session.scalars(query))
        data = [
            FineTuningEvent.model_validate(
                {
                    "id": f"{EVENT}{job.id}-{row.seq}", "created_at": int(row.at), "level": row.level, "message": row.message,
                    "data": {"code": row.code, **row.data},
                }
            )
            for row in rows[:limit]
        ]  # fmt: skip
        return FineTuningEventList(data=data, has_more=len(rows) > limit)


def _seq(job: Job, event: str) -> int:
    number = event.removeprefix(f"{EVENT}{job.id}-")
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise InvalidError("`after` is the id of the last event of the page before", param="after")
    return int(number)


def checkpoints(
    engine: Engine, identity: str, limit: int, after: str | None
) -> FineTuningCheckpointList:
    """The adapters of finished stages, newest first."""
    with reading(engine) as session:
        row = _job(session, identity)
        job, asked = job_view(row, _results(session, row)), row.fine_tuning or {}
        made = select(StageResult).where(
            StageResult.job_id == job.id, StageResult.adapter_id.is_not(None)
        )
        found = [
            FineTuningCheckpoint(
                id=f"{CHECKPOINT}{result.adapter_id}",
                created_at=int(result.finished_at),
                fine_tuned_model_checkpoint=model_name(job, asked, str(result.adapter_id)),
                fine_tuning_job_id=identity,
                metrics=_metrics(result, job.stages[result.stage_index]["max_steps"]),
                step_number=job.stages[result.stage_index]["max_steps"],
            )
            for result in session.scalars(made.order_by(StageResult.stage_index.desc()))
        ]
        if after is not None:
            names = [one.id for one in found]
            if after not in names:
                raise InvalidError(
                    "`after` is the id of the last checkpoint of the page before", param="after"
                )
            found = found[names.index(after) + 1 :]
        return FineTuningCheckpointList(data=found[:limit], has_more=len(found) > limit)


def _metrics(result: StageResult, step: int) -> CheckpointMetrics:
    metrics = result.metrics
    return CheckpointMetrics(
        step=step,
        train_loss=metrics.get("loss"),
        train_mean_token_accuracy=metrics.get("token_accuracy"),
    )


def _job(session: Session, identity: str) -> Job:
    own = identity.removeprefix(PREFIX)
    job = session.get(Job, own) if identity.startswith(PREFIX) and ID.fullmatch(own) else None
    if job is None or job.fine_tuning is None:
        message = f"there is no fine-tuning job {identity[:64]!r}; GET /v1/fine_tuning/jobs lists those that exist"
        raise NotFoundError(message, param="fine_tuning_job_id")
    return job


def _results(session: Session, job: Job) -> list[StageResult]:
    query = (
        select(StageResult).where(StageResult.job_id == job.id).order_by(StageResult.stage_index)
    )
    return list(session.scalars(query))


def _view(session: Session, job: Job) -> FineTuningJob:
    return fine_tuning_job(job_view(job, _results(session, job)), job.fine_tuning or {})
