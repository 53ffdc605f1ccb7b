"""Models, evaluations, comparisons and aliases."""

from typing import Any

from app.api.examples.form import ADAPTER_ID, CREATED_AT, JOB_ID, page

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
            "syntax": 8.1,
            "correctness": 5.2,
            "completeness": 4.9,
            "best_practices": 6.0,
            "security": 6.3,
            "overall": 4.8,
            "would_work": 0.44,
        }
    },
}
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
