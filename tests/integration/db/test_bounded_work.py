"""Deleting and listing read no more while thousands of jobs wait."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, event, insert, select, update

from app.artifacts import Artifacts
from app.catalog import service as catalog
from app.catalog.retention import prune
from app.datasets import files
from app.db.session import reading, writing
from app.db.tables import Adapter, Job
from app.errors import ConflictError
from app.fine_tuning import service as fine_tuning
from app.jobs import service as jobs
from app.jobs.spec import JobSpec
from app.views import PageRequest
from tests.support.fleet import submit
from tests.support.statements import plan, statements

MANY = 5_000


def fill(engine: Engine, count: int) -> str:
    """Jobs that wait, as the front desk makes them, and a model of one that has ended."""
    first = submit(engine, JobSpec.model_validate({"method": "dapo"})).id
    with engine.begin() as connection:
        row = dict(connection.execute(select(Job.__table__)).mappings().one())
        connection.execute(
            insert(Job.__table__),
            [{**row, "id": f"{i:08x}-0000-7000-8000-000000000000"} for i in range(count)],
        )
        connection.execute(update(Job).where(Job.id == first).values(state="succeeded"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    return first


def add_adapter(engine: Engine, job_id: str, name: str, folder: Path) -> None:
    with writing(engine) as session:
        session.add(
            Adapter(
                id=name,
                job_id=job_id,
                stage="sft",
                stage_index=0,
                base_model="inframind-nano",
                parent=None,
                path=str(folder / name),
                manifest={"lora": {"r": 8}},
                created_at=1.0,
            )
        )


@pytest.mark.parametrize("count", [1, MANY])
def test_a_delete_asks_as_much_of_the_database_however_many_jobs_wait(
    engine: Engine, tmp_path: Path, count: int
) -> None:
    """A bug: a question for each job that waits, 3.5 s of a transaction that writes."""
    job_id = fill(engine, count)
    add_adapter(engine, job_id, "im-gone", tmp_path)
    read: list[int] = []

    def note(context: object, row: object) -> None:
        read.append(1)

    event.listen(Job, "load", note)
    with statements(engine) as sent:
        assert catalog.delete(engine, Artifacts(tmp_path), "im-gone") == "im-gone"
        assert prune(engine, Artifacts(tmp_path), 30.0).adapters == []
    event.remove(Job, "load", note)
    assert len(sent) < 25, sent
    assert not read, "jobs are counted on, not read"


def test_what_waiting_jobs_need_is_found_by_indexes(engine: Engine, tmp_path: Path) -> None:
    job_id = fill(engine, MANY)
    for name in ("im-started", "im-asked", "im-earlier"):
        add_adapter(engine, job_id, name, tmp_path)
        (tmp_path / name).mkdir()
    begun = {"method": "grpo", "start_from": "im-started"}
    with statements(engine) as sent, reading(engine) as session:
        catalog.in_use(session, "im-no-such")
    plans = [plan(engine, statement) for statement in sent if "FROM" in statement.text]
    assert len(plans) == 5
    for found in plans:
        assert "SCAN jobs\n" not in f"{found}\n" and "Seq Scan on jobs" not in found, found
    assert any("jobs_naming_models" in found for found in plans), plans
    starting = submit(engine, JobSpec.model_validate(begun)).id
    asking = submit(engine, JobSpec.model_validate({"method": "evaluate", "models": ["im-asked"]}))
    earlier = submit(
        engine, JobSpec.model_validate({"method": "evaluate", "models": ["im-earlier"]})
    )
    with writing(engine) as session:
        # As the version before has made it.
        session.get_one(Job, earlier.id).names_models = None
        assert session.get_one(Job, asking.id).names_models is True
        assert session.get_one(Job, starting).names_models is False
    for name, needed_by in (
        ("im-started", starting),
        ("im-asked", asking.id),
        ("im-earlier", earlier.id),
    ):
        with pytest.raises(ConflictError, match=needed_by):
            catalog.delete(engine, Artifacts(tmp_path), name)
    with reading(engine) as session:
        assert set(catalog.in_use(session)) == {"im-started", "im-asked", "im-earlier"}


def test_pages_are_read_in_the_order_of_an_index(engine: Engine) -> None:
    fill(engine, MANY)
    page = PageRequest(20)
    with statements(engine) as sent:
        jobs.list_jobs(engine, page)
        fine_tuning.list_jobs(engine, page, {f"key-{i}": "v" for i in range(16)})
        files.list_files(engine, page)
    assert len(sent) < 10, sent
    of_lists = [statement for statement in sent if "stage_results" not in statement.text]
    plans = [plan(engine, statement) for statement in of_lists if "FROM" in statement.text]
    assert len(plans) == 3
    for found in plans:
        assert "TEMP B-TREE" not in found and "Seq Scan on jobs" not in found, found
