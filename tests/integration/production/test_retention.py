"""What goes and what stays, on real databases and folders."""

import os
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from app.artifacts import Artifacts
from app.catalog import names
from app.catalog.retention import prune
from app.db.session import reading, writing
from app.db.tables import Adapter, Checkpoint, IdempotencyKey
from app.jobs import journal, lease, transitions
from app.jobs.spec import JobSpec
from tests.support.fleet import add_job, desk, submit
from tests.support.reports import checkpoint, report
from tests.support.reports import manifest as manifest_of

LONG_AGO = 1_000_000.0


def trained(
    engine: Engine, artifacts: Path, name: str, *, end: bool = True, parent: str | None = None
) -> str:
    """A job with one adapter and three checkpoints, all made long ago."""
    job_id = add_job(engine)
    held = lease.claim(engine, "w", name, 60.0)
    assert held is not None and held.job_id == job_id
    folder = artifacts / job_id / str(held.fence)
    (folder / name).mkdir(parents=True)
    with lease.fenced(engine, held) as (session, job):
        journal.start_stage(session, job, 0, "sft", 12)
        for step in (4, 8, 12):
            path = folder / "stage-0" / f"checkpoint-{step}"
            path.mkdir(parents=True)
            journal.add_checkpoint(session, job, checkpoint(step, path))
        adapter_manifest = manifest_of(name, parent)
        journal.publish_stage(session, job, 0, "sft", report({}, adapter_manifest, folder / name))
        if end:
            transitions.finish(session, job, "succeeded")
    with writing(engine) as session:
        session.execute(update(Adapter).values(created_at=LONG_AGO))
    return job_id


def count(engine: Engine, table: type[Adapter] | type[Checkpoint] | type[IdempotencyKey]) -> int:
    with reading(engine) as session:
        return session.query(table).count()


def test_old_adapters_go_but_none_that_is_needed(engine: Engine, tmp_path: Path) -> None:
    for name in ("im-old", "im-aliased", "im-parent"):
        trained(engine, tmp_path, name)
    trained(engine, tmp_path, "im-child", parent="im-parent")
    running = trained(engine, tmp_path, "im-running", end=False)
    names.set_alias(engine, "live", "im-aliased")
    assert prune(engine, Artifacts(tmp_path), None).adapters == []
    foreseen = prune(engine, Artifacts(tmp_path), 30.0, dry_run=True)
    assert count(engine, Adapter) == 5
    done = prune(engine, Artifacts(tmp_path), 30.0)
    assert sorted(done.adapters) == sorted(foreseen.adapters) == ["im-child", "im-old"]
    assert {path.name for path in tmp_path.glob("*/*/im-*")} == {
        "im-aliased",
        "im-parent",
        "im-running",
    }
    desk(engine).cancel(running)
    assert prune(engine, Artifacts(tmp_path), 30.0).adapters == ["im-parent"]
    names.remove_alias(engine, "live")
    assert prune(engine, Artifacts(tmp_path), 1e6).adapters == []
    assert prune(engine, Artifacts(tmp_path), 30.0).adapters == ["im-aliased"]


def test_an_adapter_that_a_waiting_job_continues_stays(engine: Engine, tmp_path: Path) -> None:
    trained(engine, tmp_path / "artifacts", "im-base")
    with writing(engine) as session:
        session.execute(update(Adapter).values(base_model="inframind-nano"))
    spec = JobSpec.model_validate({"method": "grpo", "start_from": "im-base"})
    waiting = submit(engine, spec, data_dir=tmp_path)
    desk(engine).pause(waiting.id)
    assert prune(engine, Artifacts(tmp_path), 30.0).adapters == []
    desk(engine).cancel(waiting.id)
    assert prune(engine, Artifacts(tmp_path), 30.0).adapters == ["im-base"]


def test_two_checkpoints_of_a_job_that_may_go_on_stay(engine: Engine, tmp_path: Path) -> None:
    trained(engine, tmp_path, "im-done")
    running = trained(engine, tmp_path, "im-running", end=False)
    assert prune(engine, Artifacts(tmp_path), None).checkpoints == 4
    assert sorted(path.name for path in tmp_path.glob(f"{running}/*/stage-0/*")) == [
        "checkpoint-12",
        "checkpoint-8",
    ]
    assert len(list(tmp_path.glob("*/*/stage-0/*"))) == 2 and count(engine, Checkpoint) == 2


@pytest.mark.parametrize("old", [True, False])
def test_folders_that_no_row_names_go_when_they_are_old(
    engine: Engine, tmp_path: Path, old: bool
) -> None:
    done, running = (
        trained(engine, tmp_path, "im-done"),
        trained(engine, tmp_path, "im-running", end=False),
    )
    lost = [tmp_path / done / "7", tmp_path / "00000000-0000-7000-8000-000000000000" / "1"]
    for folder in lost:
        folder.mkdir(parents=True)
    (tmp_path / "datasets").mkdir()
    for folder in [*tmp_path.glob("*/*"), tmp_path / running / "1"] if old else ():
        os.utime(folder, (LONG_AGO, LONG_AGO))
    gone = prune(engine, Artifacts(tmp_path), None).leftovers
    assert sorted(gone) == (
        sorted(str(folder.relative_to(tmp_path)) for folder in lost) if old else []
    )
    assert (tmp_path / done / "1" / "im-done").is_dir() and (tmp_path / running / "1").is_dir()


def test_idempotency_keys_are_kept_for_a_day(engine: Engine, tmp_path: Path) -> None:
    spec = JobSpec.model_validate({"method": "sft"})
    for key in ("old", "new"):
        submit(engine, spec, key=key)
    with writing(engine) as session:
        session.execute(
            update(IdempotencyKey).where(IdempotencyKey.key == "old").values(created_at=LONG_AGO)
        )
    assert prune(engine, Artifacts(tmp_path), None).keys == 1
    assert count(engine, IdempotencyKey) == 1
