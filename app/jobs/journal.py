"""Writes what happens to a job beside its state: events, metrics, checkpoints, results of stages.

Every function takes a job row that the caller has locked (`app.jobs.lease.fenced`): a write and its
guard are one transaction.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import JSON, bindparam, func, insert, select
from sqlalchemy.orm import Session

from app.db.session import database_now, now
from app.db.tables import Adapter, Base, Checkpoint, Job, JobMetric, StageResult, place_of
from inframind.stages.base import SavedCheckpoint, StageReport

MAX_EVENT_MESSAGE = 4000
_EVENTS = Base.metadata.tables["job_events"]
# Built once, not for each event: every change of a job appends one.
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
        "message": message[:MAX_EVENT_MESSAGE],
        "data": dict(data or {}),
    }
    session.execute(APPEND, {"job": job.id, "fence": job.fence, **values})


def start_stage(session: Session, job: Job, stage_index: int, stage: str, total_steps: int) -> None:
    """Makes this the stage that the job is in."""
    job.stage, job.stage_index = stage, stage_index
    job.step, job.total_steps, job.metrics = 0, total_steps, {}
    data = {"stage_index": stage_index, "total_steps": total_steps}
    add_event(session, job, "info", "stage_started", f"{stage} started", data)


def add_metrics(
    session: Session, job: Job, stage_index: int, step: int, values: Mapping[str, float]
) -> None:
    """Writes the metrics of one step.

    A resumed attempt runs some steps again: the last one to run is what counts.
    """
    stage = (
        job.stage
        if job.stage_index == stage_index and job.stage
        else job.stages[stage_index]["stage"]
    )
    row = {"job_id": job.id, "stage_index": stage_index, "step": step}
    session.merge(JobMetric(**row, stage=stage, at=database_now(session), values=dict(values)))
    job.stage_index, job.stage, job.step, job.metrics = stage_index, stage, step, dict(values)


def add_checkpoint(session: Session, job: Job, saved: SavedCheckpoint) -> None:
    """Registers a whole checkpoint; only registered ones are ever resumed from."""
    session.merge(
        Checkpoint(
            job_id=job.id,
            fence=job.fence,
            stage_index=saved.stage_index,
            step=saved.step,
            path=str(saved.path),
            place=place_of(job.id, saved.path.as_posix()),
            sha256=saved.sha256,
            at=database_now(session),
        )
    )


def publish_stage(
    session: Session, job: Job, stage_index: int, stage: str, report: StageReport
) -> None:
    """Writes a finished stage's result and, if it made one, its adapter.

    Both are written or neither, and never a second time.
    """
    # A report that the database has taken comes again when its answer was lost on the way.
    if session.get(StageResult, (job.id, stage_index)) is not None:
        return
    adapter = report.adapter
    if report.manifest is not None and adapter is not None:
        session.add(
            Adapter(
                id=adapter.id,
                owner=job.owner,
                job_id=job.id,
                stage=stage,
                stage_index=stage_index,
                base_model=job.base_model,
                parent=report.manifest.parent,
                path=str(adapter.folder),
                place=place_of(job.id, adapter.folder.as_posix()),
                manifest=report.manifest.model_dump(mode="json"),
                created_at=database_now(session),
            )
        )
    adapter_id = adapter.id if adapter else None
    session.add(
        StageResult(
            job_id=job.id,
            stage_index=stage_index,
            stage=stage,
            adapter_id=adapter_id,
            train_seconds=report.train_seconds,
            metrics=dict(report.metrics),
            finished_at=database_now(session),
        )
    )
    job.step = job.total_steps
    data = {"stage_index": stage_index, "adapter": adapter_id}
    add_event(session, job, "info", "stage_done", f"{stage} done", data)
