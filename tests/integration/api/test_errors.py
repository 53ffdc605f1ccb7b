"""Errors that every route shares, and readiness."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import DataError

from app.catalog import service as catalog


def test_a_body_that_is_no_json_or_too_large_is_refused(client: TestClient) -> None:
    assert (
        client.post("/jobs", content=b"{", headers={"content-type": "application/json"}).status_code
        == 422
    )
    assert client.post("/jobs", content=b"x" * 1_100_000).status_code == 413
    assert client.post("/verify", content=(b"x" * 100_000 for _ in range(12))).status_code == 413


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
    }


def test_a_crash_answers_500_without_its_cause(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog, "list_models", lambda *_: 1 / 0)
    answer = client.get("/models")
    assert answer.status_code == 500
    assert "division" not in answer.text and answer.json()["error"]["code"] == "internal_error"
