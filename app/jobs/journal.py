"""Writes what happens to a job beside its state: events, metrics, checkpoints, results of stages.

Every function takes a job row that the caller has locked (`app.jobs.lease.fenced`): a write and its
guard are one transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import JSON, Insert, bindparam, delete, func, insert, select
from sqlalchemy.orm import Session

from app.db.session import database_now, now
from app.db.tables import Adapter, Base, Checkpoint, Job, StageResult, place_of
from inframind.stages.base import SavedCheckpoint, StageReport

MAX_EVENT_MESSAGE = 4000
_EVENTS, _METRICS = Base.metadata.tables["job_events"], Base.metadata.tables["job_metrics"]
_LAST_SEQ = select(func.coalesce(func.max(_EVENTS.c.seq), 0)).where(
    _EVENTS.c.job_id == bindparam("job")
)


def _append(seq: Any) -> Insert:
    return insert(_EVENTS).values(
        job_id=bindparam("job"),
        seq=seq,
        at=now(),
        fence=bindparam("fence"),
        level=bindparam("level"),
        code=bindparam("code"),
        message=bindparam("message"),
        data=bindparam("data", type_=JSON),
    )


# Built once, not for each event: every change of a job appends one.
APPEND = _append(_LAST_SEQ.with_only_columns(_LAST_SEQ.selected_columns[0] + 1).scalar_subquery())
APPEND_MANY = _append(bindparam("seq"))


@dataclass(frozen=True)
class NewEvent:
    """An event before it has its place among a job's events."""

    level: str
    code: str
    message: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StepMetrics:
    """The measurements of one step of a stage."""

    stage_index: int
    step: int
    values: Mapping[str, float]


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
    session.execute(APPEND, _values(job, NewEvent(level, code, message, data or {})))


def add_events(session: Session, job: Job, events: Sequence[NewEvent]) -> None:
    """Appends any number of events in the same two statements."""
    if not events:
        return
    session.flush()
    # The row is locked, so nobody else counts up meanwhile.
    last_seq = session.execute(_LAST_SEQ, {"job": job.id}).scalar_one()
    numbered = enumerate(events, start=last_seq + 1)
    session.execute(APPEND_MANY, [{**_values(job, event), "seq": seq} for seq, event in numbered])


def _values(job: Job, event: NewEvent) -> dict[str, Any]:
    return {
        "job": job.id,
        "fence": job.fence,
        "level": event.level,
        "code": event.code[:64],
        "message": event.message[:MAX_EVENT_MESSAGE],
        "data": dict(event.data),
    }


def start_stage(session: Session, job: Job, stage_index: int, stage: str, total_steps: int) -> None:
    """Makes this the stage that the job is in."""
    job.stage, job.stage_index = stage, stage_index
    job.step, job.total_steps, job.metrics = 0, total_steps, {}
    data = {"stage_index": stage_index, "total_steps": total_steps}
    add_event(session, job, "info", "stage_started", f"{stage} started", data)


def add_metrics(
    session: Session, job: Job, stage_index: int, step: int, values: Mapping[str, float]
) -> None:
    """Writes the metrics of one step."""
    add_steps(session, job, [StepMetrics(stage_index, step, values)])


def add_steps(session: Session, job: Job, steps: Sequence[StepMetrics]) -> None:
    """Writes the metrics of any number of steps, in two statements for each stage among them.

    A resumed attempt runs some steps again: the last one to run is what counts.
    """
    for stage_index in dict.fromkeys(step.stage_index for step in steps):
        last_of_each = {step.step: step for step in steps if step.stage_index == stage_index}
        stage = _stage_name(job, stage_index)
        # Deleted and written anew: the one way to replace a row that both databases have.
        is_written_anew = (
            _METRICS.c.job_id == job.id,
            _METRICS.c.stage_index == stage_index,
            _METRICS.c.step.in_(list(last_of_each)),
        )
        session.execute(delete(_METRICS).where(*is_written_anew))
        of_stage = {"job_id": job.id, "stage_index": stage_index, "stage": stage}
        session.execute(
            insert(_METRICS).values(at=now()),
            [
                {**of_stage, "step": number, "values": dict(step.values)}
                for number, step in last_of_each.items()
            ],
        )
    if steps:
        last = steps[-1]
        job.stage_index, job.stage = last.stage_index, _stage_name(job, last.stage_index)
        job.step, job.metrics = last.step, dict(last.values)


def _stage_name(job: Job, stage_index: int) -> str:
    if job.stage_index == stage_index and job.stage:
        return job.stage
    return str(job.stages[stage_index]["stage"])


def add_checkpoint(session: Session, job: Job, saved: SavedCheckpoint) -> None:
    """Registers a whole checkpoint; only registered ones are ever resumed from."""
    # A commit whose answer was lost is tried again (HeldLease.retry): the row may be there.
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
