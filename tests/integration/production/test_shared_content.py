"""Files, datasets and adapters that several owners have: nobody's delete, equal upload or failed
store takes or damages another's."""

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import Engine, select, text

from app.artifacts import Artifacts
from app.catalog import names
from app.catalog import service as catalog
from app.catalog.retention import prune
from app.datasets import files
from app.datasets import service as datasets
from app.db.ownership import acting
from app.db.session import reading, writing
from app.db.tables import Alias, Dataset, File, Job
from app.errors import ConflictError, NotFoundError, StoreError
from app.jobs import journal, lease, transitions
from app.settings import Settings
from inframind.datasets.rows import Reading, read
from inframind.datasets.store import load
from inframind.models.adapter import AdapterManifest, verify_adapter
from inframind.verifier.verifier import Verifier
from tests.support.failing_store import PROTOCOL, register, switch
from tests.support.fleet import add_job, job
from tests.support.object_store import BUCKET
from tests.support.reports import manifest as manifest_of
from tests.support.reports import report
from tests.support.stand_in_trainer import MODULE
from tests.support.waiting import HANG_SECONDS, until
from workers import ledger
from workers.supervisor import Supervisor

ROWS = b"".join(
    json.dumps({"instruction": f"From debian:{n}.", "output": f"FROM debian:{n}\n"}).encode()
    + b"\n"
    for n in range(3)
)
ROUNDS = 60
UNUSED = cast(Verifier, None)


@pytest.fixture(scope="module")
def proven() -> Reading:
    """What the verifier makes of the rows."""
    with Verifier(1) as verifier:
        return read(ROWS, verifier)


