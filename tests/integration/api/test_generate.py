"""POST /generate: what is refused before any inference server is asked, and when there is none."""

from typing import Any

import pytest
from fastapi.testclient import TestClient


def test_without_an_inference_server_generation_says_so_and_when_to_try_again(
    client: TestClient,
) -> None:
    answer = client.post("/generate", json={"instruction": "anything"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "prompt"),
        ({"prompt": "a", "instruction": "b"}, "instruction"),
        ({"prompt": "a", "input": "b"}, "input"),
        ({"prompt": "a", "n": 17}, "n"),
        ({"prompt": "a", "max_tokens": 100_000}, "max_tokens"),
        ({"prompt": "a", "temperature": 3}, "temperature"),
        ({"prompt": "a", "category": "cobol"}, "category"),
        ({"messages": [{"role": "root", "content": "a"}]}, "messages.0.role"),
    ],
)
def test_impossible_generations_name_the_field(
    client: TestClient, body: dict[str, Any], param: str | None
) -> None:
    answer = client.post("/generate", json=body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (422, param)
