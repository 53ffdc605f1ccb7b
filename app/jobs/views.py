"""Jobs, events and metrics as a person sees them."""

from typing import Any, Literal

from sqlalchemy import Row

from app.db.tables import Job, JobEvent, JobMetric, StageResult
from app.job_state import JobState
from app.views import ErrorBody, View


class StageResultView(View):
    """Metrics and adapter of a finished stage."""

    stage: str
    stage_index: int
    adapter: str | None
    train_seconds: float
    metrics: dict[str, Any]


class JobView(View):
    """Job, as every route answers it (docs/contracts/job.md)."""

    id: str
    object: Literal["job"] = "job"
    name: str | None
    state: str
    cancel_requested: bool
    pause_requested: bool
    priority: int
    deadline_at: float | None
    method: str | None
    base_model: str
    start_from: str | None
    dataset: str
    seed: int
    metadata: dict[str, str]
    stages: list[dict[str, Any]]
    stage: str | None
    stage_index: int | None
    step: int
    total_steps: int
    progress: float
    eta_seconds: float | None
    metrics: dict[str, Any]
    stage_results: list[StageResultView]
    adapters: list[str]
    attempts: int
    error: ErrorBody | None
    created_at: float
    started_at: float | None
    finished_at: float | None


class StageDryRun(View):
    """Counts of the rows that a stage would read."""

    stage: str
    stage_index: int
    data: dict[str, int]
    """Counts of rows, and the longest of them in tokens, as the stage's report will have them."""


class WarningView(View):
    """Rows that a job would leave out, cut off or not reach, and the setting that decides it."""

    code: str
    message: str
    param: str


class DryRunView(View):
    """Job that was checked and not made (docs/contracts/job.md)."""

    # Another object than a job's, and no id: a client that polls must not take it for one.
    object: Literal["job.dry_run"] = "job.dry_run"
    method: str | None
    base_model: str
    start_from: str | None
    dataset: str
    seed: int
    stages: list[dict[str, Any]]
    """The resolved stages, as the job would run them."""
    checks: list[StageDryRun]
    warnings: list[WarningView]


class EventView(View):
    """Something that happened to a job."""

    seq: int
    at: float
    level: str
    code: str
    message: str
    data: dict[str, Any]


class MetricView(View):
    """Metrics of one step."""

    stage: str
    stage_index: int
    step: int
    at: float
    values: dict[str, Any]


VIEWED = (
    "id",
    "name",
    "state",
    "want",
    "priority",
    "deadline_at",
    "method",
    "base_model",
    "start_from",
    "dataset",
    "seed",
    "meta",
    "stages",
    "stage",
    "stage_index",
    "step",
    "total_steps",
    "progress",
    "eta_seconds",
    "metrics",
    "attempts",
    "error_code",
    "error_message",
    "error_param",
    "created_at",
    "started_at",
    "finished_at",
)
"""The columns that `job_view` reads."""


def job_view(job: Job | Row[Any], results: list[StageResult]) -> JobView:
    """The job as a person sees it; a row of `VIEWED` will do."""
    # `want` stays behind when a job has ended: only a running one can still be asked to stop.
    is_running = job.state == JobState.RUNNING
    error = (
        ErrorBody(code=job.error_code, message=job.error_message or "", param=job.error_param)
        if job.error_code
        else None
    )
    return JobView(
        id=job.id,
        name=job.name,
        state=job.state,
        cancel_requested=is_running and job.want == "cancel",
        pause_requested=is_running and job.want == "pause",
        priority=job.priority,
        deadline_at=job.deadline_at,
        method=job.method,
        base_model=job.base_model,
        start_from=job.start_from,
        dataset=job.dataset,
        seed=job.seed,
        metadata=job.meta,
        stages=job.stages,
        stage=job.stage,
        stage_index=job.stage_index,
        step=job.step,
        total_steps=job.total_steps,
        progress=round(job.progress, 4),
        # Of a job that waits nobody knows when it goes on.
        eta_seconds=job.eta_seconds if is_running else None,
        metrics=job.metrics,
        stage_results=[result_view(result) for result in results],
        # In the order of the stages, so that the last one is the newest.
        adapters=[result.adapter_id for result in results if result.adapter_id],
        attempts=job.attempts,
        error=error,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
    )


def result_view(result: StageResult) -> StageResultView:
    """A stage's result as a person sees it."""
    return StageResultView(
        stage=result.stage,
        stage_index=result.stage_index,
        adapter=result.adapter_id,
        train_seconds=result.train_seconds,
        metrics=result.metrics,
    )


def event_view(event: JobEvent) -> EventView:
    """An event as a person sees it."""
    return EventView(
        seq=event.seq,
        at=event.at,
        level=event.level,
        code=event.code,
        message=event.message,
        data=event.data,
    )


def metric_view(metric: JobMetric) -> MetricView:
    """Metrics as a person sees them."""
    return MetricView(
        stage=metric.stage,
        stage_index=metric.stage_index,
        step=metric.step,
        at=metric.at,
        values=metric.values,
    )
