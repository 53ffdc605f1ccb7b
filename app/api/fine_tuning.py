"""OpenAI's fine-tuning jobs: create, list, show, cancel, pause, resume, events, checkpoints."""

import re
from typing import Any

from fastapi import APIRouter, Request

from app.api import examples
from app.fine_tuning import service as fine_tuning
from app.fine_tuning.request import CreateRequest
from app.fine_tuning.views import (
    FineTuningCheckpoint,
    FineTuningEvent,
    FineTuningJob,
)
from app.views import ErrorView, Page
from app.web.deps import DatabaseDep, IdempotencyKeyDep, JobsDep, PageDep

BAD_FIELD = examples.error(
    "invalid_request",
    "there is no file 'file-0'; GET /v1/files lists those that exist",
    "training_file",
)
NO_JOB = examples.error("not_found", "there is no fine-tuning job 'ftjob-0'", "fine_tuning_job_id")
UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"model": ErrorView, **NO_JOB}}
CHANGED: dict[int | str, dict[str, Any]] = {
    200: examples.shown(examples.fine_tuning.JOB),
    409: {"model": ErrorView, **examples.jobs.TOO_LATE},
    **UNKNOWN,
}
METADATA = re.compile(r"metadata\[(.{1,64})\]")
router = APIRouter(
    prefix="/v1/fine_tuning/jobs",
    tags=["openai"],
    responses={400: {"model": ErrorView, **BAD_FIELD}},
)


@router.post(
    "",
    responses={
        200: examples.shown(examples.fine_tuning.JOB),
        409: {"model": ErrorView, **examples.jobs.IN_FLIGHT},
        429: {"model": ErrorView, **examples.jobs.TOO_MANY},
    },
)
def create_job(
    request: CreateRequest, jobs: JobsDep, idempotency_key: IdempotencyKeyDep = None
) -> FineTuningJob:
    """Queues a job: `supervised` trains on answers, `reinforcement` on the verifier's rewards.

    The model is evaluated at the end. With an `Idempotency-Key`, the same request again is answered
    with the same job.
    """
    return fine_tuning.create(jobs, request, idempotency_key)


@router.get("", responses={200: examples.shown(examples.page(examples.fine_tuning.JOB))})
def list_jobs(request: Request, database: DatabaseDep, page: PageDep) -> Page[FineTuningJob]:
    """Jobs, newest first; `metadata[key]=value` filters."""
    wanted = {
        match[1]: value
        for key, value in request.query_params.items()
        if (match := METADATA.fullmatch(key))
    }
    return fine_tuning.list_jobs(database, page, wanted)


@router.get(
    "/{fine_tuning_job_id}", responses={200: examples.shown(examples.fine_tuning.JOB), **UNKNOWN}
)
def get_job(fine_tuning_job_id: str, database: DatabaseDep) -> FineTuningJob:
    """Gives a fine-tuning job with its state."""
    return fine_tuning.get(database, fine_tuning_job_id)


@router.post("/{fine_tuning_job_id}/cancel", responses=CHANGED)
def cancel_job(fine_tuning_job_id: str, jobs: JobsDep) -> FineTuningJob:
    """Stops a job for good."""
    return fine_tuning.cancel(jobs, fine_tuning_job_id)


@router.post("/{fine_tuning_job_id}/pause", responses=CHANGED)
def pause_job(fine_tuning_job_id: str, jobs: JobsDep) -> FineTuningJob:
    """Stops a job with a checkpoint; it goes on from there when it is resumed."""
    return fine_tuning.pause(jobs, fine_tuning_job_id)


@router.post("/{fine_tuning_job_id}/resume", responses=CHANGED)
def resume_job(fine_tuning_job_id: str, jobs: JobsDep) -> FineTuningJob:
    """Lets a paused job go on."""
    return fine_tuning.resume(jobs, fine_tuning_job_id)


@router.get(
    "/{fine_tuning_job_id}/events",
    responses={200: examples.shown(examples.page(examples.fine_tuning.EVENT)), **UNKNOWN},
)
def list_events(
    fine_tuning_job_id: str, database: DatabaseDep, page: PageDep
) -> Page[FineTuningEvent]:
    """Lists a job's events, newest first."""
    return fine_tuning.list_events(database, fine_tuning_job_id, page)


@router.get(
    "/{fine_tuning_job_id}/checkpoints",
    responses={200: examples.shown(examples.page(examples.fine_tuning.CHECKPOINT)), **UNKNOWN},
)
def list_checkpoints(
    fine_tuning_job_id: str, database: DatabaseDep, page: PageDep
) -> Page[FineTuningCheckpoint]:
    """The adapters of finished stages, newest first; each can be asked by its name."""
    return fine_tuning.list_checkpoints(database, fine_tuning_job_id, page)
