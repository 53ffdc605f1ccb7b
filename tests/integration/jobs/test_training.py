"""Real training over HTTP: a killed trainer, a dataset of one's own, a cancelled job."""

import json
import os
import signal

import pytest

from inframind.bench.load import load_tasks
from inframind.bench.prompt import answer
from tests.support.running import EVALUATE, ROLLOUTS, SMALL, Running
from tests.support.waiting import until

pytestmark = pytest.mark.slow


def weights(running: Running, adapter: str) -> str:
    manifest = running.http.get(f"/models/{adapter}").json()["manifest"]
    return str(
        next(file["sha256"] for file in manifest["files"] if file["name"].endswith(".safetensors"))
    )


def test_kill_9_of_the_trainer_costs_no_step_and_changes_no_byte(running: Running) -> None:
    stage = {"stage": "sft", "max_steps": 24, "batch_size": 8, "save_every": 2, **SMALL}
    undisturbed = running.finished(running.submit(stage))
    job_id = running.submit(stage)
    until(lambda: running.job(job_id)["step"] >= 8)
    os.kill(running.trainer(), signal.SIGKILL)
    job = running.finished(job_id)
    codes = [event["code"] for event in running.http.get(f"/jobs/{job_id}/events").json()["data"]]
    assert "resumed" in codes and codes.count("succeeded") == 1
    assert weights(running, job["adapters"][-1]) == weights(running, undisturbed["adapters"][-1])
    steps = [
        m["step"]
        for m in running.http.get(f"/jobs/{job_id}/metrics", params={"limit": 100}).json()["data"]
    ]
    assert steps == list(range(1, 25))


def test_a_job_trains_and_is_evaluated_on_a_dataset_of_ones_own(running: Running) -> None:
    tasks = load_tasks("train", max_difficulty=1, limit=30)
    rows = [
        {"instruction": task.instruction, "input": task.input, "output": answer(task)}
        for task in tasks
    ]
    made = running.http.post("/datasets", content="\n".join(map(json.dumps, rows)))
    assert made.status_code == 201, made.text
    # Right answers of own rows must fit; the adapter keeps its form through all stages.
    rollouts = {**ROLLOUTS, "max_tokens": 256}
    stages = [
        {"stage": "sft", "max_steps": 3, "batch_size": 4, "lora": ROLLOUTS["lora"]},
        {"stage": "grpo", **rollouts},
        EVALUATE,
    ]
    accepted = running.http.post("/jobs", json={"stages": stages, "dataset": made.json()["id"]})
    assert accepted.status_code == 201, accepted.text
    job = running.finished(accepted.json()["id"])
    found = job["stage_results"][-1]["metrics"]["rows"]
    assert [(row["model"], row["n"], row["new_families"]["n"]) for row in found] == [
        ("base", 3, 0),
        ("sft", 3, 0),
        ("grpo", 3, 0),
    ]
    manifest = running.http.get(f"/models/{job['adapters'][0]}").json()["manifest"]
    assert (
        manifest["dataset"] == made.json()["id"]
        and manifest["dataset"].removeprefix("ds-") in manifest["bench_hash"]
    )


def test_a_running_job_is_cancelled_with_its_work_kept(running: Running) -> None:
    job_id = running.submit(
        {"stage": "sft", "max_steps": 2000, "save_every": 5, "batch_size": 4, **SMALL}
    )
    until(lambda: running.job(job_id)["step"] >= 3)
    assert running.http.post(f"/jobs/{job_id}/cancel").json()["cancel_requested"] is True
    until(lambda: running.job(job_id)["state"] == "cancelled")
    assert running.http.post(f"/jobs/{job_id}/cancel").status_code == 409
