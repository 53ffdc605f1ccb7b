"""What the embedded inference server does beyond the contract: it names what is wrong, and it stays
free."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from inframind.generation.engine import Engine
from tests.support.http import connect
from tests.support.inference_servers import (
    BASE,
    PROMPT,
    Generations,
    complete,
    embedded,
    unread_post,
)
from tests.support.waiting import until

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")


@pytest.fixture(scope="module")
def server(inference_engine: Engine, adapters: dict[str, Path]) -> Iterator[httpx.Client]:
    with embedded(inference_engine) as url, connect(url) as made:
        body = {"lora_name": "im-a", "lora_path": str(adapters["im-a"])}
        assert made.post("/v1/load_lora_adapter", json=body).status_code == 200
        yield made
        # The engine is the session's.
        assert made.post("/v1/unload_lora_adapter", json=body).status_code == 200


def test_a_client_that_leaves_frees_the_engine(
    server: httpx.Client, inference_engine: Engine, generations: Generations
) -> None:
    body = {"model": BASE, "prompt": [PROMPT] * 4, "max_tokens": 950, "temperature": 2.0, "n": 16}
    settings = inference_engine.model.generation_config
    # Every answer is as long as it may be.
    settings.suppress_tokens = [inference_engine.tokenizer.eos_token_id]
    with unread_post(server.base_url, json.dumps(body).encode(), "/v1/completions"):
        until(lambda: generations.begun == 1)
    until(lambda: generations.given_up == 1)
    complete(server, max_tokens=1)
    with server.stream("POST", "/v1/completions", json={**body, "stream": True}) as answer:
        assert "text" in next(answer.iter_lines())
    until(lambda: generations.given_up == 2)
    complete(server, max_tokens=1)
    settings.suppress_tokens = None


def test_names_are_never_used_twice(server: httpx.Client, adapters: dict[str, Path]) -> None:
    for name in ("im-a", BASE, "../im-a", "IM A", ""):
        answer = server.post(
            "/v1/load_lora_adapter", json={"lora_name": name, "lora_path": str(adapters["im-b"])}
        )
        assert answer.status_code == 400, name


def test_a_wrong_byte_or_a_foreign_base_is_refused(
    server: httpx.Client, tmp_path: Path, make_adapter: Callable[..., Path]
) -> None:
    broken = make_adapter(tmp_path, "im-c", 3)
    weights = broken / "adapter_model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    foreign = make_adapter(tmp_path, "im-d", 4, "Qwen/Qwen2.5-0.5B-Instruct")
    for name, path in [("im-c", broken), ("im-d", foreign), ("im-e", tmp_path)]:
        answer = server.post(
            "/v1/load_lora_adapter", json={"lora_name": name, "lora_path": str(path)}
        )
        assert (
            answer.status_code,
            name in answer.text or bool(answer.json()["error"]["message"]),
        ) == (400, True)
    assert "im-c" not in server.get("/v1/models").text


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 32_000}, "max_tokens"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": "x " * 40_000}, "prompt"),
        ({"temperature": -1}, "temperature"),
        ({"top_p": 0}, "top_p"),
        ({"n": 0}, "n"),
        ({"stop": [""]}, "stop"),
        ({"logprobs": 21}, "logprobs"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
    ],
)
def test_bad_requests_are_400_and_name_the_field(
    server: httpx.Client, fields: dict[str, Any], param: str
) -> None:
    answer = server.post("/v1/completions", json={"model": BASE, "prompt": PROMPT, **fields})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


def test_too_much_at_once_is_429_with_a_time_to_come_back(server: httpx.Client) -> None:
    body = {"model": BASE, "prompt": [PROMPT] * 64, "max_tokens": 4, "n": 16}
    answer = server.post("/v1/completions", json=body)
    assert answer.status_code == 429 and answer.headers["retry-after"] == "1"
    assert complete(server, max_tokens=1)


def test_a_page_in_a_browser_loads_no_adapter(
    server: httpx.Client, adapters: dict[str, Path]
) -> None:
    """It sends plain text to any address, or JSON to a name of its own that it has rebound."""
    body = {"lora_name": "im-evil", "lora_path": str(adapters["im-a"])}
    as_text = {"content-type": "text/plain"}
    path = "/v1/load_lora_adapter"
    assert server.post(path, content=json.dumps(body), headers=as_text).status_code == 400
    rebound = {"host": "evil.example:8001"}
    assert server.post(path, json=body, headers=rebound).status_code == 400
    assert "im-evil" not in server.get("/v1/models").text
