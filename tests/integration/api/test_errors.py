"""Errors that every route shares, and readiness."""

import pytest
from fastapi.testclient import TestClient

from app.catalog import service as catalog


def test_a_body_that_is_no_json_or_too_large_is_refused(client: TestClient) -> None:
    assert (
        client.post("/jobs", content=b"{", headers={"content-type": "application/json"}).status_code
        == 422
    )
    as_json = {"content-type": "application/json"}
    for content in (b"x" * 1_100_000, (b"x" * 100_000 for _ in range(12))):
        assert client.post("/verify", content=content, headers=as_json).status_code == 413


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
