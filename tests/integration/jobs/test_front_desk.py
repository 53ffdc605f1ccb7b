"""Every door by which a job is made or moved: the same duties, whichever it is.

The command line and both APIs are doors of the api's process; Modal's function is one of its own.
"""

import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, func, select

from app import keys
from app.artifacts import Artifacts
from app.db.migrate import upgrade
from app.db.session import make_engine, reading, writing
from app.db.tables import Adapter, Job
from app.errors import InvalidError
from app.jobs.service import JobService
from app.jobs.spec import JobSpec
from app.main import create_app
from app.settings import Settings
from inframind.errors import InfraMindError
from tests.support import ROOT
from tests.support.http import connect
from tests.support.inference_servers import listening
from tests.support.modal import load_modal_app

LARGE = "im-large"
"""An adapter whose rank the inference server does not take."""
ROWS = "".join(
    json.dumps(
        {"prompt": f"From alpine:3.20, as u{i}x.", "completion": f"FROM alpine\nUSER u{i}x\n"}
    )
    + "\n"
    for i in range(4)
)


@dataclass
class Service:
    """A service with two owners' keys, and what it has done."""

    url: str
    engine: Engine
    settings: Settings
    keys: tuple[str, str]
    file: str = ""
    woken: list[str] = field(default_factory=list)
    owner: str | None = None

    def wake(self, job_id: str) -> None:
        """Fails in the request if the row is not committed yet."""
        with reading(self.engine) as session:
            session.get_one(Job, job_id)
        self.woken.append(job_id)

    def call(self, path: str, body: Any = None, owner: int = 0, **headers: str) -> httpx.Response:
        headers |= {"Authorization": f"Bearer {self.keys[owner]}"}
        with connect(self.url) as client:
            return client.post(path, json=body, headers=headers)

    def count(self) -> int:
        with reading(self.engine) as session:
            return session.scalar(select(func.count()).select_from(Job)) or 0


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    settings = Settings(
        data_dir=tmp_path,
        inference_url="http://127.0.0.1:9",
        verifier_workers=1,
        max_lora_rank=16,
        max_queued_per_owner=2,
    )
    engine = make_engine(settings.url)
    upgrade(engine)
    made = (keys.create(engine, ["train"]), keys.create(engine, ["train"]))
    found = Service("", engine, settings, made)
    with listening(create_app(settings, wake=found.wake)) as found.url:
        found.file = upload(found)
        add_large_adapter(found)
        yield found
    engine.dispose()


def upload(service: Service) -> str:
    with connect(service.url) as client:
        answer = client.post(
            "/v1/files",
            headers={"Authorization": f"Bearer {service.keys[0]}"},
            files={"file": ("train.jsonl", ROWS.encode())},
            data={"purpose": "fine-tune"},
        )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def add_large_adapter(service: Service) -> None:
    """The adapter's job is an old one of the same owner."""
    assert service.call("/jobs", {"method": "sft"}).status_code == 201
    with writing(service.engine) as session:
        job = session.scalars(select(Job)).one()
        job.state = "succeeded"
        service.owner = job.owner
        folder = service.settings.artifacts / job.id / "1" / LARGE
        folder.mkdir(parents=True)
        session.add(
            Adapter(
                id=LARGE,
                owner=job.owner,
                job_id=job.id,
                stage="sft",
                stage_index=0,
                base_model=job.base_model,
                path=str(folder),
                manifest={"lora": {"r": 64}},
                created_at=job.created_at,
            )
        )
    service.woken.clear()


@dataclass
class Answer:
    """What a door said: a job's id, or a refusal's code and field."""

    job_id: str = ""
    code: str = ""
    param: str | None = None
    message: str = ""


Door = Callable[..., Answer]


def told(answer: httpx.Response) -> Answer:
    if answer.is_success:
        return Answer(answer.json()["id"].removeprefix("ftjob-"))
    error = answer.json()["error"]
    return Answer(code=error["code"], param=error["param"], message=error["message"])


def own_api(service: Service, key: str | None = None, owner: int = 0, **body: Any) -> Answer:
    headers = {"Idempotency-Key": key} if key else {}
    given = {"base_model": "inframind-nano", "stages": [{"stage": "sft"}], "seed": 7, **body}
    return told(service.call("/jobs", given, owner, **headers))


def openai_api(service: Service, key: str | None = None, owner: int = 0, **body: Any) -> Answer:
    headers = {"Idempotency-Key": key} if key else {}
    given = {"model": "inframind-nano", "training_file": service.file, **body}
    return told(service.call("/v1/fine_tuning/jobs", given, owner, **headers))


