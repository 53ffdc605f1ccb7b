"""One request's failure in a batch of the embedded server reaches none of its neighbours."""

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from inframind.generation.engine import Completion, Engine, Request
from tests.support.http import connect
from tests.support.inference_servers import BASE, PROMPT, embedded, texts
from tests.support.weights import poison
from workers.inference import batching

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
BROKEN, SOUND = "im-broken", "im-sound"
SAMPLED = {"prompt": PROMPT, "max_tokens": 12, "temperature": 1.0}


@pytest.fixture
def server(
    inference_engine: Engine,
    make_adapter: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[httpx.Client]:
    """A server with two adapters, one of which overflows; it waits so long for a batch that every
    request of a test is in one."""
    monkeypatch.setattr(batching, "COLLECT_SECONDS", 0.2)
    monkeypatch.setattr(batching, "COLLECT_AT_MOST_SECONDS", 5.0)
    broken = make_adapter(tmp_path, BROKEN, 1)
    poison(broken, 3e38)
    with embedded(inference_engine) as url, connect(url) as client:
        for name, folder in ((BROKEN, broken), (SOUND, make_adapter(tmp_path, SOUND, 2))):
            body = {"lora_name": name, "lora_path": str(folder)}
            assert client.post("/v1/load_lora_adapter", json=body).status_code == 200
        yield client
        for name in set(inference_engine.adapters):
            client.post("/v1/unload_lora_adapter", json={"lora_name": name})


def at_once(client: httpx.Client, bodies: Sequence[dict[str, Any]]) -> list[httpx.Response]:
    """Sends them all before the first is answered."""
    with ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(lambda body: client.post("/v1/completions", json=body), bodies))


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_model_without_numbers_fails_its_own_request(
    server: httpx.Client, temperature: float
) -> None:
    models = [BASE, BROKEN, SOUND, BASE, BROKEN, SOUND]
    bodies = [{**SAMPLED, "model": model, "temperature": temperature} for model in models]
    for model, answer in zip(models, at_once(server, bodies), strict=True):
        if model == BROKEN:
            error = answer.json()["error"]
            assert (answer.status_code, error["param"]) == (400, "model")
            assert f"scores of {BROKEN} are no numbers" in error["message"]
        else:
            assert answer.status_code == 200 and texts(answer.json()) != [""], answer.text


def test_a_stream_of_a_model_without_numbers_ends_in_an_error_and_not_in_a_stop(
    server: httpx.Client,
) -> None:
    def events(model: str) -> list[dict[str, Any]]:
        body = {**SAMPLED, "model": model, "stream": True}
        with server.stream("POST", "/v1/completions", json=body) as stream:
            lines = [line.removeprefix("data: ") for line in stream.iter_lines() if line]
        return [json.loads(line) for line in lines if line != "[DONE]"]

    with ThreadPoolExecutor(2) as pool:
        broken, sound = pool.map(events, (BROKEN, SOUND))
    assert ["error" in event for event in broken] == [True]
    assert broken[0]["error"]["code"] == 400 and BROKEN in broken[0]["error"]["message"]
    reasons = [choice["finish_reason"] for event in sound for choice in event["choices"]]
    assert not any("error" in event for event in sound) and reasons.count(None) < len(reasons)


def test_an_adapter_that_is_unloaded_while_its_request_waits(
    server: httpx.Client, inference_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    has = inference_engine.has
    # As if it were gone by the time its batch begins: the request was checked before.
    monkeypatch.setattr(inference_engine, "has", lambda model: model != BROKEN and has(model))
    models = [BASE, BROKEN, SOUND]
    answers = at_once(server, [{**SAMPLED, "model": model} for model in models])
    assert [answer.status_code for answer in answers] == [200, 404, 200]
    assert "is not loaded" in answers[1].json()["error"]["message"]


@pytest.mark.parametrize("kind", [RuntimeError, IndexError, MemoryError, AssertionError])
def test_whatever_a_row_makes_the_engine_raise(
    server: httpx.Client,
    inference_engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    kind: type[Exception],
) -> None:
    """An error of a kind that nobody had thought of ended the loop: everybody waited for ever."""
    generate_each = inference_engine.generate_each

    def failing(rows: Sequence[Request], *arguments: Any) -> list[Any]:
        if any(row.model == BROKEN for row in rows):
            raise kind("for a reason of its own")
        return generate_each(rows, *arguments)

    monkeypatch.setattr(inference_engine, "generate_each", failing)
    models = [BASE, BROKEN, SOUND, BASE]
    answers = at_once(server, [{**SAMPLED, "model": model} for model in models])
    assert [answer.status_code for answer in answers] == [200, 503, 200, 200]
    message = answers[1].json()["error"]["message"]
    assert "memory is full" in message if kind is MemoryError else kind.__name__ in message
    assert server.post("/v1/completions", json={**SAMPLED, "model": BASE}).status_code == 200


def test_a_stream_that_has_begun_is_not_sent_twice(
    server: httpx.Client, inference_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    generate_each = inference_engine.generate_each

    def failing(rows: Sequence[Request], *arguments: Any) -> list[Completion]:
        generate_each(rows, *arguments)
        raise RuntimeError("after every token")

    monkeypatch.setattr(inference_engine, "generate_each", failing)
    body = {**SAMPLED, "model": BASE, "stream": True}
    with server.stream("POST", "/v1/completions", json=body) as stream:
        lines = [line for line in stream.iter_lines() if line.startswith("data: {")]
    assert [("error" in json.loads(line.removeprefix("data: "))) for line in lines].count(True) == 1
    assert "error" in lines[-1]
