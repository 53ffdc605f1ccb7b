"""Jobs over HTTP: what is accepted, refused, listed, cancelled and told while it runs."""

import threading
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.jobs import journal, lease, transitions
from app.main import create_app
from app.settings import Settings
from tests.support.http import in_process

DAPO = {"method": "dapo", "base_model": "inframind-nano"}


def run(client: TestClient, job_id: str, state: str, steps: int = 3) -> None:
    """A worker's life, by the worker's own functions."""
    engine = client.app.state.engine  # type: ignore[attr-defined]  # our application
    held = lease.claim(engine, "worker", "device", 20.0)
    assert held is not None and held.job_id == job_id
    with lease.fenced(engine, held) as (session, job):
        journal.start_stage(session, job, 0, "sft", steps)
        for step in range(1, steps + 1):
            journal.add_metrics(session, job, 0, step, {"loss": 1.0 / step})
        if state != "running":
            transitions.finish(session, job, state)  # type: ignore[arg-type]  # a terminal state


def test_a_job_is_accepted_whole(client: TestClient) -> None:
    answer = client.post(
        "/jobs", json={**DAPO, "seed": 7, "name": "first", "metadata": {"team": "platform"}}
    )
    assert answer.status_code == 201
    job = answer.json()
    assert answer.headers["location"] == f"/jobs/{job['id']}"
    assert [stage["stage"] for stage in job["stages"]] == ["sft", "grpo", "dapo", "evaluate"]
    assert (job["state"], job["seed"], job["progress"], job["error"], job["attempts"]) == (
        "queued",
        7,
        0.0,
        None,
        0,
    )
    assert client.get(f"/jobs/{job['id']}").json() == job


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, None),
        ({"method": "dapo", "stages": [{"stage": "sft"}]}, None),
        ({"method": "ppo"}, "method"),
        ({**DAPO, "surprise": 1}, "surprise"),
        ({**DAPO, "seed": "0"}, "seed"),
        ({**DAPO, "seed": -1}, "seed"),
        ({**DAPO, "base_model": "gpt-9"}, "base_model"),
        ({**DAPO, "dataset": "mine"}, "dataset"),
        ({**DAPO, "start_from": "im-none"}, "start_from"),
        ({**DAPO, "name": ""}, "name"),
        ({**DAPO, "metadata": {"k": 1}}, "metadata.k"),
        ({"stages": [{"stage": "sft", "max_steps": 0}]}, "stages.0.max_steps"),
        (
            {"stages": [{"stage": "sft"}, {"stage": "dapo", "max_tokens": "many"}]},
            "stages.1.max_tokens",
        ),
        (
            {"stages": [{"stage": "grpo", "prompts_per_step": 512, "num_generations": 64}]},
            "stages.0",
        ),
        ({"stages": [{"stage": "sft", "state": "succeeded"}]}, "stages.0.state"),
        ({"stages": []}, "stages"),
        ({"stages": [{"stage": "sft", "max_steps": "5"}]}, "stages.0.max_steps"),
        ({"stages": [{"stage": "sft", "max_steps": True}]}, "stages.0.max_steps"),
        ({"stages": [{"stage": "sft", "learning_rate": "2e-4"}]}, "stages.0.learning_rate"),
        ({"stages": [{"stage": "sft", "lora": {"dropout": "0"}}]}, "stages.0.lora.dropout"),
        ({"stages": [{"stage": "evaluate", "models": "base"}]}, "stages.0.models"),
        ({"stages": [{"stage": "sft", "categories": ["docker"]}]}, "stages.0.categories.0"),
        (
            {"stages": [{"stage": "evaluate", "categories": ["dockerfile", "docker"]}]},
            "stages.0.categories.1",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_field_and_leaves_nothing(
    client: TestClient, body: dict[str, Any], param: str | None
) -> None:
    answer = client.post("/jobs", json=body)
    assert answer.status_code == 422, answer.text
    error = answer.json()["error"]
    assert error["param"] == param and error["message"]
    assert client.get("/jobs").json()["data"] == []


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"stages": [{"stage": "sft", "lora": {"r": 32}}]}, "stages.0.lora.r"),
        ({"stages": [{"stage": "sft"}, {"stage": "grpo", "lora": {"r": 64}}]}, "stages.1.lora.r"),
        (
            {"stages": [{"stage": "sft", "lora": {"targets": ["q_proj", "lm_head"]}}]},
            "stages.0.lora.targets",
        ),
        ({"method": "evaluate", "models": ["inframind-nano", "im-none"]}, "models.1"),
        (
            {"method": "evaluate", "models": ["inframind-nano", "Qwen/Qwen2.5-0.5B-Instruct"]},
            "models.1",
        ),
        ({"method": "evaluate", "models": ["inframind-nano", "inframind-nano"]}, "models.1"),
        ({"stages": [{"stage": "evaluate", "models": ["im-none"]}]}, "stages.0.models.0"),
        ({"stages": [{"stage": "evaluate", "judged_tasks": 8}]}, "stages.0.judged_tasks"),
        ({"method": "sft", "models": ["inframind-nano"]}, None),
    ],
)
def test_what_the_server_could_not_serve_is_refused_before_it_trains(
    settings: Settings, body: dict[str, Any], param: str
) -> None:
    limited = settings.model_copy(update={"max_lora_rank": 16})
    with in_process(create_app(limited)) as connected:
        answer = connected.post("/jobs", json=body)
        assert (answer.status_code, answer.json()["error"]["param"]) == (422, param)
        if param and "lora.r" in param:
            assert "--max-lora-rank" in answer.json()["error"]["message"]
        assert connected.get("/jobs").json()["data"] == []


