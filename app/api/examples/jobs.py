"""Jobs, their events and metrics."""

from typing import Any

from app.api.examples.form import ADAPTER_ID, CREATED_AT, JOB_ID, error

JOB: dict[str, Any] = {
    "id": JOB_ID,
    "object": "job",
    "name": "first run",
    "state": "running",
    "cancel_requested": False,
    "pause_requested": False,
    "priority": 0,
    "deadline_at": None,
    "method": "grpo",
    "base_model": "inframind-nano",
    "start_from": None,
    "dataset": "inframind-bench",
    "seed": 0,
    "metadata": {"team": "platform"},
    "stages": [
        {"stage": "sft", "max_steps": 40},
        {"stage": "grpo", "max_steps": 20},
        {"stage": "evaluate", "tasks": 400},
    ],
    "stage": "grpo",
    "stage_index": 1,
    "step": 12,
    "total_steps": 20,
    "progress": 0.41,
    "eta_seconds": 214.0,
    "metrics": {"reward": 0.44, "tokens_per_second": 2100.0, "frac_reward_zero_std": 0.25},
    "stage_results": [
        {
            "stage": "sft",
            "stage_index": 0,
            "adapter": ADAPTER_ID,
            "train_seconds": 42.0,
            "metrics": {"loss": 0.11},
        },
    ],
    "adapters": [ADAPTER_ID],
    "attempts": 1,
    "error": None,
    "created_at": CREATED_AT,
    "started_at": CREATED_AT + 1.2,
    "finished_at": None,
}
DRY_RUN: dict[str, Any] = {
    "object": "job.dry_run",
    "method": None,
    "base_model": "inframind-nano",
    "start_from": None,
    "dataset": "ds-6f1c0d6e6f1b4a0f8f4f0c3c5e0c7a11",
    "seed": 0,
    "stages": [{"stage": "sft", "max_steps": 2, "batch_size": 16, "max_length": 830}],
    "checks": [
        {
            "stage": "sft",
            "stage_index": 0,
            "data": {
                "rows": 108,
                "longest_prompt": 310,
                "longest_answer": 520,
                "longest_row": 830,
                "rows_unreached": 76,
            },
        }
    ],
    "warnings": [
        {
            "code": "rows_unreached",
            "message": "sft: 2 steps reach 32 of 108 rows: more max_steps train on all of them",
            "param": "stages.0.max_steps",
        }
    ],
}
QUEUED = JOB | {
    "state": "queued",
    "stage": None,
    "stage_index": None,
    "step": 0,
    "total_steps": 0,
    "progress": 0.0,
    "eta_seconds": None,
    "metrics": {},
    "stage_results": [],
    "adapters": [],
    "attempts": 0,
    "started_at": None,
}
PAUSED = QUEUED | {"state": "paused"}
CANCELLED = QUEUED | {"state": "cancelled", "finished_at": CREATED_AT + 3.0}
EVENT = {
    "seq": 3,
    "at": CREATED_AT + 2.0,
    "level": "info",
    "code": "stage_started",
    "message": "sft started",
    "data": {"stage_index": 0, "total_steps": 40},
}
METRIC = {
    "stage": "sft",
    "stage_index": 0,
    "step": 1,
    "at": CREATED_AT + 9.0,
    "values": {"loss": 1.93, "tokens_per_second": 2100.0},
}
IN_FLIGHT = error(
    "in_flight",
    "a request with this key is being answered: send it again in a moment",
    "Idempotency-Key",
)
TOO_MANY = error(
    "quota_exceeded",
    "20 of your jobs wait already, of at most 20: wait for some to end, or cancel them",
)
TOO_LATE = error("conflict", "the job is succeeded already")
NOT_ENDED = error(
    "conflict", "the job is running: only one that failed or was cancelled is tried again"
)
