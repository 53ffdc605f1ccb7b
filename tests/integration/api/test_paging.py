"""Every list route pages alike: the routes come from the application, a new one too."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from app.db.migrate import upgrade
from app.db.session import make_engine, writing
from app.db.tables import (
    Adapter,
    Alias,
    Base,
    Dataset,
    File,
    Job,
    JobEvent,
    JobMetric,
    StageResult,
)
from app.main import create_app
from app.settings import Settings
from app.views import DEFAULT_LIMIT, MAX_LIMIT
from inframind.datasets.store import name_of, save
from inframind.types import Task
from tests.support.http import in_process

ROWS = 40
TASKS = [
    Task(
        id=f"own/{n}",
        category="dockerfile",
        family="own/dockerfile",
        instruction=f"From debian:{n}.",
        reference=f"FROM debian:{n}\n",
        difficulty=1,
        split="train",
    )
    for n in range(ROWS)
]
JOB = "0198f3c2-a7b4-7c31-9f00-0000000000{:02d}"
UNPAGED = {"/v1/models": "OpenAI's list of models has no pages", "/models/compare": "16 at most"}
LOADED = 8
"""Rows that a page of two may load: three of the list, and those its route reads beside them."""


def list_routes(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The GET routes that answer with a list in `data` -> their operations."""
    found = {}
    for path, operations in document["paths"].items():
        answer = operations.get("get", {}).get("responses", {}).get("200", {})
        example = answer.get("content", {}).get("application/json", {}).get("example", {})
        if isinstance(example, dict) and isinstance(example.get("data"), list):
            found[path] = operations["get"]
    return found


ROUTES = list_routes(create_app(Settings()).openapi())
PAGED = sorted(set(ROUTES) - set(UNPAGED))


def fill(session: Session) -> None:
    """Puts more rows into every table than a page has; ties in time are common."""
    fine_tuning = {
        "method": "supervised",
        "hyperparameters": {},
        "suffix": None,
        "training_file": "file-0",
        "validation_file": None,
    }
    stages = [{"stage": "sft", "max_steps": 3}] * ROWS
    counts: dict[str, Any] = {"tasks": {}, "categories": {}, "duplicates": 0, "derived": 0}
    for n in range(ROWS):
        session.add(
            Job(
                id=JOB.format(n),
                state="succeeded",
                base_model="inframind-nano",
                dataset="d",
                seed=0,
                stages=stages,
                meta={},
                created_at=n // 4,
                metrics={},
                fine_tuning=fine_tuning,
            )
        )
        session.add(
            Dataset(
                id=f"ds-{n:032x}" if n else name_of(TASKS),
                owner="",
                name=None,
                unchecked=0,
                created_at=n // 4,
                **counts,
            )
        )
        session.add(
            File(
                id=f"file-{n:024x}",
                filename="f",
                purpose="fine-tune",
                bytes=1,
                sha256="",
                dataset="d",
                created_at=n // 4,
            )
        )
        session.add(
            Alias(name=f"name-{n}", owner="", model=f"im-{n}", previous=None, updated_at=0.0)
        )
    session.flush()
    for n in range(ROWS):
        own = {"job_id": JOB.format(0), "stage_index": n}
        session.add(
            JobEvent(
                job_id=own["job_id"],
                seq=n + 1,
                at=0.0,
                fence=0,
                level="info",
                code="c",
                message="m",
                data={},
            )
        )
        for step in (1, 2):
            session.add(JobMetric(**own, step=step, stage="sft", at=0.0, values={}))
        if n % 4 == 0:
            # Of the one job, so that its view reads few results.
            adapter = f"im-{n}"
            session.add(
                Adapter(
                    id=adapter,
                    **own,
                    stage="sft",
                    base_model="inframind-nano",
                    path="",
                    manifest={},
                    created_at=0.0,
                )
            )
            session.add(
                StageResult(
                    **own,
                    stage="sft",
                    adapter_id=adapter,
                    train_seconds=0.0,
                    metrics={},
                    finished_at=0.0,
                )
            )


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, TestClient]]:
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("service"),
        inference_url="http://127.0.0.1:9",
        verifier_workers=1,
    )
    made = make_engine(settings.url)
    upgrade(made)
    with writing(made) as session:
        fill(session)
    made.dispose()
    save(TASKS, settings.artifacts / "datasets")
    with in_process(create_app(settings)) as connected:
        yield connected.app.state.engine, connected  # type: ignore[attr-defined]  # our application