def test_jobs_are_listed_newest_first_by_pages(client: TestClient) -> None:
    ids = [client.post("/jobs", json=DAPO).json()["id"] for _ in range(5)]
    first = client.get("/jobs", params={"limit": 3}).json()
    assert ([job["id"] for job in first["data"]], first["has_more"]) == (ids[:1:-1], True)
    rest = client.get("/jobs", params={"limit": 3, "after": first["data"][-1]["id"]}).json()
    assert ([job["id"] for job in rest["data"]], rest["has_more"]) == (ids[1::-1], False)
    assert client.get("/jobs", params={"state": "running"}).json()["data"] == []
    assert client.get("/jobs", params={"state": "gone"}).status_code == 422


def test_a_queued_job_is_cancelled_at_once_and_only_once(client: TestClient) -> None:
    job_id = client.post("/jobs", json=DAPO).json()["id"]
    assert client.post(f"/jobs/{job_id}/cancel").json()["state"] == "cancelled"
    again = client.post(f"/jobs/{job_id}/cancel")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "conflict")


def test_a_running_job_shows_its_steps_and_that_it_is_being_cancelled(client: TestClient) -> None:
    job_id = client.post("/jobs", json=DAPO).json()["id"]
    run(client, job_id, "running")
    job = client.get(f"/jobs/{job_id}").json()
    assert (job["state"], job["stage"], job["step"], job["total_steps"]) == ("running", "sft", 3, 3)
    assert job["metrics"]["loss"] == pytest.approx(1 / 3)
    assert client.post(f"/jobs/{job_id}/cancel").json()["cancel_requested"] is True
    metrics = client.get(
        f"/jobs/{job_id}/metrics", params={"stage_index": 0, "after": "0-1"}
    ).json()
    assert [metric["step"] for metric in metrics["data"]] == [2, 3]


def test_events_stream_from_the_last_one_seen_until_the_end(client: TestClient) -> None:
    job_id = client.post("/jobs", json=DAPO).json()["id"]
    run(client, job_id, "succeeded")
    listed = client.get(f"/jobs/{job_id}/events").json()["data"]
    assert [event["code"] for event in listed] == [
        "queued",
        "claimed",
        "stage_started",
        "succeeded",
    ]
    headers = {"accept": "text/event-stream", "last-event-id": "2"}
    with client.stream("GET", f"/jobs/{job_id}/events", headers=headers) as stream:
        lines = list(stream.iter_lines())
    assert [line for line in lines if line.startswith("id:")] == ["id: 3", "id: 4"]
    assert [line for line in lines if line.startswith("event:")] == [
        "event: stage_started",
        "event: succeeded",
    ]


def test_a_stream_follows_a_job_that_still_runs(client: TestClient) -> None:
    job_id = client.post("/jobs", json=DAPO).json()["id"]
    threading.Timer(0.8, run, (client, job_id, "failed")).start()
    with client.stream(
        "GET", f"/jobs/{job_id}/events", headers={"accept": "text/event-stream"}
    ) as stream:
        codes = [
            line.removeprefix("event: ")
            for line in stream.iter_lines()
            if line.startswith("event:")
        ]
    assert codes[-1] == "failed"
