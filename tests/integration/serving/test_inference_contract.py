"""The inference contract (docs/contracts/inference.md): the embedded server and vLLM pass the same
tests."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from inframind.generation.encoding import encode
from inframind.generation.engine import Engine, Request
from inframind.generation.template import render
from tests.support.http import connect
from tests.support.inference_servers import BASE, PROMPT, complete, texts

# PEFT 0.21 still calls transformers' property by its old name.
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")


@pytest.fixture(scope="module")
def server(url: str, adapters: dict[str, Path]) -> Iterator[httpx.Client]:
    with connect(url) as made:
        for name, path in adapters.items():
            assert (
                made.post(
                    "/v1/load_lora_adapter", json={"lora_name": name, "lora_path": str(path)}
                ).status_code
                == 200
            )
        yield made
        for name in adapters:
            assert made.post("/v1/unload_lora_adapter", json={"lora_name": name}).status_code == 200


def test_health_and_models(server: httpx.Client) -> None:
    assert server.get("/health").status_code == 200
    models = server.get("/v1/models").json()
    assert models["object"] == "list"
    listed = [(model["id"], model["object"], model["parent"]) for model in models["data"]]
    assert listed[0] == (BASE, "model", None)
    # One server runs the tests of several files: another's adapter may be loaded too.
    assert {("im-a", "model", BASE), ("im-b", "model", BASE)} <= set(listed[1:])


def test_a_completion_has_the_form_of_openai(server: httpx.Client) -> None:
    answer = complete(server, max_tokens=8)
    assert (
        answer["object"] == "text_completion"
        and answer["model"] == BASE
        and answer["id"].startswith("cmpl-")
    )
    assert answer["choices"][0]["index"] == 0 and answer["choices"][0]["finish_reason"] == "length"
    usage = answer["usage"]
    assert usage["completion_tokens"] == 8 and usage["total_tokens"] == usage["prompt_tokens"] + 8


def test_what_is_served_is_what_the_engine_says(
    server: httpx.Client, adapters: dict[str, Path]
) -> None:
    engine = Engine(BASE, "cpu")
    for name, path in adapters.items():
        engine.add_adapter(name, path)
    for model in (BASE, *adapters):
        alone = engine.generate([Request(PROMPT, model, 24)])[0]
        assert texts(complete(server, model=model)) == [alone.text]


def test_tokens_mean_the_same_to_every_server(server: httpx.Client) -> None:
    """Runs of blanks: versions of transformers split them differently, and the api sends tokens for
    that reason."""
    text = render(
        BASE,
        [
            {
                "role": "user",
                "content": "Repair this:\n\nspec:\n      ports:\n        -   port:   80\n\n\n",
            }
        ],
    )
    tokens = encode(BASE, text)
    engine = Engine(BASE, "cpu")
    assert tokens == engine.tokenizer(text, add_special_tokens=False)["input_ids"]
    answer = complete(server, prompt=tokens)
    assert texts(answer) == [engine.generate([Request(text, None, 24)])[0].text]
    assert answer["usage"]["prompt_tokens"] == len(tokens)
    both = complete(server, prompt=[tokens, encode(BASE, PROMPT)])
    assert texts(both) == [texts(answer)[0], texts(complete(server))[0]]


@pytest.mark.parametrize("prompt", [[10**6], [[]], [-1], []])
def test_tokens_that_the_model_has_not_are_400(server: httpx.Client, prompt: list[Any]) -> None:
    assert (
        server.post(
            "/v1/completions", json={"model": BASE, "prompt": prompt, "max_tokens": 4}
        ).status_code
        == 400
    )


def test_mixed_adapters_asked_at_once_get_their_own_answers(server: httpx.Client) -> None:
    models = [BASE, "im-a", "im-b"] * 4
    alone = {model: texts(complete(server, model=model)) for model in models}
    assert len({answer[0] for answer in alone.values()}) == 3
    with ThreadPoolExecutor(12) as pool:
        together = list(pool.map(lambda model: texts(complete(server, model=model)), models))
    assert together == [alone[model] for model in models]


def test_lists_of_prompts_and_n(server: httpx.Client) -> None:
    other = render(BASE, [{"role": "user", "content": "Create a Service web on port 80."}])
    both = complete(server, prompt=[PROMPT, other], max_tokens=12)
    assert [choice["index"] for choice in both["choices"]] == [0, 1]
    assert texts(both) == [
        texts(complete(server, prompt=prompt, max_tokens=12))[0] for prompt in (PROMPT, other)
    ]
    several = complete(server, prompt=[PROMPT, other], n=2, max_tokens=12, temperature=1.0)
    assert sorted(choice["index"] for choice in several["choices"]) == [0, 1, 2, 3]


def test_a_seed_gives_the_same_samples_whoever_else_asks(server: httpx.Client) -> None:
    def sample(seed: int | None) -> list[str]:
        return texts(complete(server, temperature=1.0, n=3, seed=seed))

    alone = sample(7)
    assert len(set(alone)) > 1
    with ThreadPoolExecutor(6) as pool:
        crowd = list(pool.map(sample, [7, None, 7, 8, None, 7]))
    assert crowd[0] == crowd[2] == crowd[5] == alone != crowd[3]


@pytest.mark.parametrize(
    "extreme",
    [
        {"temperature": 1.9, "top_p": 5e-324},
        {"temperature": 5e-324},
        {"temperature": 2.0, "top_p": 1e-9},
    ],
)
def test_numbers_next_to_nothing_mean_the_likeliest_token(
    server: httpx.Client, extreme: dict[str, float]
) -> None:
    assert (
        complete(server, **extreme)["choices"][0]["text"] == complete(server)["choices"][0]["text"]
    )


def test_stop_texts_end_only_the_answer_that_asked(server: httpx.Client) -> None:
    whole = texts(complete(server))[0]
    stop = whole[8:11]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda stop: complete(server, stop=stop), [[stop], None, stop, None]))
    assert texts(found[1]) == texts(found[3]) == [whole]
    assert texts(found[0]) == texts(found[2]) == [whole[: whole.index(stop)]]
    assert found[0]["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize(
    "fields", [{}, {"model": "im-a"}, {"n": 2, "temperature": 1.0, "seed": 3}, {"stop": "e"}]
)
def test_a_stream_is_the_same_text_in_pieces(server: httpx.Client, fields: dict[str, Any]) -> None:
    whole = complete(server, max_tokens=40, **fields)
    body = {
        "model": BASE,
        "prompt": PROMPT,
        "max_tokens": 40,
        "temperature": 0,
        "stream": True,
        **fields,
    }
    with server.stream("POST", "/v1/completions", json=body) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = [line.removeprefix("data: ") for line in answer.iter_lines() if line]
    assert lines[-1] == "[DONE]"
    events = [json.loads(line) for line in lines[:-1]]
    streamed = ["" for _ in whole["choices"]]
    for event in events:
        for choice in event["choices"]:
            streamed[choice["index"]] += choice["text"]
    assert streamed == texts(whole)
    ends = {
        c["index"]: c["finish_reason"]
        for event in events
        for c in event["choices"]
        if c["finish_reason"]
    }
    assert [ends[index] for index in sorted(ends)] == [c["finish_reason"] for c in whole["choices"]]
    if "stop" not in fields:
        assert len(events) > 5


def test_unknown_models_are_404(server: httpx.Client) -> None:
    for path, body in [
        ("/v1/completions", {"model": "im-z", "prompt": "x"}),
        ("/v1/unload_lora_adapter", {"lora_name": "im-z"}),
        ("/v1/load_lora_adapter", {"lora_name": "im-z", "lora_path": "/does/not/exist"}),
    ]:
        answer = server.post(path, json=body)
        assert answer.status_code == 404, path
        assert answer.json()["error"]["code"] == 404 and answer.json()["error"]["message"]


def test_an_adapter_comes_and_goes(
    server: httpx.Client, tmp_path: Path, make_adapter: Callable[..., Path]
) -> None:
    path = make_adapter(tmp_path, "im-f", 5)
    before = texts(complete(server, model="im-a"))
    assert (
        server.post(
            "/v1/load_lora_adapter", json={"lora_name": "im-f", "lora_path": str(path)}
        ).status_code
        == 200
    )
    assert texts(complete(server, model="im-f")) != texts(complete(server))
    assert server.post("/v1/unload_lora_adapter", json={"lora_name": "im-f"}).status_code == 200
    assert server.post("/v1/completions", json={"model": "im-f", "prompt": "x"}).status_code == 404
    assert texts(complete(server, model="im-a")) == before