def command_line(service: Service, **options: str) -> Answer:
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    command = [sys.executable, "-c", "from inframind.cli import main; main()", "jobs", "create"]
    ended = subprocess.run(
        [*command, "sft", *arguments, "--url", service.url],
        env={"INFRAMIND_API_KEY": service.keys[0], "PYTHONPATH": str(ROOT), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode == 0:
        return Answer(ended.stdout.strip())
    return Answer(code="refused", message=" ".join((ended.stdout + ended.stderr).split()))


HTTP: dict[str, Door] = {"/jobs": own_api, "/v1/fine_tuning/jobs": openai_api}


@pytest.mark.parametrize("door", [*HTTP.values(), command_line])
def test_a_worker_is_woken_once_when_the_row_is_there(service: Service, door: Door) -> None:
    answer = door(service)
    assert service.woken == [answer.job_id], answer
    with reading(service.engine) as session:
        job = session.get_one(Job, answer.job_id)
        assert job.owner == service.owner and job.request_id


@pytest.mark.parametrize("door", HTTP.values())
def test_the_same_key_is_the_same_job_and_wakes_nobody_again(service: Service, door: Door) -> None:
    before = service.count()
    first = door(service, key="k1")
    assert first.job_id and door(service, key="k1") == first
    other_body = door(service, key="k1", metadata={"other": "body"})
    assert (other_body.code, other_body.param) == ("invalid_request", "Idempotency-Key")
    assert door(service, key="k2").job_id not in ("", first.job_id)
    assert (service.count(), len(service.woken)) == (before + 2, 2)
    for other in HTTP.values():
        if other is not door:
            assert other(service, key="k1").param == "Idempotency-Key", "one owner, one set of keys"


def test_the_command_line_takes_a_key_too(service: Service) -> None:
    before = service.count()
    first = command_line(service, **{"idempotency-key": "k1"})
    assert first.job_id and command_line(service, **{"idempotency-key": "k1"}) == first
    other_body = command_line(service, **{"idempotency-key": "k1", "seed": "9"})
    assert not other_body.job_id and "Idempotency-Key" in other_body.message
    assert (service.count(), service.woken) == (before + 1, [first.job_id])


def test_a_repeated_request_is_answered_although_it_would_be_refused_now(service: Service) -> None:
    """Its file may be gone, and the quota reached: the job is there."""
    first = openai_api(service, key="k1")
    own_api(service)
    assert own_api(service).code == "quota_exceeded"
    with connect(service.url) as client:
        headers = {"Authorization": f"Bearer {service.keys[0]}"}
        assert client.delete(f"/v1/files/{service.file}", headers=headers).is_success
    assert openai_api(service).param == "training_file"
    assert openai_api(service, key="k1") == first


REFUSALS = {
    "quota": ({}, {}, "quota_exceeded", None, None),
    "rank": ({"start_from": LARGE}, {"model": LARGE}, "invalid_request", "start_from", "model"),
    "dataset": (
        {"dataset": "ds-none"},
        {"training_file": "file-none"},
        "invalid_request",
        "dataset",
        "training_file",
    ),
    "setting": (
        {"stages": [{"stage": "sft", "learning_rate": 0.5}]},
        {"hyperparameters": {"learning_rate_multiplier": 1000}},
        "invalid_config",
        "stages.0.learning_rate",
        "hyperparameters.learning_rate_multiplier",
    ),
}


@pytest.mark.parametrize("reason", REFUSALS)
def test_what_one_door_refuses_the_other_refuses_too(service: Service, reason: str) -> None:
    ours, openais, code, our_field, their_field = REFUSALS[reason]
    if reason == "quota":
        assert own_api(service).job_id and openai_api(service).job_id
    before, woken = service.count(), list(service.woken)
    for door, body, param in ((own_api, ours, our_field), (openai_api, openais, their_field)):
        answer = door(service, key="k", **body)
        assert (answer.code, answer.param) == (code, param), answer
    if reason in ("quota", "rank"):
        by_command = command_line(service, **({"start-from": LARGE} if reason == "rank" else {}))
        assert own_api(service, **ours).message in by_command.message
    assert (service.count(), service.woken) == (before, woken)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"stages": [{"stage": "ppo"}]}, "stages.0.stage"),
        ({"stages": [{"stage": ["sft"]}]}, "stages.0.stage"),
        ({"method": "sft", "base_model": "gpt-9"}, "base_model"),
        ({"stages": [{"stage": "sft", "lora": {"r": 32}}]}, "stages.0.lora.r"),
    ],
)
def test_modal_refuses_what_the_api_refuses(
    service: Service,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    body: dict[str, Any],
    param: str,
) -> None:
    """It has no owner, so no quota, and wakes nobody: it runs what waits itself."""
    answer = told(service.call("/jobs", body))
    before = service.count()
    monkeypatch.setenv("INFRAMIND_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("INFRAMIND_MAX_LORA_RANK", str(service.settings.max_lora_rank))
    with pytest.raises(InfraMindError) as refused, pytest.warns(UserWarning, match="locally"):
        load_modal_app().train.local(body)
    assert (refused.value.code, refused.value.param) == (answer.code, answer.param)
    assert (answer.param, str(refused.value)) == (param, answer.message)
    assert service.count() == before


@pytest.mark.parametrize("prefix", ["/jobs/", "/v1/fine_tuning/jobs/ftjob-"])
def test_of_the_moves_only_a_job_that_waits_again_wakes_a_worker(
    service: Service, prefix: str
) -> None:
    job_id = openai_api(service).job_id
    service.woken.clear()
    for move, woken in (("resume", 0), ("pause", 0), ("pause", 0), ("resume", 1), ("cancel", 1)):
        assert service.call(f"{prefix}{job_id}/{move}").is_success
        assert len(service.woken) == woken, move
    for move in ("pause", "resume", "cancel"):
        assert told(service.call(f"{prefix}{job_id}/{move}")).code == "conflict"
        assert told(service.call(f"{prefix}{job_id}/{move}", owner=1)).code == "not_found"
    assert service.woken == [job_id]


def test_a_job_that_ended_badly_is_tried_again_as_a_new_one(service: Service) -> None:
    first = own_api(service, name="nightly", deadline_seconds=3600.0, metadata={"a": "b"}).job_id
    refused = service.call(f"/jobs/{first}/retry")
    assert (refused.status_code, told(refused).code) == (409, "conflict")
    assert service.call(f"/jobs/{first}/cancel").is_success
    service.woken.clear()
    again = service.call(f"/jobs/{first}/retry", **{"Idempotency-Key": "r1"})
    made = again.json()
    assert (again.status_code, again.headers["location"]) == (201, f"/jobs/{made['id']}")
    assert service.woken == [made["id"]] and made["id"] != first
    assert (
        told(service.call(f"/jobs/{first}/retry", **{"Idempotency-Key": "r1"})).job_id == made["id"]
    )
    old = service.call(f"/jobs/{first}/cancel")
    assert old.status_code == 409, "the old job stays ended"
    assert (made["name"], made["metadata"], made["seed"]) == ("nightly", {"a": "b"}, 7)
    assert made["deadline_at"] - made["created_at"] == pytest.approx(3600.0)
    with reading(service.engine) as session:
        jobs = [session.get_one(Job, identity) for identity in (first, made["id"])]
        assert jobs[0].stages == jobs[1].stages
    assert told(service.call(f"/jobs/{first}/retry", owner=1)).code == "not_found"


def test_both_doors_are_audited_alike(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "inframind.audit")
    for path, door in HTTP.items():
        made = door(service).job_id
        line = next(
            record.__dict__ for record in caplog.records if record.name == "inframind.audit"
        )
        caplog.clear()
        key = service.keys[0].split("_")[1]
        assert (line["route"], line["key"], line["made"]) == (path, key, [made])
        assert line["owner"] == service.owner


class Watchful(Artifacts):
    """Notes whether another could write to the database while the store was asked."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        super().__init__(folder)
        self.engine = engine
        self.asked: list[Path] = []

    def present(self, paths: Any) -> set[Path]:
        self.asked += paths
        with writing(self.engine) as session:
            session.execute(select(Job.id))
        return set()


def test_no_transaction_that_writes_waits_for_the_store(service: Service) -> None:
    """SQLite would refuse the second writer: a slow store would hold up everybody."""
    settings = service.settings.model_copy(update={"max_lora_rank": 64})
    stored = Watchful(settings.artifacts, service.engine)
    desk = JobService(service.engine, settings, stored)
    with pytest.raises(InvalidError, match="are not here any more") as refused:
        desk.submit(JobSpec.model_validate({"method": "grpo", "start_from": LARGE}))
    assert refused.value.param == "start_from" and len(stored.asked) == 1
