"""What is written about a job beside its state: events, progress, metrics, checkpoints, results.

Every function takes a job row that the caller has locked (`app.jobs.lease.fenced`): a write and its guard are one transaction.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import JSON, bindparam, func, insert, select
from sqlalchemy.orm import Session

from app.db.session import database_now, now
from app.db.tables import Adapter, Base, Checkpoint, Job, JobMetric, StageResult

MAX_MESSAGE = 4000
_EVENTS = Base.metadata.tables["job_events"]
APPEND = insert(_EVENTS).values(
    job_id=bindparam("job"),
    seq=select(func.coalesce(func.max(_EVENTS.c.seq), 0) + 1)
    .where(_EVENTS.c.job_id == bindparam("job"))
    .scalar_subquery(),
    at=now(),
    fence=bindparam("fence"),
    level=bindparam("level"),
    code=bindparam("code"),
    message=bindparam("message"),
    data=bindparam("data", type_=JSON),
)
"""Made once: every change of a job runs it."""


def add_event(
    session: Session,
    job: Job,
    level: str,
    code: str,
    message: str,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Appends an event, in one statement; `seq` counts up from 1 without gaps."""
    session.flush()
    values = {
        "level": level,
        "code": code[:64],
        "message": message[:MAX_MESSAGE],
        "data": dict(data or {}),
    }
    session.execute(APPEND, {"job": job.id, "fence": job.fence, **values})


def start_stage(session: Session, job: Job, stage_index: int, stage: str, total_steps: int) -> None:
    """The job is in this stage now."""
    job.stage, job.stage_index = stage, stage_index
    job.step, job.total_steps, job.metrics = 0, total_steps, {}
    add_event(
        session,
        job,
        "info",
        "stage_started",
        f"{stage} started",
        {"stage_index": stage_index, "total_steps": total_steps},
    )


def add_metrics(
    session: Session, job: Job, stage_index: int, step: int, values: Mapping[str, float]
) -> None:
    """Metrics of one step. A resumed attempt runs some steps again: the last one to run is what counts."""
    stage = (
        job.stage
        if job.stage_index == stage_index and job.stage
        else job.stages[stage_index]["stage"]
    )
    row = {"job_id": job.id, "stage_index": stage_index, "step": step}
    session.merge(JobMetric(**row, stage=stage, at=database_now(session), values=dict(values)))
    job.stage_index, job.stage, job.step, job.metrics = stage_index, stage, step, dict(values)


def add_checkpoint(
    session: Session, job: Job, stage_index: int, step: int, path: str, sha256: str
) -> None:
    """Registers a whole checkpoint; only registered ones are ever resumed from."""
    session.merge(
        Checkpoint(
            job_id=job.id,
            fence=job.fence,
            stage_index=stage_index,
            step=step,
            path=path,
            sha256=sha256,
            at=database_now(session),
        )
    )


def publish_stage(
    session: Session,
    job: Job,
    stage_index: int,
    stage: str,
    metrics: Mapping[str, Any],
    train_seconds: float,
    manifest: Mapping[str, Any] | None,
    path: str | None,
) -> None:
    """A finished stage's result and, if it made one, its adapter: both or neither, and never a second time."""
    if session.get(StageResult, (job.id, stage_index)) is not None:
        return
    if manifest is not None and path is not None:
        session.add(
            Adapter(
                id=manifest["id"],
                owner=job.owner,
                job_id=job.id,
                stage=stage,
                stage_index=stage_index,
                base_model=job.base_model,
                parent=manifest["parent"],
                path=path,
                manifest=dict(manifest),
                created_at=database_now(session),
            )
        )
    adapter = manifest["id"] if manifest is not None else None
    session.add(
        StageResult(
            job_id=job.id,
            stage_index=stage_index,
            stage=stage,
            adapter_id=adapter,
            train_seconds=train_seconds,
            metrics=dict(metrics),
            finished_at=database_now(session),
        )
    )
    job.step = job.total_steps
    add_event(
        session,
        job,
        "info",
        "stage_done",
        f"{stage} done",
        {"stage_index": stage_index, "adapter": adapter},
    )
