"""Fine-tuning objects in OpenAI's form, made from jobs."""

import time
from typing import Any, Literal

from app.catalog.names import FINE_TUNED, OWNER
from app.job_state import JobState
from app.jobs.views import JobView
from app.views import ErrorBody, View

PREFIX, EVENT, CHECKPOINT = "ftjob-", "ftevent-", "ftckpt-"
Status = JobState | Literal["pausing"]
Level = Literal["info", "warn", "error"]


class FineTuningJob(View):
    """`fine_tuning.job`, OpenAI's view of a job.

    `pausing` and `paused` are not in the client's list of states, but in what its server answers.
    """

    id: str
    object: Literal["fine_tuning.job"] = "fine_tuning.job"
    created_at: int
    error: ErrorBody | None
    fine_tuned_model: str | None
    finished_at: int | None
    estimated_finish: int | None
    hyperparameters: dict[str, Any]
    integrations: list[Any]
    metadata: dict[str, str]
    method: dict[str, Any]
    model: str
    organization_id: str
    result_files: list[str]
    seed: int
    status: Status
    trained_tokens: int | None
    training_file: str
    validation_file: str | None


class FineTuningEvent(View):
    """Event of a job in the form of OpenAI's `fine_tuning.job.event`."""

    id: str
    object: Literal["fine_tuning.job.event"] = "fine_tuning.job.event"
    created_at: int
    level: Level
    message: str
    data: dict[str, Any]
    type: Literal["message"] = "message"


class CheckpointMetrics(View):
    """Means over the last fifth of the stage."""

    step: int
    train_loss: float | None = None
    train_mean_token_accuracy: float | None = None


class FineTuningCheckpoint(View):
    """`fine_tuning.job.checkpoint`: an adapter that a finished stage left, ready to be asked."""

    id: str
    object: Literal["fine_tuning.job.checkpoint"] = "fine_tuning.job.checkpoint"
    created_at: int
    fine_tuned_model_checkpoint: str
    fine_tuning_job_id: str
    metrics: CheckpointMetrics
    step_number: int


def model_name(job: JobView, request: dict[str, Any], adapter: str) -> str:
    """The name under which OpenAI's clients ask the adapter."""
    return f"{FINE_TUNED}{job.base_model}:{OWNER}:{request['suffix'] or ''}:{adapter}"


def fine_tuning_job(job: JobView, request: dict[str, Any]) -> FineTuningJob:
    """Our job as OpenAI shows it; `asked` is what its API was asked for."""
    done = job.state == JobState.SUCCEEDED and job.adapters
    kind = request["method"]
    return FineTuningJob(
        id=PREFIX + job.id,
        created_at=int(job.created_at),
        error=job.error,
        fine_tuned_model=model_name(job, request, job.adapters[-1]) if done else None,
        finished_at=int(job.finished_at) if job.finished_at is not None else None,
        estimated_finish=int(time.time() + job.eta_seconds)
        if job.eta_seconds is not None
        else None,
        hyperparameters=request["hyperparameters"],
        integrations=[],
        metadata=job.metadata,
        method={
            "type": kind,
            kind: {"hyperparameters": request["hyperparameters"], **_grader(kind)},
        },
        model=job.start_from or job.base_model,
        organization_id=OWNER,
        result_files=[],
        seed=job.seed,
        status=_status(job),
        trained_tokens=None,
        training_file=request["training_file"],
        validation_file=request["validation_file"],
    )


def _grader(kind: str) -> dict[str, Any]:
    return {"grader": {"type": "verifier", "name": "verifier"}} if kind == "reinforcement" else {}


def _status(job: JobView) -> Status:
    return "pausing" if job.pause_requested else JobState(job.state)