@pytest.fixture
def reader(filled: tuple[Engine, TestClient]) -> TestClient:
    return filled[1]


def url(path: str) -> str:
    return path.format(
        job_id=JOB.format(0), fine_tuning_job_id=f"ftjob-{JOB.format(0)}", dataset_id=name_of(TASKS)
    )


def identity(row: dict[str, Any]) -> str:
    """A row's id, as `after` takes it."""
    if "values" in row:
        return f"{row['stage_index']}-{row['step']}"
    return str(row.get("id", row.get("seq", row.get("name"))))


def check_refusal(reader: TestClient, path: str, param: str, value: object) -> str:
    answer = reader.get(url(path), params={param: value})
    error = answer.json()["error"]
    assert answer.status_code == (400 if path.startswith("/v1/") else 422), answer.text
    assert (error["code"], error["param"]) == ("invalid_request", param)
    return str(error["message"])


def test_all_list_routes_are_found() -> None:
    assert set(UNPAGED) < set(ROUTES) and len(PAGED) >= 9


@pytest.mark.parametrize("path", PAGED)
def test_every_list_takes_the_same_parameters(path: str) -> None:
    taken = {one["name"]: one["schema"] for one in ROUTES[path]["parameters"]}
    limit = taken["limit"]
    assert (limit["minimum"], limit["maximum"], limit["default"]) == (1, MAX_LIMIT, DEFAULT_LIMIT)
    assert {option["type"] for option in taken["after"]["anyOf"]} == {"string", "null"}
    assert set(ROUTES[path]["responses"]["200"]["content"]["application/json"]["example"]) == {
        "object",
        "data",
        "first_id",
        "last_id",
        "has_more",
    }


@pytest.mark.parametrize("path", PAGED)
@pytest.mark.parametrize("after", ["no-such-row", "", "'--", "é", "1" * 40, "im-9999"])
def test_a_row_that_is_not_there_begins_no_page(reader: TestClient, path: str, after: str) -> None:
    assert "`last_id`" in check_refusal(reader, path, "after", after)


@pytest.mark.parametrize("path", PAGED)
@pytest.mark.parametrize("limit", [0, -1, MAX_LIMIT + 1, "many"])
def test_a_page_has_bounds(reader: TestClient, path: str, limit: object) -> None:
    check_refusal(reader, path, "limit", limit)


@pytest.mark.parametrize("path", PAGED)
@pytest.mark.parametrize("limit", [1, 7])
def test_pages_together_are_the_list(reader: TestClient, path: str, limit: int) -> None:
    whole = reader.get(url(path), params={"limit": MAX_LIMIT}).json()
    assert whole["has_more"] is False and len(whole["data"]) > 7
    rows: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    while True:
        page = reader.get(url(path), params={"limit": limit, **after}).json()
        assert 0 < len(page["data"]) <= limit
        ends = (identity(page["data"][0]), identity(page["data"][-1]))
        assert (page["first_id"], page["last_id"]) == ends
        rows += page["data"]
        after = {"after": page["last_id"]}
        if not page["has_more"]:
            break
        assert len(page["data"]) == limit
    assert rows == whole["data"] and len({identity(row) for row in rows}) == len(rows)


@pytest.mark.parametrize("path", PAGED)
def test_the_database_is_asked_for_one_page(
    filled: tuple[Engine, TestClient], reader: TestClient, path: str
) -> None:
    loaded: list[object] = []

    def count(row: object, _: object) -> None:
        loaded.append(row)

    event.listen(Base, "load", count, propagate=True)
    try:
        first = reader.get(url(path), params={"limit": 2}).json()
        reader.get(url(path), params={"limit": 2, "after": first["last_id"]})
    finally:
        event.remove(Base, "load", count)
    assert len(loaded) <= 2 * LOADED + ROWS // 4, [type(row).__name__ for row in loaded]
