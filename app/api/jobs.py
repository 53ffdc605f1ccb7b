"""Jobs: create, list, show, pause, resume, cancel, retry, events, log, metrics."""

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import PlainTextResponse
from sse_starlette import ServerSentEvent

from app.api import examples
from app.job_state import JobState
from app.jobs import service
from app.jobs.spec import JobSpec
from app.jobs.trainer_log import MAX_BYTES
from app.jobs.views import EventView, JobView, MetricView
from app.views import ErrorView, Page, PageRequest
from app.web.deps import DatabaseDep, IdempotencyKeyDep, JobsDep, PageDep
from app.web.event_stream import EventStream

NO_JOB = examples.error(
    "not_found", f"there is no job '{examples.JOB_ID}'; GET /jobs lists those that exist", "id"
)
BAD_FIELD = examples.error(
    "invalid_config", "max_steps: Input should be greater than or equal to 1", "stages.0.max_steps"
)
router = APIRouter(
    prefix="/jobs", tags=["jobs"], responses={422: {"model": ErrorView, **BAD_FIELD}}
)
UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"model": ErrorView, **NO_JOB}}
STREAM = f"id: 3\nevent: stage_started\ndata: {json.dumps(examples.jobs.EVENT)}\n\n"
EVENTS = {
    "content": {
        **examples.shown(examples.page(examples.jobs.EVENT, ids=["3"]))["content"],
        **examples.event_stream(STREAM),
    }
}
LOG = "2026-12-01T09:30:00.000000Z [info     ] the trainer starts [__main__] fence=1\n"
LOG_TEXT = {"content": {"text/plain": {"schema": {"type": "string"}, "example": LOG}}}
POLL_SECONDS = 0.5


@router.post(
    "",
    status_code=201,
    responses={
        201: examples.shown(examples.jobs.QUEUED),
        409: {"model": ErrorView, **examples.jobs.IN_FLIGHT},
        429: {"model": ErrorView, **examples.jobs.TOO_MANY},
    },
)
async def create_job(
    spec: JobSpec, response: Response, jobs: JobsDep, idempotency_key: IdempotencyKeyDep = None
) -> JobView:
    """Queues a training job. From this answer on it is never lost while the database is intact.

    With an `Idempotency-Key`, the same request again is answered with the same job.
    """
    job = await run_in_threadpool(jobs.submit, spec, idempotency_key)
    # A 201 says by this header what it made (RFC 9110, 15.3.2).
    response.headers["Location"] = f"/jobs/{job.id}"
    return job


@router.get("", responses={200: examples.shown(examples.page(examples.jobs.JOB))})
def list_jobs(database: DatabaseDep, page: PageDep, state: JobState | None = None) -> Page[JobView]:
    """Lists the jobs, newest first."""
    return service.list_jobs(database, page, state)


@router.get("/{job_id}", responses={200: examples.shown(examples.jobs.JOB), **UNKNOWN})
async def get_job(job_id: str, database: DatabaseDep) -> JobView:
    """One job: its state, progress, latest metrics, results and error."""
    # A plain function would go through a thread twice: for itself, and to check its answer.
    return await run_in_threadpool(service.get, database, job_id)


@router.post(
    "/{job_id}/cancel",
    responses={
        200: examples.shown(examples.jobs.CANCELLED),
        409: {"model": ErrorView, **examples.jobs.TOO_LATE},
        **UNKNOWN,
    },
)
def cancel_job(job_id: str, jobs: JobsDep) -> JobView:
    """Stops a job. A running one ends at its next step; adapters of finished stages remain."""
    return jobs.cancel(job_id)


@router.post(
    "/{job_id}/pause",
    responses={
        200: examples.shown(examples.jobs.PAUSED),
        409: {"model": ErrorView, **examples.jobs.TOO_LATE},
        **UNKNOWN,
    },
)
def pause_job(job_id: str, jobs: JobsDep) -> JobView:
    """Takes a job from its worker, or out of the queue, until it is resumed.

    A running one leaves a checkpoint at its next step.
    """
    return jobs.pause(job_id)


