"""The embedded inference server against docs/contracts/inference.md: a real server, the bundled model, random adapters."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
import uvicorn
from fleet import until

from inframind.generation.engine import Engine, Request
from inframind.generation.template import render
from workers.inference_server import create_server
from workers.up import free_port

# PEFT 0.21 still calls transformers' property by its old name.
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
BASE = "inframind-nano"
PROMPT = render(BASE, [{"role": "user", "content": "Create a ConfigMap demo with MODE set to fast."}])


@pytest.fixture(scope="module")
def adapters(tmp_path_factory: pytest.TempPathFactory, make_adapter: Callable[..., Path]) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("adapters")
    return {name: make_adapter(folder, name, seed) for seed, name in enumerate(("im-a", "im-b"), 1)}


@pytest.fixture(scope="module")
def engine() -> Engine:
    torch.set_num_threads(1)
    return Engine(BASE, "cpu")


@pytest.fixture(scope="module")
def client(engine: Engine, adapters: dict[str, Path]) -> Iterator[httpx.Client]:
    port = free_port("127.0.0.1")
    server = uvicorn.Server(uvicorn.Config(create_server(engine), host="127.0.0.1", port=port, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    until(lambda: server.started)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as made:
        for name, path in adapters.items():
            assert made.post("/v1/load_lora_adapter", json={"lora_name": name, "lora_path": str(path)}).status_code == 200
        yield made
    server.should_exit = True
    thread.join()


def complete(client: httpx.Client, **fields: Any) -> dict[str, Any]:
    answer = client.post("/v1/completions", json={"model": BASE, "prompt": PROMPT, "max_tokens": 24, "temperature": 0, **fields})
    assert answer.status_code == 200, answer.text
    return answer.json()


def texts(answer: dict[str, Any]) -> list[str]:
    return [choice["text"] for choice in answer["choices"]]


def test_health_and_models(client: httpx.Client) -> None:
    assert client.get("/health").status_code == 200
    models = client.get("/v1/models").json()
    assert models["object"] == "list"
    assert [(m["id"], m["object"], m["parent"]) for m in models["data"]] == [
        (BASE, "model", None), ("im-a", "model", BASE), ("im-b", "model", BASE),
    ]  # fmt: skip


def test_a_completion_has_the_form_of_openai(client: httpx.Client) -> None:
    answer = complete(client, max_tokens=8)
    assert answer["object"] == "text_completion" and answer["model"] == BASE and answer["id"].startswith("cmpl-")
    assert answer["choices"][0]["index"] == 0 and answer["choices"][0]["finish_reason"] == "length"
    usage = answer["usage"]
    assert usage["completion_tokens"] == 8 and usage["total_tokens"] == usage["prompt_tokens"] + 8


def test_what_is_served_is_what_the_engine_says(client: httpx.Client, adapters: dict[str, Path]) -> None:
    engine = Engine(BASE, "cpu")
    for name, path in adapters.items():
        engine.add_adapter(name, path)
    for model in (BASE, *adapters):
        alone = engine.generate([Request(PROMPT, model, 24)])[0]
        assert texts(complete(client, model=model)) == [alone.text]


def test_mixed_adapters_asked_at_once_get_their_own_answers(client: httpx.Client) -> None:
    models = [BASE, "im-a", "im-b"] * 4
    alone = {model: texts(complete(client, model=model)) for model in models}
    assert len({answer[0] for answer in alone.values()}) == 3
    with ThreadPoolExecutor(12) as pool:
        together = list(pool.map(lambda model: texts(complete(client, model=model)), models))
    assert together == [alone[model] for model in models]


def test_lists_of_prompts_and_n(client: httpx.Client) -> None:
    other = render(BASE, [{"role": "user", "content": "Create a Service web on port 80."}])
    answer = complete(client, prompt=[PROMPT, other], n=2, max_tokens=12)
    assert [choice["index"] for choice in answer["choices"]] == [0, 1, 2, 3]
    first, again, third, fourth = texts(answer)
    assert first == again == texts(complete(client, max_tokens=12))[0] and third == fourth


def test_a_seed_gives_the_same_samples_whoever_else_asks(client: httpx.Client) -> None:
    def sample(seed: int | None) -> list[str]:
        return texts(complete(client, temperature=1.0, n=3, seed=seed))

    alone = sample(7)
    assert len(set(alone)) > 1
    with ThreadPoolExecutor(6) as pool:
        crowd = list(pool.map(sample, [7, None, 7, 8, None, 7]))
    assert crowd[0] == crowd[2] == crowd[5] == alone != crowd[3]


def test_stop_texts_end_only_the_answer_that_asked(client: httpx.Client) -> None:
    whole = texts(complete(client))[0]
    stop = whole[8:11]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda stop: complete(client, stop=stop), [[stop], None, stop, None]))
    assert texts(found[1]) == texts(found[3]) == [whole]
    assert texts(found[0]) == texts(found[2]) == [whole[: whole.index(stop)]]
    assert found[0]["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("fields", [{}, {"model": "im-a"}, {"n": 2, "temperature": 1.0, "seed": 3}, {"stop": "e"}])
def test_a_stream_is_the_same_text_in_pieces(client: httpx.Client, fields: dict[str, Any]) -> None:
    whole = complete(client, max_tokens=40, **fields)
    body = {"model": BASE, "prompt": PROMPT, "max_tokens": 40, "temperature": 0, "stream": True, **fields}
    with client.stream("POST", "/v1/completions", json=body) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = [line.removeprefix("data: ") for line in answer.iter_lines() if line]
    assert lines[-1] == "[DONE]"
    events = [json.loads(line) for line in lines[:-1]]
    streamed = ["" for _ in whole["choices"]]
    for event in events:
        for choice in event["choices"]:
            streamed[choice["index"]] += choice["text"]
    assert streamed == texts(whole)
    assert [c["finish_reason"] for c in events[-1]["choices"]] == [c["finish_reason"] for c in whole["choices"]]
    assert all(c["finish_reason"] is None for event in events[:-1] for c in event["choices"])
    if "stop" not in fields:
        assert len(events) > 5


def test_a_client_that_leaves_frees_the_engine(client: httpx.Client, engine: Engine) -> None:
    body = {"model": BASE, "prompt": [PROMPT] * 4, "max_tokens": 950, "temperature": 2.0, "n": 16}
    settings = engine.model.generation_config
    settings.suppress_tokens = [engine.tokenizer.eos_token_id]  # every answer is as long as it may be
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


def test_unknown_models_are_404(client: httpx.Client) -> None:
    for path, body in [
        ("/v1/completions", {"model": "im-z", "prompt": "x"}),
        ("/v1/unload_lora_adapter", {"lora_name": "im-z"}),
        ("/v1/load_lora_adapter", {"lora_name": "im-z", "lora_path": "/does/not/exist"}),
    ]:
        answer = client.post(path, json=body)
        assert answer.status_code == 404, path
        assert answer.json()["error"]["code"] == 404 and answer.json()["error"]["message"]


def test_names_are_never_used_twice(client: httpx.Client, adapters: dict[str, Path]) -> None:
    for name in ("im-a", BASE, "../im-a", "IM A", ""):
        answer = client.post("/v1/load_lora_adapter", json={"lora_name": name, "lora_path": str(adapters["im-b"])})
        assert answer.status_code == 400, name


def test_a_wrong_byte_or_a_foreign_base_is_refused(client: httpx.Client, tmp_path: Path, make_adapter: Callable[..., Path]) -> None:
    broken = make_adapter(tmp_path, "im-c", 3)
    weights = broken / "adapter_model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    foreign = make_adapter(tmp_path, "im-d", 4, "Qwen/Qwen2.5-0.5B-Instruct")
    for name, path in [("im-c", broken), ("im-d", foreign), ("im-e", tmp_path)]:
        answer = client.post("/v1/load_lora_adapter", json={"lora_name": name, "lora_path": str(path)})
        assert (answer.status_code, name in answer.text or bool(answer.json()["error"]["message"])) == (400, True)
    assert "im-c" not in client.get("/v1/models").text


def test_an_adapter_comes_and_goes(client: httpx.Client, tmp_path: Path, make_adapter: Callable[..., Path]) -> None:
    path = make_adapter(tmp_path, "im-f", 5)
    before = texts(complete(client, model="im-a"))
    assert client.post("/v1/load_lora_adapter", json={"lora_name": "im-f", "lora_path": str(path)}).status_code == 200
    assert texts(complete(client, model="im-f")) != texts(complete(client))
    assert client.post("/v1/unload_lora_adapter", json={"lora_name": "im-f"}).status_code == 200
    assert client.post("/v1/completions", json={"model": "im-f", "prompt": "x"}).status_code == 404
    assert texts(complete(client, model="im-a")) == before


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
        ({"logprobs": 1}, "logprobs"),
    ],
)
def test_bad_requests_are_400_and_name_the_field(client: httpx.Client, fields: dict[str, Any], param: str) -> None:
    answer = client.post("/v1/completions", json={"model": BASE, "prompt": PROMPT, **fields})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


def test_too_much_at_once_is_503_with_a_time_to_come_back(client: httpx.Client) -> None:
    body = {"model": BASE, "prompt": [PROMPT] * 64, "max_tokens": 4, "n": 16}
    answer = client.post("/v1/completions", json=body)
    assert answer.status_code == 503 and answer.headers["retry-after"] == "1"
    assert complete(client, max_tokens=1)
