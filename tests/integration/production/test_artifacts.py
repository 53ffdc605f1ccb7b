"""Artifacts behind a store: a real S3-compatible server, real workers, and hosts that have nothing
yet.
"""

import io
import json
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from app import artifacts
from app.artifacts import Artifacts
from app.catalog.retention import prune
from app.catalog.service import list_models
from app.datasets import service as datasets
from app.db.migrate import upgrade
from app.db.session import make_engine, writing
from app.db.tables import Adapter, Job
from app.errors import StoreError
from app.jobs import journal, lease, transitions
from app.main import create_app
from app.settings import Settings
from app.views import PageRequest
from inframind.errors import EngineError
from inframind.generation.engine import Engine as InferenceEngine
from inframind.models.adapter import MANIFEST, read_manifest, verify_adapter
from inframind.verifier.verifier import Verifier
from tests.support.fleet import Fleet, add_job, desk, events, job, let_go
from tests.support.http import in_process
from tests.support.inference_servers import PROMPT, embedded
from tests.support.object_store import BUCKET, ObjectStore
from tests.support.outcome import check_success
from tests.support.reports import report
from tests.support.stand_in import HELD_AT, HOLDS, RAISES_BUG
from tests.support.waiting import HANG_SECONDS, until

WEIGHTS = "adapter_model.safetensors"
LONG_AGO = 1_000_000.0
HELD = HELD_AT[HOLDS][1]


@pytest.fixture
def store_url(store_server: ObjectStore, tmp_path: Path) -> str:
    """A place in the store that no other test uses."""
    return f"s3://{BUCKET}/{tmp_path.name}"


@pytest.fixture
def store_settings(store_url: str, tmp_path: Path) -> Settings:
    """A host whose data folder is `tmp_path`."""
    return Settings(data_dir=tmp_path, artifacts_url=store_url, verifier_workers=1)


@pytest.fixture
def host(store_settings: Settings) -> Artifacts:
    return Artifacts.of(store_settings)


@pytest.fixture
def database(store_settings: Settings) -> Iterator[Engine]:
    made = make_engine(store_settings.url)
    upgrade(made)
    yield made
    made.dispose()


def published(
    engine: Engine, host: Artifacts, make_adapter: Callable[..., Path], name: str
) -> Path:
    """An adapter of a job that another host has trained: its row and its files in the store, and
    nothing here.
    """
    job_id = add_job(engine)
    held = lease.claim(engine, "w", name, 60.0)
    assert held is not None
    work = host.job(job_id) / str(held.fence)
    work.mkdir(parents=True)
    folder = make_adapter(work, name, 5)
    manifest = read_manifest(folder).model_dump(mode="json")
    host.push(folder)
    with lease.fenced(engine, held) as (session, row):
        journal.publish_stage(session, row, 0, "sft", report({}, manifest, folder))
        transitions.finish(session, row, "succeeded")
    shutil.rmtree(host.folder)
    return folder


def test_what_was_pushed_is_pulled_whole_by_a_host_that_has_nothing(
    store_url: str, tmp_path: Path
) -> None:
    here, there = Artifacts(tmp_path / "a", store_url), Artifacts(tmp_path / "b", store_url)
    file = tmp_path / "a" / "job" / "1" / "im-x" / "deep" / "file"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"weights")
    folder, copy = file.parents[1], tmp_path / "b" / "job" / "1" / "im-x"
    assert not there.has(copy)
    here.push(folder)
    assert there.has(copy) and not copy.exists()
    there.pull(copy)
    assert (copy / "deep" / "file").read_bytes() == b"weights"
    there.pull(copy.with_name("im-none"))
    assert not copy.with_name("im-none").exists()
    there.remove(copy)
    assert not copy.exists() and not there.has(copy)
    assert {path.name for path in copy.parent.iterdir()} == set()


