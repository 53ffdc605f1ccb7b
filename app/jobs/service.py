"""What the api does with jobs and models. The only creator of job rows."""

import re
import uuid
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.db.migrate import is_current
from app.db.models import Adapter, Dataset, Job, JobEvent, JobMetric, StageResult, Worker
from app.db.ownership import acting
from app.db.session import database_now, reading, writing
from app.errors import ConflictError, InvalidError, NotFoundError
from app.jobs.lease import finish
from app.jobs.record import add_event
from app.jobs.spec import JobSpec
from app.jobs.state import TERMINAL, JobState
from app.jobs.views import EventView, JobView, MetricView, ModelView, event_view, job_view, metric_view
from inframind.models.adapter import NAME
from inframind.models.registry import BASE_MODELS, is_available
from inframind.pipeline import DEFAULT_DATASET

WORKER_SILENT_SECONDS = 30.0
DATASET = re.compile(r"ds-[0-9a-f]{32}")
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def new_id(now: float) -> str:
    """A UUID of version 7: its order is the order of creation (RFC 9562)."""
    milliseconds = int(now * 1000)
    random = uuid.uuid4().int & ((1 << 74) - 1)
    value = (milliseconds << 80) | (0x7 << 76) | ((random >> 62) << 64) | (0b10 << 62) | (random & ((1 << 62) - 1))
    return str(uuid.UUID(int=value))


def submit(engine: Engine, spec: JobSpec, max_attempts: int = 3, owner: str | None = None) -> JobView:
    """Writes the job's row. Raises InvalidError that names the field; nothing is stored then."""
    if spec.base_model not in BASE_MODELS:
        raise InvalidError(f"unknown base model {spec.base_model!r}; known: {', '.join(BASE_MODELS)}", param="base_model")
    stages = spec.resolved()
    if not is_available(spec.base_model):
        raise InvalidError(
            f"the weights of {spec.base_model} are not in the hub's cache: run `hf download {spec.base_model}`", param="base_model"
        )
    with writing(engine) as session:
        if spec.start_from is not None:
            _check_parent(session, spec)
        if spec.dataset != DEFAULT_DATASET and not _has_dataset(session, spec.dataset):
            message = f"unknown dataset {spec.dataset!r}: GET /datasets lists those that exist, beside {DEFAULT_DATASET}"
            raise InvalidError(message, param="dataset")
        now = database_now(session)
        job = Job(
            id=new_id(now), owner=owner, name=spec.name, state=JobState.QUEUED, method=spec.method, base_model=spec.base_model,
            start_from=spec.start_from, dataset=spec.dataset, seed=spec.seed, spec=stages, meta=spec.metadata,
            created_at=now, max_attempts=max_attempts, metrics={}, request_id=acting.get().request_id,
        )  # fmt: skip
        session.add(job)
        session.flush()
        add_event(session, job, "info", "queued", "the job was accepted")
        session.refresh(job)
        return job_view(job, [])


def _has_dataset(session: Session, name: str) -> bool:
    return bool(DATASET.fullmatch(name)) and session.scalar(select(Dataset.id).where(Dataset.id == name).limit(1)) is not None


def _check_parent(session: Session, spec: JobSpec) -> None:
    parent = session.get(Adapter, spec.start_from) if NAME.fullmatch(spec.start_from or "") else None
    if parent is None:
        raise InvalidError(f"unknown adapter {spec.start_from!r}; GET /models lists those that exist", param="start_from")
    if not Path(parent.path).is_dir():
        raise InvalidError(f"the files of {spec.start_from} are not here any more", param="start_from")
    if parent.base_model != spec.base_model:
        raise InvalidError(f"{spec.start_from} belongs to the base model {parent.base_model}", param="start_from")


def _job(session: Session, job_id: str, *, lock: bool = False) -> Job:
    # Only what may be an id reaches the database: PostgreSQL takes no NUL in a text.
    job = session.get(Job, job_id, with_for_update=lock or None) if ID.fullmatch(job_id) else None
    if job is None:
        raise NotFoundError(f"there is no job {job_id[:64]!r}; GET /jobs lists those that exist", param="id")
    return job


def _results(session: Session, ids: Sequence[str]) -> dict[str, list[StageResult]]:
    rows = session.scalars(select(StageResult).where(StageResult.job_id.in_(ids)).order_by(StageResult.stage_index))
    found: dict[str, list[StageResult]] = {job_id: [] for job_id in ids}
    for row in rows:
        found[row.job_id].append(row)
    return found


def get(engine: Engine, job_id: str) -> JobView:
    """One job. Raises NotFoundError."""
    with reading(engine) as session:
        job = _job(session, job_id)
        return job_view(job, _results(session, [job_id])[job_id])


