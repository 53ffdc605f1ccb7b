"""Every migration, up and down, on data, on both dialects."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

from app.db.migrate import SCRIPTS, downgrade, head, is_current, upgrade
from app.db.session import make_engine, writing
from app.db.tables import Base
from app.jobs import service
from app.main import create_app
from app.settings import Settings
from app.views import PageRequest
from tests.support.http import in_process

REVISIONS = [script.revision for script in ScriptDirectory(str(SCRIPTS)).walk_revisions()][::-1]
JOB = """INSERT INTO jobs (id, state, want, base_model, dataset, seed, spec, metadata,
created_at, attempts, infra_failures)
VALUES ('{id}', '{state}', 'run', 'inframind-nano', 'inframind-bench', 7, '[{{"stage": "sft"}}]',
'{{"team": "a"}}', 1.5, 3, 1)"""
EVENT = """INSERT INTO job_events (job_id, seq, at, fence, level, code, message, data)
VALUES ('{id}', 1, 1.5, 0, 'info', 'queued', 'the job was accepted', '{{}}')"""
KEPT = text("SELECT id, state, seed, metadata, created_at, attempts FROM jobs ORDER BY id")


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "postgresql":
        made = make_engine(request.getfixturevalue("postgres").new_database("template0"))
    else:
        made = make_engine(f"sqlite:///{tmp_path / 'inframind.db'}")
    yield made
    made.dispose()


def rows(engine: Engine) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(str(value) for value in row) for row in connection.execute(KEPT)]


def fill(engine: Engine) -> None:
    with engine.begin() as connection:
        for number, state in enumerate(("queued", "running", "succeeded")):
            connection.exec_driver_sql(JOB.format(id=f"job-{number}", state=state))
            connection.exec_driver_sql(EVENT.format(id=f"job-{number}"))


def test_every_step_up_and_down_keeps_the_jobs(empty: Engine) -> None:
    upgrade(empty, REVISIONS[0])
    fill(empty)
    before = rows(empty)
    assert len(before) == 3
    for revision in REVISIONS[1:]:
        upgrade(empty, revision)
        assert rows(empty) == before, revision
    for revision in REVISIONS[-2::-1]:
        downgrade(empty, revision)
        assert rows(empty) == before, revision
    upgrade(empty)
    assert rows(empty) == before
    downgrade(empty, "base")
    assert set(inspect(empty).get_table_names()) <= {"alembic_version"}


def test_the_migrations_make_what_the_code_declares(empty: Engine) -> None:
    upgrade(empty)
    with empty.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert context.get_current_revision() == head() == REVISIONS[-1]
        differences = compare_metadata(context, Base.metadata)
    # SQLite does not say that an index is descending.
    unsaid = ("jobs_claimable", "jobs_claimable_by_owner") if empty.dialect.name == "sqlite" else ()
    assert [difference for difference in differences if difference[1].name not in unsaid] == []


def test_a_migration_only_adds_so_that_workers_of_the_version_before_go_on(empty: Engine) -> None:
    """F24: a column that went, or a new one that must be given, would break those that still
    run."""
    upgrade(empty, REVISIONS[0])
    for revision in REVISIONS[1:]:
        before = columns(empty)
        upgrade(empty, revision)
        after = columns(empty)
        assert before.keys() <= after.keys(), (
            f"{revision} takes {before.keys() - after.keys()} away"
        )
        known = {table for table, _ in before}
        for key in after.keys() - before.keys():
            table, _ = key
            assert table not in known or after[key], f"{revision}: {key} has no default"


def columns(engine: Engine) -> dict[tuple[str, str], bool]:
    """(table, column) -> whether a row may be written without it."""
    looked = inspect(engine)
    return {
        (table, column["name"]): column["nullable"] or column["default"] is not None
        for table in looked.get_table_names()
        for column in looked.get_columns(table)
    }


def test_a_job_in_flight_keeps_its_count_of_failures(empty: Engine) -> None:
    upgrade(empty, "0002")
    fill(empty)
    upgrade(empty, "0003")
    with empty.connect() as connection:
        counted = dict(
            tuple(row) for row in connection.execute(text("SELECT state, failures FROM jobs"))
        )
    assert counted == {"queued": 2, "running": 2, "succeeded": 0}


def test_the_migrations_go_up_and_down_on_data(settings: Settings) -> None:
    engine = make_engine(settings.url)
    with in_process(create_app(settings)) as connected:
        connected.post("/jobs", json={"method": "dapo", "base_model": "inframind-nano"})
    downgrade(engine, "base")
    assert not is_current(engine)
    upgrade(engine)
    assert is_current(engine)
    assert service.list_jobs(engine, PageRequest()).data == []
    with writing(engine) as session:
        assert session.connection().exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
