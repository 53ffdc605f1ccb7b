"""The service over HTTP on a real database built by the migrations; the inference server is absent unless a test starts one."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import BaseModel

from app.api import _examples as examples
from app.api import judge, verify
from app.api.generate import REQUESTS
from app.catalog import service as catalog
from app.catalog.views import AliasView, Comparison, ModelDetail, ModelList
from app.db.migrate import downgrade, is_current, upgrade
from app.db.session import make_engine, writing
from app.generation.service import GenerateRequest, Generation, check
from app.jobs import journal, lease, service, transitions
from app.jobs.views import EventView, JobView, MetricView
from app.judging.service import JudgementView
from app.main import create_app
from app.settings import Settings
from inframind.types import Verdict

DAPO = {"method": "dapo", "base_model": "inframind-nano"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    configured = Settings(data_dir=tmp_path, inference_url="http://127.0.0.1:9", verifier_workers=1)
    engine = make_engine(configured.url)
    upgrade(engine)
    engine.dispose()
    return configured


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings), raise_server_exceptions=False) as connected:
        yield connected


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
    with TestClient(create_app(limited)) as connected:
        answer = connected.post("/jobs", json=body)
        assert (answer.status_code, answer.json()["error"]["param"]) == (422, param)
        if param and "lora.r" in param:
            assert "--max-lora-rank" in answer.json()["error"]["message"]
        assert connected.get("/jobs").json()["data"] == []


def test_a_body_that_is_no_json_or_too_large_is_refused(client: TestClient) -> None:
    assert (
        client.post("/jobs", content=b"{", headers={"content-type": "application/json"}).status_code
        == 422
    )
    assert client.post("/jobs", content=b"x" * 1_100_000).status_code == 413
    assert client.post("/verify", content=(b"x" * 100_000 for _ in range(12))).status_code == 413


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
        f"/jobs/{job_id}/metrics", params={"stage_index": 0, "after_step": 1}
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


ROWS = b"".join(
    b'{"instruction": "From debian:12, work in /srv/%d.", "output": "FROM debian:12\\nWORKDIR /srv/%d\\n"}\n'
    % (i, i)
    for i in range(100, 112)
)


def test_a_dataset_is_stored_once_and_can_be_named_by_a_job(client: TestClient) -> None:
    made = client.post("/datasets", params={"name": "ours"}, content=ROWS)
    assert made.status_code == 201, made.text
    dataset = made.json()
    assert (dataset["tasks"], dataset["derived"]) == ({"test-values": 1, "train": 11}, 12)
    assert client.post("/datasets", content=ROWS).json() == dataset
    assert (
        client.get("/datasets").json()["data"]
        == [client.get(f"/datasets/{dataset['id']}").json()]
        == [dataset]
    )
    job = client.post("/jobs", json={**DAPO, "dataset": dataset["id"]})
    assert (job.status_code, job.json()["dataset"]) == (201, dataset["id"])


def test_a_bad_row_names_itself_and_nothing_is_stored(
    client: TestClient, settings: Settings
) -> None:
    answer = client.post("/datasets", content=ROWS + b'{"instruction": "x", "output": ""}\n')
    assert (answer.status_code, answer.json()["error"]["param"]) == (422, "rows.13.output")
    assert client.get("/datasets").json()["data"] == []
    assert not (settings.artifacts / "datasets").exists()
    assert (
        client.post("/datasets", content=b"\xff")
        .json()["error"]["message"]
        .startswith("the file is not UTF-8")
    )
    for unknown in ("ds-" + "0" * 32, "../jobs", "ds-x"):
        assert (
            client.post("/jobs", json={**DAPO, "dataset": unknown}).json()["error"]["param"]
            == "dataset"
        )
    assert client.get("/datasets/ds-x").status_code == 404


def test_a_dataset_may_be_large_and_no_larger(settings: Settings) -> None:
    small = settings.model_copy(update={"max_body_bytes": 1000, "max_dataset_bytes": 2000})
    with TestClient(create_app(small)) as connected:
        assert connected.post("/datasets", content=ROWS).status_code == 201
        assert connected.post("/datasets", content=ROWS * 2).status_code == 413


def test_models_show_what_is_there(client: TestClient) -> None:
    models = client.get("/models").json()["data"]
    nano = next(model for model in models if model["id"] == "inframind-nano")
    assert (nano["kind"], nano["available"]) == ("base", True)
    assert client.get("/models/Qwen/Qwen2.5-0.5B-Instruct").json()["kind"] == "base"
    assert client.get("/models/../../etc/passwd").status_code == 404


def test_verify_gives_the_verdict_that_training_gives(client: TestClient) -> None:
    checks = [{"op": "equals", "kind": "image", "path": "user", "value": "app"}]
    good = {"category": "dockerfile", "text": "FROM python:3.12-slim\nUSER app\n", "checks": checks}
    verdict = client.post("/verify", json=good).json()
    assert (verdict["verdict"], verdict["score"]) == ("pass", 1.0)
    verdict = client.post("/verify", json={**good, "text": "FROM python:3.12-slim\n"}).json()
    assert (verdict["verdict"], verdict["rungs"]["intent"]) == ("fail", "fail")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"text": "x", "category": "cobol"}, "category"),
        ({"category": "compose"}, "text"),
        (
            {"text": "x", "category": "compose", "checks": [{"op": "sings", "kind": "service"}]},
            "checks.0.op",
        ),
        (
            {"text": "x", "category": "compose", "checks": [{"op": "equals", "kind": "service"}]},
            "checks.0.path",
        ),
        (
            {
                "text": "x",
                "category": "compose",
                "checks": [{"op": "matches", "kind": "service", "path": "a", "value": "("}],
            },
            "checks.0.value",
        ),
    ],
)
def test_a_request_that_cannot_be_judged_names_its_field(
    client: TestClient, body: dict[str, Any], param: str
) -> None:
    answer = client.post("/verify", json=body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (422, param)


def test_the_rules_judge_scores_by_the_verdict(client: TestClient) -> None:
    body = {
        "category": "dockerfile",
        "instruction": "Run as app.",
        "answer": "```dockerfile\nFROM python:3.12-slim\nUSER app\n```",
    }
    judged = client.post("/judge", json=body).json()
    assert judged["would_work"] is True and judged["overall"] > 8
    nonsense = client.post(
        "/judge", json={**body, "answer": "FROM my experience this is easy.\nRUN along now."}
    ).json()
    assert nonsense["would_work"] is False and nonsense["overall"] <= 4


def test_without_an_inference_server_generation_says_so_and_when_to_try_again(
    client: TestClient,
) -> None:
    answer = client.post("/generate", json={"instruction": "anything"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "prompt"),
        ({"prompt": "a", "instruction": "b"}, "instruction"),
        ({"prompt": "a", "input": "b"}, "input"),
        ({"prompt": "a", "n": 17}, "n"),
        ({"prompt": "a", "max_tokens": 100_000}, "max_tokens"),
        ({"prompt": "a", "temperature": 3}, "temperature"),
        ({"prompt": "a", "category": "cobol"}, "category"),
        ({"messages": [{"role": "root", "content": "a"}]}, "messages.0.role"),
    ],
)
def test_impossible_generations_name_the_field(
    client: TestClient, body: dict[str, Any], param: str | None
) -> None:
    answer = client.post("/generate", json=body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (422, param)


def test_an_unknown_model_is_404(client: TestClient) -> None:
    assert (
        client.post("/generate", json={"instruction": "a", "model": "im-none"}).status_code == 404
    )
    assert client.get("/models/im-none").status_code == 404
    assert client.get("/jobs/none").json()["error"]["code"] == "not_found"
    assert client.get("/nowhere").json()["error"]["code"] == "not_found"


def test_readiness_names_every_part(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"] == {
        "database": True,
        "migrations": True,
        "worker": False,
        "inference": False,
    }


def test_every_answer_in_the_openapi_document_has_a_whole_example(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    operations = [op for path in document["paths"].values() for op in path.values()]
    assert len(operations) >= 13
    for operation in operations:
        for status, answer in operation["responses"].items():
            content = answer["content"]
            is_file = bool({"application/x-tar", "application/jsonl"} & set(content))
            assert is_file or all(form["example"] for form in content.values()), (
                operation["operationId"],
                status,
            )
    create = document["components"]["schemas"]["JobSpec"]["examples"]
    assert create[0]["method"] == "dapo"
    assert all(
        client.post("/jobs", json=example).status_code == 201
        for example in create
        if "start_from" not in example
    )


@pytest.mark.parametrize(
    ("view", "example"),
    [
        (JobView, examples.JOB), (JobView, examples.QUEUED), (JobView, examples.CANCELLED), (EventView, examples.EVENT),
        (MetricView, examples.METRIC), (ModelList, examples.MODELS), (Generation, examples.GENERATION), (Verdict, examples.VERDICT),
        (JudgementView, examples.JUDGEMENT), (ModelDetail, examples.ADAPTER_DETAIL), (Comparison, examples.COMPARISON),
        (AliasView, examples.ALIAS),
    ],
)  # fmt: skip
def test_the_examples_are_answers(view: type[BaseModel], example: dict[str, Any]) -> None:
    assert set(view.model_validate(example).model_dump(mode="json")) == set(example)


def test_the_examples_of_requests_are_accepted(client: TestClient) -> None:
    judged = client.post("/judge", json=judge.SINGLE).json()
    judged["verdict"]["verifier"] = examples.VERDICT["verifier"]
    assert judged == examples.JUDGEMENT
    assert client.post("/verify", json=verify.EXAMPLE).json() | {
        "verifier": ""
    } == examples.VERDICT | {"verifier": ""}
    for request in REQUESTS:
        check(GenerateRequest.model_validate(request))


def test_the_migrations_go_up_and_down_on_data(settings: Settings) -> None:
    engine = make_engine(settings.url)
    with TestClient(create_app(settings)) as connected:
        connected.post("/jobs", json=DAPO)
    downgrade(engine, "base")
    assert not is_current(engine)
    upgrade(engine)
    assert is_current(engine)
    assert service.list_jobs(engine, 10, None, None) == ([], False)
    with writing(engine) as session:
        assert session.connection().exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def test_a_crash_answers_500_without_its_cause(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog, "listing", lambda _: 1 / 0)
    answer = client.get("/models")
    assert answer.status_code == 500
    assert "division" not in answer.text and answer.json()["error"]["code"] == "internal_error"
