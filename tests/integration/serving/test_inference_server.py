"""What the embedded inference server does beyond the contract: it names what is wrong, and it stays free."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from inframind.generation.engine import Engine
from tests.support.inference_servers import BASE, PROMPT, complete, embedded, one_thread

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")


@pytest.fixture(scope="module")
def engine() -> Engine:
    one_thread()
    return Engine(BASE, "cpu")


@pytest.fixture(scope="module")
def client(engine: Engine, adapters: dict[str, Path]) -> Iterator[httpx.Client]:
    with embedded(engine) as url, httpx.Client(base_url=url, timeout=60, trust_env=False) as made:
        path = str(adapters["im-a"])
        assert (
            made.post(
                "/v1/load_lora_adapter", json={"lora_name": "im-a", "lora_path": path}
            ).status_code
            == 200
        )
        yield made


def test_a_client_that_leaves_frees_the_engine(client: httpx.Client, engine: Engine) -> None:
    body = {"model": BASE, "prompt": [PROMPT] * 4, "max_tokens": 950, "temperature": 2.0, "n": 16}
    settings = engine.model.generation_config
    settings.suppress_tokens = [
        engine.tokenizer.eos_token_id
    ]  # every answer is as long as it may be
    with pytest.raises(httpx.ReadTimeout):
        client.post("/v1/completions", json=body, timeout=0.5)
    check_engine_is_free(client)
    with client.stream("POST", "/v1/completions", json={**body, "stream": True}) as answer:
        assert "text" in next(answer.iter_lines())
    check_engine_is_free(client)
    settings.suppress_tokens = None


def check_engine_is_free(client: httpx.Client) -> None:
    started = time.monotonic()
    complete(client, max_tokens=1)
    assert time.monotonic() - started < 3.0


def test_names_are_never_used_twice(client: httpx.Client, adapters: dict[str, Path]) -> None:
    for name in ("im-a", BASE, "../im-a", "IM A", ""):
        answer = client.post(
            "/v1/load_lora_adapter", json={"lora_name": name, "lora_path": str(adapters["im-b"])}
        )
        assert answer.status_code == 400, name


def test_a_wrong_byte_or_a_foreign_base_is_refused(
    client: httpx.Client, tmp_path: Path, make_adapter: Callable[..., Path]
) -> None:
    broken = make_adapter(tmp_path, "im-c", 3)
    weights = broken / "adapter_model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    foreign = make_adapter(tmp_path, "im-d", 4, "Qwen/Qwen2.5-0.5B-Instruct")
    for name, path in [("im-c", broken), ("im-d", foreign), ("im-e", tmp_path)]:
        answer = client.post(
            "/v1/load_lora_adapter", json={"lora_name": name, "lora_path": str(path)}
        )
        assert (
            answer.status_code,
            name in answer.text or bool(answer.json()["error"]["message"]),
        ) == (400, True)
    assert "im-c" not in client.get("/v1/models").text


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
    client: httpx.Client, fields: dict[str, Any], param: str
) -> None:
    answer = client.post("/v1/completions", json={"model": BASE, "prompt": PROMPT, **fields})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


def test_too_much_at_once_is_429_with_a_time_to_come_back(client: httpx.Client) -> None:
    body = {"model": BASE, "prompt": [PROMPT] * 64, "max_tokens": 4, "n": 16}
    answer = client.post("/v1/completions", json=body)
    assert answer.status_code == 429 and answer.headers["retry-after"] == "1"
    assert complete(client, max_tokens=1)
