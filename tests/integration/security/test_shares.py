"""One key's work and everybody else's: bounded queues, shares, and clients that leave."""

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.slots import Queue
from tests.support.flood import COMPOSE, REGO
from tests.support.guarded import ROWS, Guarded, on_a_socket
from tests.support.waiting import until

ENDLESS = {"category": "compose", "text": COMPOSE, "checks": REGO}
SMALL = {"category": "dockerfile", "text": "FROM alpine:3.20\nUSER app\n"}
LONGER = "".join(
    json.dumps({"instruction": f"Number {i}.", "output": f"FROM alpine:3.{i}\n"}) + "\n"
    for i in range(5_000)
)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Guarded]:
    with on_a_socket(tmp_path, verifier_queue=4) as (_, made):
        yield made


def verifier_queue(service: Guarded) -> Queue:
    queue: Queue = service.app.state.verification.queue
    return queue


def post(service: Guarded, key: str, path: str, body: str) -> socket.socket:
    """A request whose client may leave before the answer."""
    address = httpx.URL(str(service.client.base_url))
    connection = socket.create_connection((address.host, address.port or 0))
    lines = (
        f"POST {path} HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {key}",
        "Content-Type: application/json",
        f"Content-Length: {len(body.encode())}",
    )
    connection.sendall("\r\n".join((*lines, "", body)).encode())
    return connection


def test_a_key_has_its_share_of_the_verifier_and_the_others_theirs(service: Guarded) -> None:
    queue = verifier_queue(service)
    with ExitStack() as clients:
        for _ in range(2):
            clients.enter_context(post(service, service.first, "/verify", json.dumps(ENDLESS)))
        until(lambda: queue.taken == 2)
        for path, body in (
            ("/verify", SMALL),
            ("/judge", {"category": "dockerfile", "instruction": "x", "answer": "x"}),
        ):
            refused = service.call(service.first, "POST", path, json=body)
            error: Any = refused.json()["error"]
            assert (refused.status_code, error["code"]) == (429, "too_many_requests"), path
            assert "of this key" in error["message"] and int(refused.headers["retry-after"]) > 0
        # No process and no place is the first key's alone, and no thread waits with it.
        for path in ("/verify", "/judge"):
            body = SMALL if path == "/verify" else {**SMALL, "instruction": "x"}
            if path == "/judge":
                body["answer"] = body.pop("text")
            assert service.call(service.second, "POST", path, json=body).status_code == 200
        assert service.call(service.second, "GET", "/jobs").status_code == 200
        assert service.call(None, "GET", "/healthz").status_code == 200
        assert queue.taken == 2


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/verify", ENDLESS),
        ("/judge", {"category": "compose", "instruction": "x", "answer": COMPOSE, "checks": REGO}),
    ],
)
def test_a_client_that_leaves_ends_its_check(
    service: Guarded, path: str, body: dict[str, Any]
) -> None:
    queue = verifier_queue(service)
    verifier = service.app.state.verifier
    assert service.call(service.first, "POST", "/verify", json=SMALL).status_code == 200
    left = post(service, service.first, path, json.dumps(body))
    until(lambda: queue.taken == 1 and verifier.is_busy)
    left.close()
    until(lambda: queue.taken == 0 and not verifier.is_busy)


def test_a_client_that_leaves_ends_its_upload(service: Guarded) -> None:
    verifier = service.app.state.verifier
    left = post(service, service.first, "/datasets", LONGER)
    until(lambda: verifier.is_busy)
    # The same key's next upload waits for its turn.
    left.close()
    answer = service.call(service.first, "POST", "/datasets", content=ROWS)
    assert answer.status_code == 201
    assert len(service.call(service.first, "GET", "/datasets").json()["data"]) == 1


def test_uploads_have_places_and_a_key_its_share_of_them(tmp_path: Path) -> None:
    from app.web.body_limit import BodyLimits

    with on_a_socket(tmp_path, BodyLimits(uploads=2)) as (_, service), ExitStack() as clients:
        clients.enter_context(post(service, service.first, "/datasets", LONGER))
        until(lambda: service.app.state.verifier.is_busy)
        refused = service.call(service.first, "POST", "/datasets", content=ROWS)
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "too_many_requests")
        assert int(refused.headers["retry-after"]) > 0
        upload = {"files": {"file": ("a.jsonl", ROWS)}, "data": {"purpose": "fine-tune"}}
        assert service.call(service.first, "POST", "/v1/files", **upload).status_code == 429
        assert service.call(service.first, "GET", "/datasets").status_code == 200
        assert service.call(service.second, "POST", "/datasets", content=ROWS).status_code == 201