@pytest.fixture(autouse=True)
def fast_proofs(proven: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes every upload for proven, which costs a second, so that races have many rounds."""

    def read_at_once(body: bytes, *_: object) -> Reading:
        text = body.decode()
        tasks = [task.model_copy(update={"input": text}) for task in proven.tasks]
        return replace(proven, tasks=tasks)

    monkeypatch.setattr(datasets, "read", read_at_once)


@pytest.fixture(params=["folder", "s3"])
def artifacts(request: pytest.FixtureRequest, tmp_path: Path) -> Artifacts:
    """The artifacts of a host: a folder, or one before an object store."""
    folder = tmp_path / "artifacts"
    if request.param == "folder":
        return Artifacts(folder)
    request.getfixturevalue("store_server")
    return Artifacts(folder, f"s3://{BUCKET}/{tmp_path.name}")


@contextmanager
def owner(name: str) -> Iterator[None]:
    token = acting.set(replace(acting.get(), owner=name, sees_all=False))
    try:
        yield
    finally:
        acting.reset(token)


def both(*work: Callable[[], object]) -> None:
    """Does several things at the same moment; raises what one of them raises."""
    start = threading.Barrier(len(work))

    def run(one: Callable[[], object]) -> None:
        start.wait()
        one()

    with ThreadPoolExecutor(len(work)) as pool:
        for done in [pool.submit(run, one) for one in work]:
            done.result()


def upload(engine: Engine, artifacts: Artifacts, rows: bytes = ROWS) -> str:
    return files.add(engine, UNUSED, artifacts, rows, "rows.jsonl", "fine-tune").id


def content(engine: Engine, artifacts: Artifacts, identity: str) -> bytes:
    with files.content(engine, artifacts, identity) as opened:
        return opened.read()


def test_no_owners_delete_loses_anothers_equal_file(engine: Engine, artifacts: Artifacts) -> None:
    """M1: 25 of 278 files were lost to a delete between the write of the bytes and of the row."""

    def upload_and_delete() -> None:
        with owner("b"):
            for _ in range(ROUNDS):
                files.delete(engine, artifacts, upload(engine, artifacts))

    def upload_and_read() -> None:
        with owner("a"):
            for _ in range(ROUNDS):
                mine = upload(engine, artifacts)
                assert content(engine, artifacts, mine) == ROWS

    both(upload_and_delete, upload_and_read)


def test_equal_uploads_at_the_same_moment_are_all_taken(
    engine: Engine, artifacts: Artifacts
) -> None:
    """M2, of one owner: PostgreSQL refused the second row of the same dataset, too."""

    def add(rows: bytes) -> None:
        with owner("a"):
            datasets.add(engine, UNUSED, artifacts, rows, None)

    for n in range(10):
        both(*[lambda n=n: add(b"%d\n" % n)] * 4)  # type: ignore[misc]
    with reading(engine) as session:
        stored = list(session.scalars(select(Dataset.id)))
    assert len(stored) == 10
    for name in stored:
        assert load(artifacts.dataset(name), "train")
    # The rows and their counts, and nothing that is half written.
    assert {path.suffix for path in artifacts.datasets.iterdir()} == {".jsonl", ".json"}


def test_an_alias_is_set_twice_at_the_same_moment(engine: Engine) -> None:
    def set_it(name: str) -> None:
        with owner("a"):
            names.set_alias(engine, name, "inframind-nano")

    for n in range(10):
        both(*[lambda n=n: set_it(f"live-{n}")] * 4)  # type: ignore[misc]
    with reading(engine) as session:
        assert len(session.scalars(select(Alias.name)).all()) == 10


def test_a_file_can_be_read_to_its_end_while_it_is_deleted(
    engine: Engine, artifacts: Artifacts
) -> None:
    identity = upload(engine, artifacts)
    with files.content(engine, artifacts, identity) as opened:
        files.delete(engine, artifacts, identity)
        assert opened.read() == ROWS
    with pytest.raises(NotFoundError):
        files.content(engine, artifacts, identity)
    assert not artifacts.has(artifacts.upload(identity))


def test_a_file_of_the_version_before_is_read_and_pruned_with_its_last_row(
    engine: Engine, artifacts: Artifacts
) -> None:
    """It lies under its digest, for all who uploaded the same."""
    first, second = (upload(engine, artifacts) for _ in range(2))
    with reading(engine) as session:
        digest = session.get_one(File, first).sha256
    old = artifacts.upload(digest)
    old.write_bytes(ROWS)
    artifacts.push(old)
    for identity in (first, second):
        artifacts.remove(artifacts.upload(identity))
    assert content(engine, artifacts, second) == ROWS
    files.delete(engine, artifacts, first)
    assert content(engine, artifacts, second) == ROWS
    with aged(artifacts):
        assert prune(engine, artifacts, None).leftovers == []
        files.delete(engine, artifacts, second)
        assert prune(engine, artifacts, None).leftovers == [f"files/{digest}.jsonl"]
    assert not artifacts.has(old)


def test_what_a_killed_upload_left_goes_when_it_is_old_and_nothing_else(
    engine: Engine, artifacts: Artifacts
) -> None:
    identity = upload(engine, artifacts)
    left = [
        artifacts.uploads / f"file-{'0' * 24}.jsonl",
        artifacts.uploads / f".file-{'1' * 24}.jsonl.abc.tmp",
        artifacts.datasets / ".ds-1.jsonl.abc.tmp",
        artifacts.folder / "job" / "1" / ".im-x.abc.tmp",
    ]
    for path in left:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
        artifacts.push(path)
    assert prune(engine, artifacts, None).leftovers == []
    with aged(artifacts):
        gone = prune(engine, artifacts, None).leftovers
    assert not any(artifacts.has(path) for path in left)
    assert {artifacts.folder / name for name in gone} == {*left[:3], artifacts.folder / "job" / "1"}
    assert content(engine, artifacts, identity) == ROWS


@contextmanager
def aged(artifacts: Artifacts) -> Iterator[None]:
    """Makes everything there look older than the grace of leftovers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(artifacts, "age", lambda _: 90_000.0)
        yield


@pytest.fixture
def failing(tmp_path: Path) -> Artifacts:
    """A host whose store can be made to fail half way through each upload."""
    register()
    store = tmp_path / "store"
    store.mkdir()
    return Artifacts(tmp_path / "artifacts", f"{PROTOCOL}://{store}")


def test_a_store_that_fails_half_way_leaves_no_row_no_half_file_and_others_whole(
    engine: Engine, failing: Artifacts, tmp_path: Path
) -> None:
    with owner("a"):
        first = upload(engine, failing)
    before = contents(tmp_path / "store")
    switch(tmp_path / "store").touch()
    other = ROWS.replace(b"debian", b"alpine")
    with owner("b"):
        for rows in (ROWS, other):
            with pytest.raises(StoreError):
                upload(engine, failing, rows)
        with pytest.raises(StoreError):
            datasets.add(engine, UNUSED, failing, other, None)
    with reading(engine) as session:
        assert session.scalars(select(File.id)).all() == [first]
        assert len(session.scalars(select(Dataset.id)).all()) == 1
    assert contents(tmp_path / "store") == before
    assert [path.stem for path in failing.uploads.iterdir()] == [first]
    switch(tmp_path / "store").unlink()
    shutil.rmtree(failing.folder)
    assert content(engine, failing, first) == ROWS
    with owner("b"):
        again = upload(engine, failing, other)
        assert content(engine, failing, again) == other


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_an_adapter_is_pulled_by_several_at_the_same_moment(
    failing: Artifacts, make_adapter: Callable[..., Path]
) -> None:
    """The api and a worker of one host: the second to finish met a folder that was not empty."""
    folder = make_adapter(failing.job("job") / "1", "im-x", 1)
    failing.push(folder)
    for _ in range(20):
        shutil.rmtree(folder)
        both(*[lambda: failing.pull(folder)] * 4)
        assert verify_adapter(folder).id == "im-x"
    assert not list(folder.parent.glob(".*"))


def trained(engine: Engine, name: str) -> None:
    add_job(engine)
    held = lease.claim(engine, "w", name, 60.0)
    assert held is not None
    with lease.fenced(engine, held) as (session, row):
        journal.publish_stage(session, row, 0, "sft", report({}, manifest_of(name), "/nowhere"))
        transitions.finish(session, row, "succeeded")


def test_a_delete_waits_for_whoever_is_about_to_name_the_adapter(
    engine: Engine, tmp_path: Path
) -> None:
    """PostgreSQL let both commit: each had looked before the other's row was there."""
    trained(engine, "im-wanted")
    artifacts = Artifacts(tmp_path)
    with ThreadPoolExecutor(1) as pool:
        with writing(engine) as session:
            assert names.hold(session, ["im-wanted"]) == {"im-wanted"}
            assert prune_waits_not(engine, artifacts)
            deletion = pool.submit(catalog.delete, engine, artifacts, "im-wanted")
            if engine.dialect.name == "postgresql":
                until(lambda: waiting(engine) or deletion.done())
            session.add(
                Alias(name="live", owner="", model="im-wanted", previous=None, updated_at=1.0)
            )
        with pytest.raises(ConflictError, match="live"):
            deletion.result()


def prune_waits_not(engine: Engine, artifacts: Artifacts) -> bool:
    """Retention passes by an adapter that is being named. SQLite's writers wait for one another."""
    return engine.dialect.name == "sqlite" or prune(engine, artifacts, 0.0).adapters == []


def waiting(engine: Engine) -> bool:
    query = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    with engine.connect() as connection:
        return bool(connection.execute(query).scalar_one())


def test_an_adapter_is_hashed_in_no_transaction(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L5: gigabytes are read meanwhile, and PostgreSQL ends a session that idles in one."""
    job_id = add_job(engine)
    checked: list[str] = []

    def check(folder: Path) -> AdapterManifest:
        with writing(engine) as session:
            # SQLite lets in one writer; PostgreSQL refuses a row that another one holds.
            query = select(Job.id).where(Job.id == job_id).with_for_update(nowait=True)
            checked.append(session.execute(query).scalar_one())
        return verify_adapter(folder)

    monkeypatch.setattr(ledger, "verify_adapter", check)
    settings = Settings(data_dir=tmp_path, min_free_bytes=0, lease_seconds=HANG_SECONDS)
    Supervisor(engine, settings, "device", trainer=MODULE).run_waiting()
    assert (job(engine, job_id).state, checked) == ("succeeded", [job_id])
