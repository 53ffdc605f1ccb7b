"""A service that needs keys, with two owners; the first has one of everything."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app import keys
from app.db.migrate import upgrade
from app.db.session import make_engine
from app.jobs import journal, lease
from app.main import create_app
from app.settings import Settings
from app.web.body_limit import DEFAULT_BODY_LIMITS, BodyLimits
from inframind.models.adapter import AdapterManifest, publish
from tests.support.http import connect, in_process
from tests.support.inference_servers import listening
from tests.support.reports import report
from tests.support.weights import write_weights

ROWS = (
    '{"instruction": "A Dockerfile from alpine:3.20 that runs as app.", '
    '"output": "FROM alpine:3.20\\nUSER app\\n"}\n'
    '{"instruction": "From debian:12, work in /srv.", '
    '"output": "FROM debian:12\\nWORKDIR /srv\\n", "category": "dockerfile"}\n'
)
DAPO = {"method": "dapo", "base_model": "inframind-nano"}
ADAPTER = "im-first-sft"
ALIAS = "the-first"


@dataclass
class Guarded:
    """The service and its keys."""

    client: httpx.Client | TestClient
    app: FastAPI
    settings: Settings
    first: str
    second: str
    admin: str

    @property
    def engine(self) -> Any:
        return self.app.state.engine

    def call(self, key: str | None, method: str, path: str, **more: Any) -> Any:
        """One request with a key."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return self.client.request(method, path, headers=headers | more.pop("headers", {}), **more)


def prepared(folder: Path, **more: Any) -> tuple[Settings, list[str]]:
    """Settings of a service on an address that others reach, with its database and keys."""
    values = {
        "data_dir": folder,
        "host": "0.0.0.0",
        "inference_url": "http://127.0.0.1:9",
        "verifier_workers": 1,
        "docs": True,
    }
    configured = Settings(**(values | more))
    engine = make_engine(configured.url)
    upgrade(engine)
    made = [
        keys.create(engine, scopes)
        for scopes in (["train", "generate"], ["train", "generate"], ["admin"])
    ]
    engine.dispose()
    return configured, made


@contextmanager
def guarded(folder: Path, **more: Any) -> Iterator[Guarded]:
    """The service, without a network."""
    configured, made = prepared(folder, **more)
    app = create_app(configured)
    with in_process(app, raise_server_exceptions=False) as client:
        yield Guarded(client, app, configured, *made)


@contextmanager
def on_a_socket(
    folder: Path, body_limits: BodyLimits = DEFAULT_BODY_LIMITS, **more: Any
) -> Iterator[tuple[str, Guarded]]:
    """The service on a real socket, whose URL comes first."""
    configured, made = prepared(folder, **more)
    app = create_app(configured, body_limits=body_limits)
    with listening(app) as url, connect(url) as client:
        yield url, Guarded(client, app, configured, *made)


def own_everything(service: Guarded) -> dict[str, str]:
    """One of everything for the first owner: path parameter -> id."""
    job_id = service.call(service.first, "POST", "/jobs", json=DAPO).json()["id"]
    dataset = service.call(service.first, "POST", "/datasets", content=ROWS).json()["id"]
    held = lease.claim(service.engine, "worker", "device", 20.0)
    assert held is not None and held.job_id == job_id
    log = service.settings.artifacts / job_id / "1" / "trainer.log"
    log.parent.mkdir(parents=True)
    log.write_text("the trainer starts\n")
    path, manifest = adapter(service.settings.data_dir / "adapters", job_id)
    with lease.fenced(service.engine, held) as (session, job):
        journal.start_stage(session, job, 0, "sft", 3)
        journal.add_metrics(session, job, 0, 1, {"loss": 1.0})
        journal.publish_stage(session, job, 0, "sft", report({}, manifest, path))
    service.call(service.first, "PUT", f"/aliases/{ALIAS}", json={"model": ADAPTER})
    upload = {"files": {"file": ("first.jsonl", ROWS.encode())}, "data": {"purpose": "fine-tune"}}
    file_id = service.call(service.first, "POST", "/v1/files", **upload).json()["id"]
    asked = {"model": ADAPTER, "training_file": file_id}
    fine_tuning = service.call(service.first, "POST", "/v1/fine_tuning/jobs", json=asked).json()[
        "id"
    ]
    return {
        "job_id": job_id,
        "dataset_id": dataset,
        "name": ADAPTER,
        "model": ADAPTER,
        "alias": ALIAS,
        "file_id": file_id,
        "fine_tuning_job_id": fine_tuning,
    }


def adapter(folder: Path, job_id: str) -> tuple[Path, dict[str, Any]]:
    """A published adapter, of files that nothing loads."""
    raw = folder / "raw"
    raw.mkdir(parents=True)
    (raw / "adapter_config.json").write_text("{}")
    write_weights(raw / "adapter_model.safetensors")
    manifest = AdapterManifest(
        id=ADAPTER,
        job_id=job_id,
        base_model="inframind-nano",
        stage="sft",
        stage_index=0,
        parent=None,
        quantization="none",
        lora={"r": 8},
        config={},
        dataset="inframind-bench",
        bench_hash="",
        seed=0,
        metrics={},
        train_seconds=0.0,
        versions={},
    )
    whole = publish(raw, folder / ADAPTER, manifest)
    return folder / ADAPTER, whole.model_dump(mode="json")
