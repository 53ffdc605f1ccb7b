"""Backup and restore as docs/production/backup.md says: dump, artifacts, and the same answers from
the restored model.
"""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, update

from app import keys
from app.artifacts import Artifacts
from app.catalog import service as catalog
from app.catalog.retention import prune
from app.db.migrate import is_current, upgrade
from app.db.session import database_now, make_engine, writing
from app.db.tables import Adapter, Checkpoint
from app.jobs import journal, lease, transitions
from app.jobs.failure import WORKER_DRAINED
from app.jobs.silence import LeaseWatch
from app.main import create_app
from app.settings import Settings
from inframind.generation.engine import Engine as InferenceEngine
from inframind.generation.request import Request
from inframind.models.adapter import read_manifest
from tests.support.clocks import ManualClock
from tests.support.fleet import add_job, job
from tests.support.http import in_process
from tests.support.inference_servers import BASE
from tests.support.reports import checkpoint, report
from tests.support.servers import Postgres
from workers.assignment import assignment


def test_a_restored_service_has_the_same_models_and_goes_on(
    postgres: Postgres, tmp_path: Path, make_adapter: Callable[..., Path]
) -> None:
    url = postgres.new_database()
    engine = make_engine(url)
    artifacts, copy = tmp_path / "artifacts", tmp_path / "copy"
    artifacts.mkdir()
    add_job(engine)
    held = lease.claim(engine, "w", "gpu", 60.0)
    assert held is not None
    folder = make_adapter(artifacts / held.job_id / str(held.fence), "im-kept", 3)
    manifest = read_manifest(folder).model_dump(mode="json")
    with lease.fenced(engine, held) as (session, row):
        journal.publish_stage(session, row, 0, "sft", report({}, manifest, folder))
        transitions.finish(session, row, "succeeded")
    running = add_job(engine)
    assert lease.claim(engine, "w", "gpu", 0.1) is not None
    before = answer(folder)

    dump = tmp_path / "inframind.dump"
    subprocess.run(
        [postgres.programs / "pg_dump", "--format=custom", f"--file={dump}", url], check=True
    )
    shutil.copytree(artifacts, copy)
    engine.dispose()
    shutil.rmtree(artifacts)

    restored_url = postgres.new_database("template0")
    subprocess.run(
        [postgres.programs / "pg_restore", "--no-owner", f"--dbname={restored_url}", dump],
        check=True,
    )
    shutil.copytree(copy, artifacts)
    restored = make_engine(restored_url)
    upgrade(restored)
    assert is_current(restored)
    known = catalog.adapter(restored, "im-kept")
    restored_folder = Artifacts(artifacts).locate(known.whereabouts)
    assert restored_folder == folder and answer(restored_folder) == before
    clock = ManualClock()
    watch = LeaseWatch(60.0, clock)
    for _ in range(2):
        with writing(restored) as session:
            lease.expire(session, database_now(session), watch)
        clock.goes_on(1.0)
    assert job(restored, running).state == "queued"
    restored.dispose()


@pytest.mark.parametrize("version", ["ours", "before"])
def test_a_service_restored_below_another_path_serves_and_trains_on_the_same_models(
    database_url: str,
    tmp_path: Path,
    postgres: Postgres,
    make_adapter: Callable[..., Path],
    version: str,
) -> None:
    """M9: rows held absolute paths. Those that a version before wrote are read as well."""
    here, there = (
        Settings(data_dir=tmp_path / name, min_free_bytes=0, verifier_workers=1)
        for name in ("here", "there")
    )
    engine = make_engine(database_url)
    folder = publish_and_checkpoint(engine, Artifacts.of(here), make_adapter)
    if version == "before":
        with writing(engine) as session:
            session.execute(update(Adapter).values(place=None))
            session.execute(update(Checkpoint).values(place=None))
    before = answer(folder)
    engine.dispose()
    shutil.copytree(here.data_dir, there.data_dir)
    shutil.rmtree(here.data_dir)
    url = moved(database_url, there.data_dir, postgres)
    there = there.model_copy(update={"database_url": SecretStr(url)})
    restored, artifacts = make_engine(url), Artifacts.of(there)

    key = {"Authorization": f"Bearer {keys.create(restored, ['admin', 'train'])}"}
    with in_process(create_app(there), headers=key) as client:
        assert client.get("/models/im-kept").json()["available"] is True
        assert client.get("/models/im-kept/download").status_code == 200
        continued = {"method": "grpo", "start_from": "im-kept"}
        assert client.post("/jobs", json=continued).status_code == 201
    assert answer(artifacts.locate(catalog.adapter(restored, "im-kept").whereabouts)) == before
    held = lease.claim(restored, "w", "gpu", 60.0)
    assert held is not None
    trainer_job = assignment(restored, there, artifacts, held, artifacts.job(held.job_id))
    assert [(saved.path / "weights").read_bytes() for saved in trainer_job.checkpoints] == [b"w"]
    assert prune(restored, artifacts, None).leftovers == []
    restored.dispose()


def publish_and_checkpoint(
    engine: Engine, artifacts: Artifacts, make_adapter: Callable[..., Path]
) -> Path:
    """One job that has left an adapter, and one that waits with a checkpoint."""
    done, waiting = add_job(engine), add_job(engine)
    held = lease.claim(engine, "w", "gpu", 60.0)
    assert held is not None and held.job_id == done
    folder = make_adapter(artifacts.job(done) / "1", "im-kept", 3, quantization="none")
    manifest = read_manifest(folder).model_dump(mode="json")
    with lease.fenced(engine, held) as (session, row):
        row.base_model = BASE
        journal.publish_stage(session, row, 0, "sft", report({}, manifest, folder))
        transitions.finish(session, row, "succeeded")
    held = lease.claim(engine, "w", "gpu", 60.0)
    assert held is not None and held.job_id == waiting
    saved = artifacts.job(waiting) / "1" / "stage-0" / "checkpoint-4"
    saved.mkdir(parents=True)
    (saved / "weights").write_bytes(b"w")
    with lease.fenced(engine, held) as (session, row):
        journal.add_checkpoint(session, row, checkpoint(4, saved))
        transitions.requeue(session, row, WORKER_DRAINED)
    return folder


def moved(url: str, folder: Path, postgres: Postgres) -> str:
    """A copy of SQLite's file in the data folder, or a dump of the database restored beside it."""
    if url.startswith("sqlite"):
        copy = shutil.copy(url.removeprefix("sqlite:///"), folder)
        return f"sqlite:///{copy}"
    restored = postgres.new_database("template0")
    dump = subprocess.run(
        [postgres.programs / "pg_dump", "--format=custom", url], check=True, capture_output=True
    )
    command = [postgres.programs / "pg_restore", "--no-owner", f"--dbname={restored}"]
    subprocess.run(command, input=dump.stdout, check=True)
    return restored


def answer(folder: Path) -> list[int]:
    """What the adapter says, token by token."""
    served = InferenceEngine(BASE, "cpu")
    served.add_adapter("im-kept", folder)
    return served.generate([Request(prompt="a Dockerfile", model="im-kept", max_tokens=8)])[
        0
    ].tokens
