"""Errors that every route shares, and readiness."""

import io
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event
from sqlalchemy.exc import DataError, OperationalError
from starlette import formparsers

from app.artifacts import Artifacts
from app.catalog import service as catalog
from app.datasets import files
from app.datasets import service as datasets
from app.db.session import is_database_full
from inframind.errors import is_disk_full
from tests.support.guarded import DAPO


def test_a_body_that_is_no_json_or_too_large_is_refused(client: TestClient) -> None:
    assert (
        client.post("/jobs", content=b"{", headers={"content-type": "application/json"}).status_code
        == 422
    )
    as_json = {"content-type": "application/json"}
    for content in (b"x" * 1_100_000, (b"x" * 100_000 for _ in range(12))):
        assert client.post("/verify", content=content, headers=as_json).status_code == 413


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_a_body_that_is_not_called_json_is_told_which_header_to_send(
    client: TestClient, kind: str
) -> None:
    for path in ("/jobs", "/v1/fine_tuning/jobs"):
        answer = client.post(path, content=b'{"method": "sft"}', headers={"content-type": kind})
        assert 400 <= answer.status_code < 500 and "application/json" in answer.text


def test_a_form_is_refused_in_its_own_words(client: TestClient) -> None:
    part = b'--X\r\nContent-Disposition: form-data; name="z"\r\n\r\n1\r\n'
    for kind, content, words in (
        ("multipart/form-data", b"x", "boundary"),
        ("multipart/form-data; boundary=X", part * 2000 + b"--X--\r\n", "1000"),
    ):
        answer = client.post("/v1/files", content=content, headers={"content-type": kind})
        assert answer.status_code == 400 and words in answer.json()["error"]["message"]


def test_what_no_column_holds_is_refused_by_the_last_net(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A door that let something by: the database's own error is the request's fault."""
    lone = UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")
    for error in (OverflowError(), lone, DataError("INSERT", {}, ValueError())):

        def refuse(*_: Any, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(catalog, "list_models", refuse)
        answer = client.get("/models")
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid_request")


def test_an_unknown_model_is_404(client: TestClient) -> None:
    assert (
        client.post("/generate", json={"instruction": "a", "model": "im-none"}).status_code == 404
    )
    assert client.get("/models/im-none").status_code == 404
    assert client.get("/jobs/none").json()["error"]["code"] == "not_found"
    assert client.get("/nowhere").json()["error"]["code"] == "not_found"


def test_readiness_names_every_part(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"] == {
        "database": True,
        "migrations": True,
        "worker": False,
        "inference": False,
        "disk": True,
    }


def test_readiness_says_that_the_disk_is_full(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Artifacts, "free_bytes", lambda _: 1_000)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert (answer.json()["parts"]["disk"], answer.json()["parts"]["database"]) == (False, True)


class FullFile(io.BytesIO):
    """A file on a full disk."""

    def __init__(self, **_: Any) -> None:
        super().__init__()

    def write(self, _: Any) -> int:
        return Path("/dev/full").write_text("what was sent")


@pytest.fixture
def full_database(client: TestClient) -> TestClient:
    """SQLite may have no page more, and says of it what it says of a full disk."""
    application: Any = client.app
    engine = application.state.engine
    engine.dispose()

    @event.listens_for(engine, "connect")
    def fill(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA max_page_count=1")

    return client


def test_a_full_disk_below_the_database_is_called_that(full_database: TestClient) -> None:
    # The pages that there are have room for a few.
    sent = (full_database.post("/jobs", json=DAPO) for _ in range(100))
    refused = next(answer for answer in sent if answer.status_code != 201)
    assert (refused.status_code, refused.json()["error"]["code"]) == (507, "no_space")
    assert "free some space" in refused.json()["error"]["message"]
    assert full_database.get("/jobs").status_code == 200, "reading goes on"
    assert 'inframind_errors_total{code="no_space"} 1.0' in full_database.get("/metrics").text


def test_a_full_disk_below_an_upload_is_called_that(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(*_: object, **__: object) -> None:
        Path("/dev/full").write_text("what is to be stored")

    monkeypatch.setattr(datasets, "add", fill)
    monkeypatch.setattr(files, "add", fill)
    upload: Any = {"files": {"file": ("a.jsonl", b"{}")}, "data": {"purpose": "fine-tune"}}
    for refused in (client.post("/datasets", content=b"{}"), client.post("/v1/files", **upload)):
        assert (refused.status_code, refused.json()["error"]["code"]) == (507, "no_space")
    # A form of over a megabyte goes through the disk before the route has it.
    monkeypatch.undo()
    monkeypatch.setattr(formparsers, "SpooledTemporaryFile", FullFile)
    refused = client.post("/v1/files", **upload)
    assert (refused.status_code, refused.json()["error"]["code"]) == (507, "no_space")


def test_a_full_disk_is_known_by_the_systems_words_and_not_by_a_clients() -> None:
    full = "could not extend file: No space left on device"
    database = OperationalError("INSERT", {"name": full}, ValueError("connection refused"))
    assert not is_disk_full(database)
    assert is_disk_full(OperationalError("INSERT", {}, ValueError(full)))


@pytest.mark.parametrize(
    ("attribute", "value", "full"),
    [
        ("sqlite_errorname", "SQLITE_FULL", True),
        # "disk I/O error": seen on a full tmpfs, at the first connection.
        ("sqlite_errorname", "SQLITE_IOERR_SHMSIZE", True),
        ("sqlite_errorname", "SQLITE_IOERR_READ", False),
        ("sqlite_errorname", "SQLITE_BUSY", False),
        ("sqlstate", "53100", True),
        ("sqlstate", "57P01", False),
    ],
)
def test_a_full_database_is_known_by_its_code(attribute: str, value: str, full: bool) -> None:
    cause = ValueError("disk I/O error")
    setattr(cause, attribute, value)
    assert is_database_full(OperationalError("INSERT", {}, cause)) is full


def test_a_crash_answers_500_without_its_cause(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog, "list_models", lambda *_: 1 / 0)
    answer = client.get("/models")
    assert answer.status_code == 500
    assert "division" not in answer.text and answer.json()["error"]["code"] == "internal_error"
