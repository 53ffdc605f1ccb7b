"""Settings are held against the data and the model at every door; a dry run only tells."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, func, select

from app.artifacts import Artifacts
from app.db.session import reading, writing
from app.db.tables import Adapter, Job, JobEvent
from app.settings import Settings
from inframind.datasets import lengths
from inframind.datasets.lengths import counts_file
from tests.support.recorder import NANO
from workers.supervisor import Supervisor

CONTINUED = "im-continued"
WORDS = "alpha beta gamma delta "


def rows(count: int, *, instruction: str = "", output: str = "") -> bytes:
    return b"".join(
        json.dumps(
            {
                "instruction": f"From debian:12, work in /srv/a{i}. {instruction}",
                "output": f"FROM debian:12\nWORKDIR /srv/a{i}\n{output}",
            }
        ).encode()
        + b"\n"
        for i in range(count)
    )


def dataset(client: TestClient, content: bytes) -> str:
    answer = client.post("/datasets", content=content)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def send(client: TestClient, *stages: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = client.post("/jobs", json={"stages": stages, **more})
    return {**(answer.json().get("error") or answer.json()), "status": answer.status_code}


def engine_of(client: TestClient) -> Engine:
    engine: Engine = client.app.state.engine  # type: ignore[attr-defined]  # our application
    return engine


def stored(client: TestClient) -> int:
    with reading(engine_of(client)) as session:
        return sum(
            session.scalar(select(func.count()).select_from(table)) or 0
            for table in (Job, JobEvent)
        )


@pytest.mark.parametrize(
    ("stage", "param", "said"),
    [
        ({"stage": "dapo"}, "prompts_per_step", "a step needs 8 rows, and {} has 3"),
        ({"stage": "grpo"}, "prompts_per_step", "lower prompts_per_step to 3"),
        ({"stage": "sft", "max_length": 32}, "max_length", "3 of 3 rows of {} are longer than"),
        ({"stage": "sft", "max_length": 32000}, "max_length", "takes 1024 tokens"),
        ({"stage": "evaluate", "max_tokens": 8192}, "max_tokens", "takes 1024 tokens"),
        ({"stage": "evaluate", "max_tokens": 16}, "max_tokens", "1 of 1 right answers of {}"),
        ({"stage": "sft", "categories": ["compose"]}, "categories", "its rows: dockerfile 4"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_field_and_the_figures(
    client: TestClient, stage: dict[str, Any], param: str, said: str
) -> None:
    name = dataset(client, rows(4))
    first = {"stage": "sft", "max_steps": 1}
    refused = send(client, first, stage, dataset=name)
    assert (refused["status"], refused["param"]) == (422, f"stages.1.{param}"), refused
    assert said.format(name) in refused["message"]
    assert stored(client) == 0


def test_a_method_chose_no_setting_so_the_dataset_is_at_fault(client: TestClient) -> None:
    name = dataset(client, rows(4))
    answer = client.post("/jobs", json={"method": "grpo", "dataset": name})
    error = answer.json()["error"]
    assert (answer.status_code, error["param"]) == (422, "dataset")
    assert "stages.1 (grpo), prompts_per_step: a step needs 8 rows" in error["message"]


def test_rows_longer_than_the_model_takes_are_counted(client: TestClient) -> None:
    long = rows(24, instruction=WORDS * 150).splitlines()[::2]
    name = dataset(client, b"\n".join([*rows(24).splitlines()[1::2], *long]))
    refused = send(client, {"stage": "sft", "max_steps": 1}, dataset=name)
    assert (refused["status"], refused["param"]) == (422, "stages.0.max_length")
    assert "rows of" in refused["message"] and "takes 1024" in refused["message"]


def test_openais_route_names_its_own_fields(client: TestClient) -> None:
    def create(content: bytes, **more: Any) -> dict[str, Any]:
        files = {"file": ("train.jsonl", content)}
        file = client.post("/v1/files", files=files, data={"purpose": "fine-tune"}).json()["id"]
        body = {"model": NANO, "training_file": file, **more}
        answer = client.post("/v1/fine_tuning/jobs", json=body)
        return {**(answer.json().get("error") or answer.json()), "status": answer.status_code}

    def asked(**hyperparameters: int) -> dict[str, Any]:
        method = {"type": "reinforcement"}
        return {"method": method | {"reinforcement": {"hyperparameters": hyperparameters}}}

    few = b"".join(
        json.dumps(
            {"prompt": f"As u{i}x.", "completion": f"FROM alpine:3.20\nUSER u{i}x\n"}
        ).encode()
        + b"\n"
        for i in range(4)
    )
    refused = create(few, **asked(batch_size=8))
    place = "method.reinforcement.hyperparameters.batch_size"
    assert (refused["status"], refused["param"]) == (400, place), refused
    assert "needs 8 rows" in refused["message"]
    # `auto` is ours to choose: it is no reason to refuse a small file.
    automatic = create(few, **asked())
    assert automatic["status"] == 200, automatic
    long = few.replace(b"As u", (WORDS * 250).encode() + b"As u")
    refused = create(long)
    assert (refused["status"], refused["param"]) == (400, "training_file"), refused
    assert "takes 1024" in refused["message"]


def add_adapter(client: TestClient, settings: Settings) -> None:
    job_id = client.post("/jobs", json={"method": "sft"}).json()["id"]
    folder = settings.artifacts / job_id / "1" / CONTINUED
    folder.mkdir(parents=True)
    with writing(engine_of(client)) as session:
        job = session.get_one(Job, job_id)
        job.state = "succeeded"
        session.add(
            Adapter(
                id=CONTINUED,
                owner=job.owner,
                job_id=job_id,
                stage="sft",
                stage_index=0,
                base_model=NANO,
                path=str(folder),
                manifest={"lora": {"r": 8, "alpha": 16, "targets": ["q_proj", "v_proj"]}},
                created_at=job.created_at,
            )
        )


@pytest.mark.parametrize(
    ("lora", "field"),
    [
        ({"r": 64}, "r"),
        ({"r": 8, "alpha": 32}, "alpha"),
        ({"targets": ["q_proj"]}, "targets"),
        ({"dropout": 0.5}, "dropout"),
    ],
)
def test_an_adapter_that_is_continued_keeps_its_form(
    client: TestClient, settings: Settings, lora: dict[str, Any], field: str
) -> None:
    add_adapter(client, settings)
    refused = send(client, {"stage": "sft", "lora": lora}, start_from=CONTINUED)
    assert (refused["status"], refused["param"]) == (422, f"stages.0.lora.{field}")
    assert CONTINUED in refused["message"]


def test_stages_say_the_form_that_their_adapter_has(client: TestClient, settings: Settings) -> None:
    add_adapter(client, settings)
    same = {"r": 8, "targets": ["v_proj", "q_proj"]}
    made = send(client, {"stage": "sft", "lora": same}, {"stage": "grpo"}, start_from=CONTINUED)
    assert made["status"] == 201, made
    for stage in made["stages"]:
        assert (stage["lora"]["r"], stage["lora"]["alpha"]) == (8, 16)
        assert sorted(stage["lora"]["targets"]) == ["q_proj", "v_proj"]
    first = {"stage": "sft", "lora": {"r": 8}}
    later = send(client, first, {"stage": "grpo"})
    assert [stage["lora"]["r"] for stage in later["stages"]] == [8, 8]
    refused = send(client, first, {"stage": "grpo", "lora": {"r": 16}})
    assert refused["param"] == "stages.1.lora.r" and "stages.0" in refused["message"]


def test_a_dry_run_tells_the_stages_counts_and_warnings_and_stores_nothing(
    client: TestClient,
) -> None:
    name = dataset(client, rows(20))
    body = {"stages": [{"stage": "sft", "max_steps": 2, "batch_size": 4}], "dataset": name}
    answer = client.post("/jobs", params={"dry_run": True}, json=body)
    assert answer.status_code == 200 and "location" not in answer.headers
    told = answer.json()
    assert told["object"] == "job.dry_run" and "id" not in told
    (check,) = told["checks"]
    assert (check["stage"], check["data"]["rows"], check["data"]["rows_unreached"]) == (
        "sft",
        18,
        10,
    )
    assert 0 < check["data"]["longest_answer"] < check["data"]["longest_row"]
    assert [(each["code"], each["param"]) for each in told["warnings"]] == [
        ("rows_unreached", "stages.0.max_steps")
    ]
    assert stored(client) == 0
    made = client.post("/jobs", json=body)
    assert made.json()["stages"] == told["stages"]
    refused = client.post(
        "/jobs",
        params={"dry_run": True},
        json={**body, "stages": [{"stage": "dapo", "max_tokens": 4096}]},
    )
    assert (refused.status_code, refused.json()["error"]["param"]) == (422, "stages.0.max_tokens")


def test_an_uploads_rows_are_counted_by_the_upload(
    client: TestClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = dataset(client, rows(12))
    path = Artifacts.of(settings).dataset(name)
    assert counts_file(path, NANO).is_file()
    monkeypatch.setattr(lengths, "count_tokens", None)
    assert send(client, {"stage": "sft", "max_steps": 1}, dataset=name)["status"] == 201


def test_a_dataset_of_a_version_before_is_counted_by_its_first_job(
    client: TestClient, settings: Settings
) -> None:
    name = dataset(client, rows(12))
    counts = counts_file(Artifacts.of(settings).dataset(name), NANO)
    counts.unlink()
    assert send(client, {"stage": "sft", "max_steps": 1}, dataset=name)["status"] == 201
    assert counts.is_file()


def test_a_lost_dataset_is_refused_when_the_job_is_sent(
    client: TestClient, settings: Settings
) -> None:
    name = dataset(client, rows(12))
    path = Artifacts.of(settings).dataset(name)
    for file in path.parent.iterdir():
        file.unlink()
    lengths._read.cache_clear()
    refused = send(client, {"stage": "sft", "max_steps": 1}, dataset=name)
    assert (refused["status"], refused["param"]) == (422, "dataset")


def test_the_trainer_refuses_what_the_desk_could_not_count(
    client: TestClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = dataset(client, rows(12, instruction=WORDS * 100))
    path = Artifacts.of(settings).dataset(name)
    counts_file(path, NANO).unlink()
    lengths._read.cache_clear()
    with monkeypatch.context() as without:
        without.setattr(lengths, "count_tokens", _no_tokenizer)
        made = send(client, {"stage": "sft", "max_steps": 1, "max_length": 64}, dataset=name)
    assert made["status"] == 201, made
    Supervisor(engine_of(client), settings, "device").run_waiting()
    job = client.get(f"/jobs/{made['id']}").json()
    assert (job["state"], job["step"], job["attempts"]) == ("failed", 0, 1)
    assert (job["error"]["code"], job["error"]["param"]) == (
        "invalid_config",
        "stages.0.max_length",
    )
    assert "11 of 11 rows" in job["error"]["message"]


def _no_tokenizer(*_: object) -> list[int]:
    from inframind.errors import EngineError

    raise EngineError("no tokenizer")
