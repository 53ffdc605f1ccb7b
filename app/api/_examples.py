"""Whole examples of the OpenAPI document. A test holds each against its model."""

from collections.abc import Sequence
from typing import Any

JOB_ID = "0198f3c2-a7b4-7c31-9f00-3d2a5b6c7d8e"
ADAPTER_ID = "im-0198f3c2a7b47c319f00-0-sft"
CREATED_AT = 1764000000.0


def shown(example: Any) -> dict[str, Any]:
    """An answer's content with an example."""
    return {"content": {"application/json": {"example": example}}}


def event_stream(example: str) -> dict[str, Any]:
    """An answer's content as server-sent events."""
    return {"text/event-stream": {"schema": {"type": "string"}, "example": example}}


def error(code: str, message: str, param: str | None = None) -> dict[str, Any]:
    """An answer's content with an error."""
    return shown(
        {
            "error": {
                "code": code,
                "message": message,
                "param": param,
                "type": KINDS.get(code, "invalid_request_error"),
            }
        }
    )


KINDS = {
    "unauthorized": "authentication_error",
    "forbidden": "permission_error",
    "too_many_requests": "rate_limit_error",
    "unavailable": "server_error",
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


def page(*rows: dict[str, Any], ids: Sequence[str] = ()) -> dict[str, Any]:
    """A list; `ids` where the rows have no field for theirs."""
    ids = ids or [row["id"] if "id" in row else row["name"] for row in rows]
    ends = {"first_id": ids[0], "last_id": ids[-1]}
    return {"object": "list", "data": list(rows), **ends, "has_more": False}


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
QUEUED = JOB | {
    "state": "queued", "stage": None, "stage_index": None, "step": 0, "total_steps": 0, "progress": 0.0, "eta_seconds": None,
    "metrics": {}, "stage_results": [], "adapters": [], "attempts": 0, "started_at": None,
}  # fmt: skip
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
BASE: dict[str, Any] = {
    "id": "inframind-nano",
    "object": "model",
    "kind": "base",
    "base_model": "inframind-nano",
    "stage": None,
    "job_id": None,
    "parent": None,
    "created_at": None,
    "available": True,
    "description": "Bundled demonstration model, 3 million parameters, runs on two CPU cores",
    "aliases": [],
}
ADAPTER = BASE | {
    "id": ADAPTER_ID,
    "kind": "adapter",
    "stage": "sft",
    "job_id": JOB_ID,
    "created_at": CREATED_AT + 43.0,
    "description": None,
    "aliases": ["production"],
}
MODELS = page(BASE, ADAPTER)
BENCH_HASH = "sha256:9b1c"
RATE = {"pass_at_1": 0.44, "n": 400, "ci95": [0.3922, 0.489]}
EVALUATION = {
    "job_id": JOB_ID,
    "at": CREATED_AT + 90.0,
    "dataset": "inframind-bench",
    "bench_hash": BENCH_HASH,
    "max_difficulty": 2,
    **RATE,
    "new_families": {"pass_at_1": 0.05, "n": 120, "ci95": [0.0231, 0.1048]},
    "by_category": {"kubernetes": RATE},
    "judge": {
        "rules": {
            "syntax": 8.1, "correctness": 5.2, "completeness": 4.9, "best_practices": 6.0, "security": 6.3, "overall": 4.8,
            "would_work": 0.44,
        }
    },
}  # fmt: skip
ADAPTER_DETAIL = ADAPTER | {
    "lineage": [],
    "dataset": "inframind-bench",
    "bench_hash": BENCH_HASH,
    "files": [{"name": "adapter_model.safetensors", "bytes": 1234567, "sha256": "5f1d"}],
    "evaluations": [EVALUATION],
    "manifest": {"id": ADAPTER_ID, "base_model": "inframind-nano", "stage": "sft"},
}
SAME = {"difference": 0.0, "difference_ci95": [-0.0684, 0.0684]}
COMPARISON = {
    "object": "comparison",
    "comparable": True,
    "reason": None,
    "data": [
        {"model": "inframind-nano", "stage": None, "evaluation": EVALUATION, **SAME},
        {"model": ADAPTER_ID, "stage": "sft", "evaluation": EVALUATION, **SAME},
    ],
}
ALIAS = {
    "name": "production",
    "object": "alias",
    "model": ADAPTER_ID,
    "previous": None,
    "updated_at": CREATED_AT + 200.0,
}

DATASET = {
    "id": "ds-6f1c0d6e6f1b4a0f8f4f0c3c5e0c7a11",
    "object": "dataset",
    "name": "our modules",
    "tasks": {"test-values": 12, "train": 108},
    "categories": {"kubernetes": 80, "terraform": 40},
    "duplicates": 3,
    "derived": 100,
    "unchecked": 2,
    "created_at": CREATED_AT,
}

FILE = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: demo\ndata:\n  MODE: fast\n"
CHECKS = [
    {"op": "exists", "kind": "ConfigMap", "name": "demo", "gate": True},
    {"op": "equals", "kind": "ConfigMap", "name": "demo", "path": "data.MODE", "value": "fast"},
]
VERDICT = {
    "id": "",
    "category": "kubernetes",
    "verdict": "pass",
    "score": 1.0,
    "rungs": {
        "extract": "pass",
        "parse": "pass",
        "schema": "pass",
        "references": "pass",
        "intent": "pass",
        "policy": "pass",
    },
    "checks": [
        {"id": "exists ConfigMap", "passed": True, "message": ""},
        {"id": "data.MODE", "passed": True, "message": ""},
    ],
    "findings": [],
    "verifier": "inframind 0.1.0",
}
JUDGEMENT = {
    "object": "judgement",
    "judge": {
        "kind": "rules",
        "model": None,
        "fingerprint": None,
        "trusted": True,
        "kappa": None,
        "note": "",
    },
    "abstained": None,
    "scores": {
        "syntax": 10.0,
        "correctness": 10.0,
        "completeness": 10.0,
        "best_practices": 10.0,
        "security": 10.0,
    },
    "overall": 10.0,
    "would_work": True,
    "criteria": {},
    "feedback": "Valid, and all 2 checks hold.",
    "verdict": VERDICT,
    "agrees": True,
}
GENERATION = {
    "id": "gen-6f1c0d6e6f1b4a0f8f4f0c3c5e0c7a11",
    "object": "generation",
    "model": ADAPTER_ID,
    "choices": [
        {
            "index": 0,
            "text": f"<think>\nConfigMap demo\n</think>\n```yaml\n{FILE}```",
            "file": FILE,
            "finish_reason": "stop",
            "verdict": VERDICT,
        }
    ],
    "attempts": 1,
    "usage": {"prompt_tokens": 31, "completion_tokens": 40, "total_tokens": 71},
    "created_at": CREATED_AT + 100.0,
}