def test_datasets_and_their_unions_reach_every_host(host: Artifacts, database: Engine) -> None:
    manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: demo-{}\ndata:\n  A: b\n"
    rows = [
        json.dumps(
            {"instruction": f"Create a ConfigMap demo-{n}.", "output": manifest.format(n)}
        ).encode()
        for n in range(8)
    ]
    with Verifier(1) as verifier:
        first, second = (
            datasets.add(database, verifier, host, b"\n".join(part), None).id
            for part in (rows[:4], rows[4:])
        )
    shutil.rmtree(host.folder)
    union = datasets.with_validation(database, host, first, second)
    shutil.rmtree(host.folder)
    path = host.dataset(union)
    host.pull(path)
    assert len(path.read_text().splitlines()) == 8


def test_another_hosts_adapter_is_downloaded_and_served(
    store_settings: Settings,
    host: Artifacts,
    database: Engine,
    make_adapter: Callable[..., Path],
    inference_engine: InferenceEngine,
) -> None:
    folder = published(database, host, make_adapter, "im-far")
    with embedded(inference_engine) as inference:
        reached = store_settings.model_copy(update={"inference_url": inference})
        with in_process(create_app(reached)) as client:
            assert client.get("/models/im-far").json()["available"] is True
            data = client.get("/models/im-far/download").content
            with tarfile.open(fileobj=io.BytesIO(data)) as archive:
                weights = archive.extractfile(f"im-far/{WEIGHTS}")
                assert weights is not None and weights.read() == (folder / WEIGHTS).read_bytes()
            shutil.rmtree(folder)
            answers = [
                client.post(
                    "/generate", json={"prompt": PROMPT, "model": model, "max_tokens": 16}
                ).json()["choices"][0]["text"]
                for model in ("inframind-nano", "im-far")
            ]
    assert answers[0] != answers[1] and verify_adapter(folder).id == "im-far"