def list_jobs(engine: Engine, limit: int, after: str | None, state: str | None) -> tuple[list[JobView], bool]:
    """Jobs, newest first, behind the job `after`; and whether there are more."""
    with reading(engine) as session:
        query = select(Job).order_by(Job.id.desc()).limit(limit + 1)
        if after is not None:
            if not ID.fullmatch(after):
                raise InvalidError("`after` is the id of the last job of the page before", param="after")
            query = query.where(Job.id < after)
        if state is not None:
            query = query.where(Job.state == state)
        jobs = list(session.scalars(query))
        results = _results(session, [job.id for job in jobs])
        return [job_view(job, results[job.id]) for job in jobs[:limit]], len(jobs) > limit


def cancel(engine: Engine, job_id: str) -> JobView:
    """Cancels a queued job at once; asks a running one to stop. Raises ConflictError in a terminal state."""
    with writing(engine) as session:
        job = _job(session, job_id, lock=True)
        if job.state in TERMINAL:
            raise ConflictError(f"the job is {job.state} already")
        if job.state == JobState.QUEUED:
            finish(session, job, "cancelled")
        elif job.want != "cancel":
            job.want = "cancel"
            add_event(session, job, "info", "cancel_requested", "the worker was asked to stop")
        return job_view(job, _results(session, [job_id])[job_id])


def events(engine: Engine, job_id: str, after: int, limit: int) -> tuple[list[EventView], bool, bool]:
    """Events behind `after`, whether there are more, and whether the job is in a terminal state."""
    with reading(engine) as session:
        job = _job(session, job_id)
        rows = list(
            session.scalars(
                select(JobEvent).where(JobEvent.job_id == job_id, JobEvent.seq > after).order_by(JobEvent.seq).limit(limit + 1)
            )
        )
        return [event_view(row) for row in rows[:limit]], len(rows) > limit, job.state in TERMINAL


def metrics(engine: Engine, job_id: str, stage_index: int | None, after_step: int, limit: int) -> tuple[list[MetricView], bool]:
    """Metrics in order of stage and step, and whether there are more."""
    if after_step and stage_index is None:
        raise InvalidError("`after_step` counts within a stage: give `stage_index` too", param="stage_index")
    with reading(engine) as session:
        _job(session, job_id)
        query = select(JobMetric).where(JobMetric.job_id == job_id, JobMetric.step > after_step)
        if stage_index is not None:
            query = query.where(JobMetric.stage_index == stage_index)
        rows = list(session.scalars(query.order_by(JobMetric.stage_index, JobMetric.step).limit(limit + 1)))
        return [metric_view(row) for row in rows[:limit]], len(rows) > limit


def models(engine: Engine) -> list[ModelView]:
    """Base models and adapters."""
    bases = [
        ModelView(id=m.id, kind="base", base_model=m.id, available=is_available(m.id), description=m.description)
        for m in BASE_MODELS.values()
    ]
    with reading(engine) as session:
        return bases + [_adapter_view(row) for row in session.scalars(select(Adapter).order_by(Adapter.created_at.desc()))]


def _adapter_view(row: Adapter, *, whole: bool = False) -> ModelView:
    return ModelView(
        id=row.id, kind="adapter", base_model=row.base_model, stage=row.stage, job_id=row.job_id, parent=row.parent,
        created_at=row.created_at, available=Path(row.path).is_dir(), manifest=row.manifest if whole else None,
    )  # fmt: skip


def model(engine: Engine, name: str) -> ModelView:
    """One model with its manifest. Raises NotFoundError."""
    if name in BASE_MODELS:
        base = BASE_MODELS[name]
        return ModelView(id=name, kind="base", base_model=name, available=is_available(name), description=base.description)
    return _adapter_view(adapter(engine, name), whole=True)


def adapter(engine: Engine, name: str) -> Adapter:
    """The row of an adapter. Raises NotFoundError."""
    with reading(engine) as session:
        row = session.get(Adapter, name) if NAME.fullmatch(name) else None
        if row is None:
            raise NotFoundError(f"there is no model {name[:128]!r}; GET /models lists those that exist", param="model")
        session.expunge(row)
        return row


def has_live_worker(engine: Engine) -> bool:
    """Whether a supervisor gave a sign of life lately."""
    with reading(engine) as session:
        last = session.scalar(select(func.max(Worker.heartbeat_at)))
        return last is not None and database_now(session) - last < WORKER_SILENT_SECONDS


def readiness(engine: Engine) -> dict[str, bool]:
    """What a job needs of the database: that it answers, its newest tables, and a live worker."""
    try:
        current = is_current(engine)
        return {"database": True, "migrations": current, "worker": current and has_live_worker(engine)}
    except SQLAlchemyError:
        return {"database": False, "migrations": False, "worker": False}
