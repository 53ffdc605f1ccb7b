"""A search ends: its tokens are counted before it begins, and its time while it runs."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.errors import UnavailableError
from app.generation.request import GenerateRequest
from app.generation.search import Search
from app.inference.completion import CompletionChoice, ServerCompletion, Usage
from app.slots import Queue
from app.verification import Verification
from inframind.verifier.verifier import Verifier

WRONG = "```dockerfile\nFRON alpine\n```"


class Scripted:
    """An inference server's client that finishes some answers and then writes for ever."""

    base_model = "inframind-nano"

    def __init__(self, finished: int) -> None:
        self.queue = Queue("the inference server", 1)
        self._left = finished
        self.closed = False

    async def stream(self, body: dict[str, Any], **_: bool) -> AsyncGenerator[ServerCompletion]:
        try:
            for index in range(body["n"]):
                is_last = self._left <= 0
                self._left -= 1
                yield ServerCompletion(
                    choices=[
                        CompletionChoice(
                            index=index, text=WRONG, finish_reason=None if is_last else "stop"
                        )
                    ],
                    usage=Usage(prompt_tokens=5, completion_tokens=7, total_tokens=12),
                )
                if is_last:
                    await asyncio.Event().wait()
        finally:
            self.closed = True


def search(finished: int, verifier: Verifier) -> tuple[Search, Scripted]:
    request = GenerateRequest(
        instruction="x", best_of=8, temperature=1.0, category="dockerfile", max_tokens=64
    )
    serving = Scripted(finished)
    verification = Verification(verifier, limit=1)
    # Enough for the verifier to start its workers on the busiest machine.
    return Search(request, serving, verification, seconds=10.0), serving  # type: ignore[arg-type]


def test_a_search_whose_time_is_over_gives_the_best_that_it_has(verifier: Verifier) -> None:
    stopped, serving = search(3, verifier)
    generation = asyncio.run(stopped.run())
    assert (generation.search, generation.attempts, len(generation.choices)) == (
        "out_of_time",
        3,
        1,
    )
    # What was written until then was paid for, the unfinished answer's tokens too.
    assert generation.usage.completion_tokens == 28
    assert serving.closed and serving.queue.taken == 0


def test_a_search_without_an_answer_in_time_says_what_to_lower(verifier: Verifier) -> None:
    stopped, serving = search(0, verifier)
    with pytest.raises(UnavailableError, match="within 10 s: lower `max_tokens`"):
        asyncio.run(stopped.run())
    assert serving.closed and serving.queue.taken == 0


def test_a_search_says_that_all_was_tried(verifier: Verifier) -> None:
    ended, _ = search(8, verifier)
    generation = asyncio.run(ended.run())
    assert (generation.search, generation.attempts) == ("exhausted", 8)


@pytest.mark.parametrize(
    ("fields", "lowered"),
    [
        ({"best_of": 64, "max_tokens": 2048}, "1,024"),
        ({"best_of": 64, "repair": 4, "max_tokens": 1024}, "963"),
        ({"repair": 4, "n": 16, "best_of": 64, "max_tokens": 2048}, "963"),
    ],
)
def test_a_search_that_may_write_too_much_is_refused_with_its_figures(
    client: TestClient, fields: dict[str, int], lowered: str
) -> None:
    """A bug: 64 answers and four repairs of 2,048 tokens were one request."""
    body = {"instruction": "x", "temperature": 1.0, **fields}
    refused = client.post("/generate", json=body)
    error = refused.json()["error"]
    assert (refused.status_code, error["param"]) == (422, "max_tokens")
    for part in ("65,536", "`best_of`", "`repair`", f"lower `max_tokens` to {lowered}"):
        assert part in error["message"]
    within = {**body, "max_tokens": int(lowered.replace(",", ""))}
    # Nobody generates here: it was let through.
    assert client.post("/generate", json=within).status_code == 503
