"""Backup and restore as docs/production/backup.md says: dump, artifacts, and the same answers from
the restored model.
"""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from app.artifacts import Artifacts
from app.catalog import service as catalog
from app.db.migrate import is_current, upgrade
from app.db.session import database_now, make_engine, writing
from app.jobs import journal, lease, transitions
from app.jobs.silence import LeaseWatch
from inframind.generation.engine import Engine
from inframind.generation.request import Request
from inframind.models.adapter import read_manifest
from tests.support.clocks import ManualClock
from tests.support.fleet import add_job, job
from tests.support.inference_servers import BASE
from tests.support.reports import report
from tests.support.servers import Postgres


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
    folder = make_adapter(artifacts, "im-kept", 3)
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
    assert Artifacts(artifacts).has(Path(known.path)) and answer(Path(known.path)) == before
    clock = ManualClock()
    watch = LeaseWatch(60.0, clock)
    for _ in range(2):
        with writing(restored) as session:
            lease.expire(session, database_now(session), watch)
        clock.goes_on(1.0)
    assert job(restored, running).state == "queued"
    restored.dispose()


def answer(folder: Path) -> list[int]:
    """What the adapter says, token by token."""
    served = Engine(BASE, "cpu")
    served.add_adapter("im-kept", folder)
    return served.generate([Request(prompt="a Dockerfile", model="im-kept", max_tokens=8)])[
        0
    ].tokens