def test_a_list_asks_the_store_once_for_each_adapter_that_is_not_here(
    host: Artifacts,
    database: Engine,
    make_adapter: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paths = [published(database, host, make_adapter, f"im-far-{index}") for index in range(3)]
    lost = paths[2]
    host.remove(lost)
    asked: list[str] = []
    exists = host._files.exists
    monkeypatch.setattr(host._files, "exists", lambda key: asked.append(key) or exists(key))
    for _ in range(3):
        assert {
            model.id: model.available
            for model in list_models(database, host, PageRequest()).data
            if model.kind == "adapter"
        } == {
            "im-far-0": True,
            "im-far-1": True,
            "im-far-2": False,
        }
    assert sorted(key.rpartition("/")[2] for key in asked) == [
        "im-far-0",
        "im-far-1",
        *["im-far-2"] * 3,
    ]
    host.remove(paths[0])
    assert [
        model.available
        for model in list_models(database, host, PageRequest()).data
        if model.id == "im-far-0"
    ] == [False]


def test_an_adapter_that_the_store_changed_is_refused(
    store_settings: Settings,
    host: Artifacts,
    database: Engine,
    make_adapter: Callable[..., Path],
    inference_engine: InferenceEngine,
) -> None:
    folder = published(database, host, make_adapter, "im-torn")
    host.pull(folder)
    data = bytearray((folder / WEIGHTS).read_bytes())
    data[-1] ^= 1
    (folder / WEIGHTS).write_bytes(data)
    host.push(folder)
    shutil.rmtree(folder)
    with embedded(inference_engine) as inference:
        reached = store_settings.model_copy(update={"inference_url": inference})
        with in_process(create_app(reached)) as client:
            answer = client.post("/generate", json={"prompt": PROMPT, "model": "im-torn"})
            assert answer.status_code == 503 and "SHA-256" in answer.json()["error"]["message"]
            assert client.get("/models/im-torn/download").status_code == 503
    with pytest.raises(EngineError, match="SHA-256"):
        verify_adapter(folder)


def test_retention_prunes_the_store_too(
    host: Artifacts,
    database: Engine,
    make_adapter: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = host.folder
    old, kept = (published(database, host, make_adapter, name) for name in ("im-old", "im-kept"))
    lost = place / old.parent.parent.name / "7" / "stage-0" / "checkpoint-4"
    lost.mkdir(parents=True)
    (lost / MANIFEST).write_text("{}")
    host.push(lost)
    shutil.rmtree(place)
    with writing(database) as session:
        session.execute(update(Adapter).where(Adapter.id == "im-old").values(created_at=LONG_AGO))
    assert prune(database, host, 30.0).adapters == ["im-old"]
    assert host.has(kept) and host.has(lost) and not host.has(old)
    monkeypatch.setattr(artifacts.time, "time", lambda now=artifacts.time.time: now() + 90_000)
    assert prune(database, host, 30.0).leftovers == [str(lost.parents[1].relative_to(place))]
    assert host.has(kept) and not host.has(lost)


@pytest.fixture
def fleet(
    store_settings: Settings, store_server: ObjectStore, database: Engine, tmp_path: Path
) -> Iterator[Fleet]:
    made = Fleet(tmp_path, store_settings.url)
    made.set("INFRAMIND_ARTIFACTS_URL", store_settings.artifacts_url)
    yield made
    made.close()


def test_a_job_whose_store_dies_waits_for_it_and_loses_nothing(
    fleet: Fleet, store_server: ObjectStore, host: Artifacts
) -> None:
    job_id = add_job(fleet.engine, steps=100, seed=HOLDS)
    fleet.start()
    until(lambda: job(fleet.engine, job_id).step == HELD)
    store_server.kill()
    let_go(fleet.folder / "artifacts", job_id)
    until(lambda: any(event.code == "requeued" for event in events(fleet.engine, job_id)))
    waiting = job(fleet.engine, job_id)
    told = next(event for event in events(fleet.engine, job_id) if event.code == "requeued")
    assert told.data["code"] == "artifacts_unavailable" and "does not answer" in told.message
    assert (waiting.state, waiting.failures, waiting.infra_failures) == ("queued", 0, 0)
    with pytest.raises(StoreError):
        host.push(fleet.folder / "artifacts" / job_id)
    store_server.start()
    with writing(fleet.engine) as session:
        session.execute(update(Job).where(Job.id == job_id).values(not_before=0.0))
    fleet.wait(job_id, "succeeded")
    assert (
        next(event for event in events(fleet.engine, job_id) if event.code == "resumed").data[
            "step"
        ]
        >= 8
    )
    check_success(fleet.engine, job_id, [("sft", 100), ("evaluate", 4)])


def test_a_job_goes_on_on_a_host_that_has_none_of_its_files(fleet: Fleet) -> None:
    job_id = add_job(fleet.engine, steps=60, seed=HOLDS)
    fleet.start("w0")
    until(lambda: job(fleet.engine, job_id).step == HELD)
    desk(fleet.engine).pause(job_id)
    fleet.wait(job_id, "paused")
    fleet.supervisors["w0"].terminate()
    fleet.supervisors["w0"].wait(HANG_SECONDS)
    shutil.rmtree(fleet.folder / "artifacts")
    fleet.start("w1")
    desk(fleet.engine).resume(job_id)
    fleet.wait(job_id, "succeeded")
    assert (
        next(event for event in events(fleet.engine, job_id) if event.code == "resumed").data[
            "step"
        ]
        >= 8
    )
    check_success(fleet.engine, job_id, [("sft", 60), ("evaluate", 4)])


def test_a_failed_jobs_log_is_read_on_a_host_that_never_had_it(
    fleet: Fleet, store_settings: Settings, tmp_path: Path
) -> None:
    job_id = add_job(fleet.engine, seed=RAISES_BUG, max_attempts=1)
    fleet.start()
    fleet.wait(job_id, "failed")
    elsewhere = {"data_dir": tmp_path / "api", "database_url": store_settings.url}
    reached = Settings(**elsewhere, artifacts_url=store_settings.artifacts_url)  # type: ignore[arg-type]  # as from variables
    with in_process(create_app(reached)) as client:
        told = client.get(f"/jobs/{job_id}/log")
    assert told.status_code == 200 and "KeyError: 'missing'" in told.text


def test_the_trainer_does_not_see_the_stores_key(fleet: Fleet) -> None:
    job_id = add_job(fleet.engine, seed=HOLDS)
    fleet.start()
    until(lambda: job(fleet.engine, job_id).step == HELD)
    assert "AWS_SECRET_ACCESS_KEY" in os.environ
    assert b"AWS_" not in Path(f"/proc/{fleet.trainer()}/environ").read_bytes()
