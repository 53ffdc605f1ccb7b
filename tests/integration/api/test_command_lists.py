"""The command's lists against a service with more rows than its largest page."""

from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli.client import rows_of
from app.cli.main import app as command
from app.db.session import make_engine, writing
from app.db.tables import Adapter, Dataset, Job
from app.main import create_app
from app.settings import Settings
from app.views import MAX_LIMIT
from inframind.models.registry import BASE_MODELS
from tests.support.http import listening

ROWS = MAX_LIMIT + 5
JOB = "0198f3c2-a7b4-7c31-9f00-00000000{:04d}"


@pytest.fixture
def service(settings: Settings) -> Iterator[str]:
    """The address of a service with so many datasets, jobs and adapters."""
    engine = make_engine(settings.url)
    counts: dict[str, Any] = {"tasks": {}, "categories": {}, "duplicates": 0, "derived": 0}
    job: dict[str, Any] = {"state": "succeeded", "base_model": "inframind-nano", "dataset": "d"}
    fields: dict[str, Any] = {"seed": 0, "stages": [], "meta": {}, "metrics": {}, "created_at": 0}
    with writing(engine) as session:
        for n in range(ROWS):
            session.add(
                Dataset(id=f"ds-{n:032x}", owner="", unchecked=0, created_at=float(n), **counts)
            )
            session.add(Job(id=JOB.format(n), **job, **fields))
        session.flush()
        for n in range(ROWS):
            session.add(
                Adapter(
                    id=f"im-{n}",
                    job_id=JOB.format(n),
                    stage_index=0,
                    stage="sft",
                    base_model="inframind-nano",
                    path="",
                    manifest={},
                    created_at=0.0,
                )
            )
    engine.dispose()
    with listening(create_app(settings)) as url:
        yield url


def test_a_list_has_every_row_once_and_no_more_than_are_wanted(service: str) -> None:
    wanted = {"/datasets": ROWS, "/jobs": ROWS, "/models": ROWS + len(BASE_MODELS)}
    for path, number in wanted.items():
        ids = [row["id"] for row in rows_of(service, path)]
        assert len(ids) == len(set(ids)) == number, path
    for most in (1, MAX_LIMIT, MAX_LIMIT + 2):
        assert len(list(rows_of(service, "/jobs", most))) == most
    for noun, last in (("datasets", f"ds-{0:032x}"), ("models", f"im-{ROWS - 1}")):
        shown = CliRunner().invoke(command, [noun, "list", "--url", service])
        assert shown.exit_code == 0 and last in shown.stdout