@router.post(
    "/{job_id}/resume",
    responses={
        200: examples.shown(examples.jobs.QUEUED),
        409: {"model": ErrorView, **examples.jobs.TOO_LATE},
        **UNKNOWN,
    },
)
def resume_job(job_id: str, jobs: JobsDep) -> JobView:
    """Puts a paused job back into the queue; it goes on from its last checkpoint."""
    return jobs.resume(job_id)


@router.post(
    "/{job_id}/retry",
    status_code=201,
    responses={
        201: examples.shown(examples.jobs.QUEUED),
        409: {"model": ErrorView, **examples.jobs.NOT_ENDED},
        429: {"model": ErrorView, **examples.jobs.TOO_MANY},
        **UNKNOWN,
    },
)
async def retry_job(
    job_id: str, response: Response, jobs: JobsDep, idempotency_key: IdempotencyKeyDep = None
) -> JobView:
    """Queues a new job with the stages of one that failed or was cancelled.

    With an `Idempotency-Key`, the same request again is answered with the same job.
    """
    job = await run_in_threadpool(jobs.retry, job_id, idempotency_key)
    response.headers["Location"] = f"/jobs/{job.id}"
    return job


@router.get("/{job_id}/events", response_model=Page[EventView], responses={200: EVENTS, **UNKNOWN})
async def get_events(
    job_id: str,
    request: Request,
    database: DatabaseDep,
    page: PageDep,
    last_event_id: Annotated[int | None, Header(ge=0, lt=10**9)] = None,
) -> Page[EventView] | EventStream:
    """Lists events in order; with `Accept: text/event-stream` as they happen, until the job ends.

    A stream begins behind `Last-Event-ID`, or else behind `after`.
    """
    if last_event_id is not None:
        page = replace(page, after=str(last_event_id))
    # Of a stream too: its status is sent before its events.
    events, _ = await run_in_threadpool(service.list_events, database, job_id, page)
    if "text/event-stream" not in request.headers.get("accept", ""):
        return events
    return EventStream(follow(job_id, database, page))


async def follow(
    job_id: str, database: DatabaseDep, page: PageRequest
) -> AsyncGenerator[ServerSentEvent]:
    """Events as server-sent events; holds no thread and no connection while it waits."""
    while True:
        events, ended = await run_in_threadpool(service.list_events, database, job_id, page)
        page = replace(page, after=events.last_id or page.after)
        for event in events.data:
            # A browser's EventSource sends the last id back by itself (HTML standard, 9.2.4).
            yield ServerSentEvent(
                id=str(event.seq), event=event.code, data=json.dumps(event.model_dump())
            )
        if ended and not events.has_more:
            return
        if not events.has_more:
            await asyncio.sleep(POLL_SECONDS)


@router.get(
    "/{job_id}/log",
    response_class=Response,
    responses={200: LOG_TEXT, **UNKNOWN},
)
def get_log(
    job_id: str,
    jobs: JobsDep,
    # PostgreSQL's integers end at 2**31 - 1, and no job is claimed a thousand million times.
    attempt: Annotated[
        int | None, Query(ge=1, lt=10**9, description="Its number; without it the latest.")
    ] = None,
    max_bytes: Annotated[int, Query(ge=1, le=MAX_BYTES)] = 65_536,
) -> PlainTextResponse:
    """The last lines of what the trainer wrote: why it failed, in full. Secrets are taken out.

    While an attempt runs on a host that shares no folder with the api, it has no log here yet.
    """
    return PlainTextResponse(jobs.log_end(job_id, attempt, max_bytes))


@router.get(
    "/{job_id}/metrics",
    responses={200: examples.shown(examples.page(examples.jobs.METRIC, ids=["0-1"])), **UNKNOWN},
)
def get_metrics(
    job_id: str,
    database: DatabaseDep,
    page: PageDep,
    stage_index: Annotated[int | None, Query(ge=0, lt=10**9)] = None,
) -> Page[MetricView]:
    """Metrics of every step, in order; a row's id is `<stage_index>-<step>`."""
    return service.list_metrics(database, job_id, page, stage_index)
