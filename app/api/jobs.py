"""Jobs: create, list, show, pause, resume, cancel, events, metrics."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from sse_starlette import ServerSentEvent

from app.api import _examples as examples
from app.job_state import JobState
from app.jobs import service
from app.jobs.admission import Servable
from app.jobs.spec import JobSpec
from app.jobs.views import EventList, JobList, JobView, MetricList
from app.views import ErrorView
from app.web.deps import Asking, Configured, Database, Stored, Waking
from app.web.event_stream import EventStream

NO_JOB = examples.error(
    "not_found", f"there is no job '{examples.JOB_ID}'; GET /jobs lists those that exist", "id"
)
BAD_FIELD = examples.error(
    "invalid_config", "max_steps: Input should be greater than or equal to 1", "stages.0.max_steps"
)
IN_FLIGHT = examples.error(
    "in_flight",
    "a request with this key is being answered: send it again in a moment",
    "Idempotency-Key",
)
TOO_MANY = examples.error(
    "quota_exceeded",
    "20 of your jobs wait already, of at most 20: wait for some to end, or cancel them",
)
TOO_LATE = examples.error("conflict", "the job is succeeded already")
router = APIRouter(
    prefix="/jobs", tags=["jobs"], responses={422: {"model": ErrorView, **BAD_FIELD}}
)
UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"model": ErrorView, **NO_JOB}}
STREAM = f"id: 3\nevent: stage_started\ndata: {json.dumps(examples.EVENT)}\n\n"
EVENTS = {
    "content": {
        **examples.shown(examples.page(examples.EVENT))["content"],
        **examples.event_stream(STREAM),
    }
}
POLL_SECONDS = 0.5
PAGE = 200


@router.post(
    "",
    status_code=201,
    responses={
        201: examples.shown(examples.QUEUED),
        409: {"model": ErrorView, **IN_FLIGHT},
        429: {"model": ErrorView, **TOO_MANY},
    },
)
async def create_job(
    spec: JobSpec,
    response: Response,
    database: Database,
    settings: Configured,
    artifacts: Stored,
    caller: Asking,
    wake: Waking,
    background: BackgroundTasks,
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=255,
            pattern=r"^[ -~]+$",
            description="Makes it safe to send a request again.",
        ),
    ] = None,
) -> JobView:
    """Queues a training job. From this answer on it is never lost while the database is intact.

    With an `Idempotency-Key`, the same request again is answered with the same job.
    """
    servable = Servable.by(settings, artifacts)
    job = await run_in_threadpool(
        service.submit, database, spec, settings.max_attempts, caller.owner, servable,
        key=idempotency_key, max_queued=settings.max_queued_per_owner,
    )  # fmt: skip
    # The row is the truth: a wake-up that fails costs a moment, and nobody waits for it.
    background.add_task(wake, job.id)
    response.headers["Location"] = f"/jobs/{job.id}"
    return job


@router.get("", responses={200: examples.shown(examples.page(examples.JOB))})
def list_jobs(
    database: Database,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    after: Annotated[
        str | None, Query(max_length=64, description="Id of the last job of the page before.")
    ] = None,
    state: JobState | None = None,
) -> JobList:
    """Jobs, newest first."""
    data, has_more = service.list_jobs(database, limit, after, state)
    return JobList(data=data, has_more=has_more)


@router.get("/{job_id}", responses={200: examples.shown(examples.JOB), **UNKNOWN})
async def get_job(job_id: str, database: Database) -> JobView:
    """One job: its state, progress, latest metrics, results and error."""
    # A plain function would go through a thread twice: for itself, and for the check of what it returns.
    return await run_in_threadpool(service.get, database, job_id)


@router.post(
    "/{job_id}/cancel",
    responses={
        200: examples.shown(examples.CANCELLED),
        409: {"model": ErrorView, **TOO_LATE},
        **UNKNOWN,
    },
)
def cancel_job(job_id: str, database: Database) -> JobView:
    """Stops a job. A running one ends at its next step; adapters of finished stages remain."""
    return service.cancel(database, job_id)


@router.post(
    "/{job_id}/pause",
    responses={
        200: examples.shown(examples.PAUSED),
        409: {"model": ErrorView, **TOO_LATE},
        **UNKNOWN,
    },
)
def pause_job(job_id: str, database: Database) -> JobView:
    """Takes a job from its worker, or out of the queue, until it is resumed. A running one leaves a checkpoint at its next step."""
    return service.pause(database, job_id)


@router.post(
    "/{job_id}/resume",
    responses={
        200: examples.shown(examples.QUEUED),
        409: {"model": ErrorView, **TOO_LATE},
        **UNKNOWN,
    },
)
def resume_job(
    job_id: str, database: Database, wake: Waking, background: BackgroundTasks
) -> JobView:
    """Puts a paused job back into the queue; it goes on from its last checkpoint."""
    background.add_task(wake, job_id)
    return service.resume(database, job_id)


@router.get("/{job_id}/events", response_model=EventList, responses={200: EVENTS, **UNKNOWN})
async def get_events(
    job_id: str,
    request: Request,
    database: Database,
    after: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = PAGE,
    last_event_id: Annotated[int | None, Header(ge=0)] = None,
) -> EventList | EventStream:
    """Events in order. With `Accept: text/event-stream` they come as they happen, after `Last-Event-ID`, until the job ends."""
    if "text/event-stream" not in request.headers.get("accept", ""):
        data, has_more, _ = await run_in_threadpool(service.events, database, job_id, after, limit)
        return EventList(data=data, has_more=has_more)
    await run_in_threadpool(service.get, database, job_id)
    return EventStream(
        follow(job_id, database, last_event_id if last_event_id is not None else after)
    )


async def follow(job_id: str, database: Database, after: int) -> AsyncGenerator[ServerSentEvent]:
    """Events as server-sent events; holds no thread and no connection while it waits."""
    while True:
        data, has_more, ended = await run_in_threadpool(
            service.events, database, job_id, after, PAGE
        )
        for event in data:
            after = event.seq
            yield ServerSentEvent(
                id=str(event.seq), event=event.code, data=json.dumps(event.model_dump())
            )
        if ended and not has_more:
            return
        if not has_more:
            await asyncio.sleep(POLL_SECONDS)


@router.get(
    "/{job_id}/metrics", responses={200: examples.shown(examples.page(examples.METRIC)), **UNKNOWN}
)
def get_metrics(
    job_id: str,
    database: Database,
    stage_index: Annotated[int | None, Query(ge=0)] = None,
    after_step: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
) -> MetricList:
    """Metrics of every step, in order."""
    data, has_more = service.metrics(database, job_id, stage_index, after_step, limit)
    return MetricList(data=data, has_more=has_more)
