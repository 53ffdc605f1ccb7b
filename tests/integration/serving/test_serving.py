"""The api in front of an inference server of each kind: adapters by their hash, reloaded when the
server forgets them.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.db.migrate import upgrade
from app.db.session import make_engine, writing
from app.db.tables import Adapter
from app.jobs.spec import JobSpec
from app.main import create_app
from app.settings import Settings
from inframind.bench.prompt import SYSTEM
from inframind.generation.engine import Engine, Request
from inframind.generation.template import render
from inframind.models.adapter import read_manifest
from inframind.models.probe import Probe
from tests.support.fleet import submit
from tests.support.http import in_process, request
from tests.support.inference_servers import BASE, PROMPT
from tests.support.weights import poison

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
ASK = {"prompt": PROMPT, "max_tokens": 24}


@pytest.fixture
def folder(
    tmp_path: Path, make_adapter: Callable[..., Path], request: pytest.FixtureRequest
) -> Path:
    """An adapter with a name that no other test uses."""
    name = f"im-{abs(hash(request.node.name)) % 10**9}"
    return make_adapter(tmp_path, name, 7)


@pytest.fixture
def api(url: str, folder: Path, tmp_path: Path) -> Iterator[TestClient]:
    configured = Settings(data_dir=tmp_path, inference_url=url, verifier_workers=1)
    engine = make_engine(configured.url)
    upgrade(engine)
    job = submit(engine, JobSpec.model_validate({"method": "sft", "base_model": BASE}))
    with writing(engine) as session:
        manifest = read_manifest(folder).model_dump(mode="json")
        session.add(
            Adapter(
                id=folder.name,
                job_id=job.id,
                stage="sft",
                stage_index=0,
                base_model=BASE,
                parent=None,
                path=str(folder),
                manifest=manifest,
                created_at=0.0,
            )
        )
    engine.dispose()
    with in_process(create_app(configured)) as connected:
        yield connected


def ask(api: TestClient, model: str, **fields: Any) -> list[str]:
    answer = api.post("/generate", json={**ASK, "model": model, **fields})
    assert answer.status_code == 200, answer.text
    return [choice["text"] for choice in answer.json()["choices"]]


def test_what_is_served_is_what_peft_says(api: TestClient, folder: Path) -> None:
    engine = Engine(BASE, "cpu")
    engine.add_adapter(folder.name, folder)
    base, adapted = engine.generate([Request(PROMPT, None, 24), Request(PROMPT, folder.name, 24)])
    assert base.text != adapted.text
    assert ask(api, BASE) == [base.text]
    assert ask(api, folder.name, n=3) == [adapted.text] * 3


def test_blanks_are_what_they_were_in_training(api: TestClient) -> None:
    prompt = render(
        BASE,
        [
            {
                "role": "user",
                "content": "Repair this:\n\nspec:\n      ports:\n        -   port:   80\n\n\n",
            }
        ],
    )
    expected = Engine(BASE, "cpu").generate([Request(prompt, None, 24)])[0]
    answer = api.post(
        "/v1/completions",
        json={"model": BASE, "prompt": prompt, "max_tokens": 24, "temperature": 0},
    ).json()
    assert [choice["text"] for choice in answer["choices"]] == [expected.text]
    assert answer["usage"]["prompt_tokens"] == expected.prompt_tokens


def test_a_server_that_forgot_an_adapter_gets_it_again(
    api: TestClient, folder: Path, url: str
) -> None:
    before = ask(api, folder.name)
    assert (
        request(
            "POST", f"{url}/v1/unload_lora_adapter", json={"lora_name": folder.name}
        ).status_code
        == 200
    )
    assert ask(api, folder.name) == before
    assert (
        request(
            "POST", f"{url}/v1/unload_lora_adapter", json={"lora_name": folder.name}
        ).status_code
        == 200
    )
    with api.stream(
        "POST", "/generate", json={**ASK, "model": folder.name, "stream": True}
    ) as stream:
        done = [line for line in stream.iter_lines() if line.startswith("data: ")][-1]
    assert [
        choice["text"] for choice in json.loads(done.removeprefix("data: "))["choices"]
    ] == before


def test_an_adapter_with_one_wrong_byte_never_reaches_the_server(
    api: TestClient, folder: Path, url: str
) -> None:
    weights = folder / "adapter_model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    answer = api.post("/generate", json={**ASK, "model": folder.name})
    assert answer.status_code == 503 and "SHA-256" in answer.json()["error"]["message"]
    assert folder.name not in request("GET", f"{url}/v1/models").text


def test_an_adapter_of_nan_never_reaches_the_server(
    api: TestClient, folder: Path, url: str
) -> None:
    """Its bytes are what the manifest says: vLLM would load it, and answer with its first token."""
    poison(folder)
    answer = api.post("/generate", json={**ASK, "model": folder.name})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (422, "non_finite")
    assert folder.name in error["message"] and "learning_rate" in error["message"]
    assert folder.name not in request("GET", f"{url}/v1/models").text
    assert api.get(f"/models/{folder.name}/download").status_code == 422


@pytest.mark.parametrize("url", ["embedded"], indirect=True)
def test_an_adapter_whose_answers_overflow_is_unloaded(
    api: TestClient, folder: Path, url: str
) -> None:
    """Put there by hand: none is published. vLLM keeps the NaN in its cache of keys and values, and
    later requests that get those blocks answer nonsense."""
    poison(folder, 3e38)
    answer = api.post("/generate", json={**ASK, "model": folder.name})
    assert answer.status_code in (422, 503), answer.text
    assert folder.name not in request("GET", f"{url}/v1/models").text
    assert ask(api, BASE)


def test_an_adapter_whose_files_are_gone_says_so(api: TestClient, folder: Path) -> None:
    shutil.rmtree(folder)
    answer = api.post("/generate", json={**ASK, "model": folder.name})
    assert answer.status_code == 503 and "manifest" in answer.json()["error"]["message"]


def test_an_adapter_that_is_not_served_as_it_was_trained_is_unloaded(
    api: TestClient, folder: Path, url: str
) -> None:
    engine = api.app.state.engine  # type: ignore[attr-defined]  # our application
    with writing(engine) as session:
        row = session.get_one(Adapter, folder.name)
        measured = Probe.model_validate(row.manifest["probe"])
        # As if the adapter that was measured were another one.
        other = tuple(
            {token: value - 1.0 for token, value in one.items()} for one in measured.adapter
        )
        row.manifest = {
            **row.manifest,
            "probe": measured.model_copy(update={"adapter": other}).model_dump(mode="json"),
        }
    answer = api.post("/generate", json={**ASK, "model": folder.name})
    assert answer.status_code == 503 and "nats" in answer.json()["error"]["message"]
    assert folder.name not in request("GET", f"{url}/v1/models").text


def test_openais_chat_gives_the_logprobs_that_peft_gives(api: TestClient, folder: Path) -> None:
    body = {
        "model": folder.name,
        "messages": [{"role": "user", "content": "service web"}],
        "temperature": 0,
        "max_tokens": 6,
        "logprobs": True,
        "top_logprobs": 3,
    }
    choice = api.post("/v1/chat/completions", json=body).json()["choices"][0]
    found = choice["logprobs"]["content"]
    assert (
        "".join(one["token"] for one in found) == choice["message"]["content"] and len(found) == 6
    )
    engine = Engine(BASE, "cpu")
    engine.add_adapter(folder.name, folder)
    # The adapter was trained in the fenced form, whose system message a conversation lacks.
    conversation = [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": "service web"},
    ]
    prompt = render(BASE, conversation)
    expected = engine.generate([Request(prompt, folder.name, 6, logprobs=3)])[0].logprobs
    assert expected is not None
    assert [one["logprob"] for one in found] == pytest.approx(
        [one.logprob for one in expected], abs=0.01
    )
    assert all(
        len(one["top_logprobs"]) == 3 and one["top_logprobs"][0]["logprob"] >= one["logprob"] - 1e-6
        for one in found
    )


def test_openais_chat_streams_through_both(api: TestClient, folder: Path) -> None:
    body = {
        "model": folder.name,
        "messages": [{"role": "user", "content": "service web"}],
        "temperature": 0,
        "max_tokens": 16,
        "n": 2,
    }
    whole = api.post("/v1/chat/completions", json=body).json()
    texts = [choice["message"]["content"] for choice in whole["choices"]]
    assert len(texts) == 2 and texts[0] == texts[1]
    pieces = ["", ""]
    with api.stream("POST", "/v1/chat/completions", json={**body, "stream": True}) as stream:
        for line in stream.iter_lines():
            if line.startswith("data: {"):
                for choice in json.loads(line.removeprefix("data: "))["choices"]:
                    pieces[choice["index"]] += choice["delta"].get("content") or ""
    assert pieces == texts


PORT = {
    "type": "object",
    "properties": {"kind": {"enum": ["Service", "Ingress"]}, "port": {"type": "integer"}},
    "required": ["kind", "port"],
    "additionalProperties": False,
}
VLLM = pytest.mark.parametrize("url", ["vllm"], indirect=True)
"""The embedded server has no `response_format`, and says so: 400."""


@VLLM
def test_openais_chat_answers_in_the_schema_that_was_asked_for(
    api: TestClient, folder: Path
) -> None:
    schema = {
        "type": "json_schema",
        "json_schema": {"name": "port", "schema": PORT, "strict": True},
    }
    body = {
        "messages": [{"role": "user", "content": "service web"}],
        "temperature": 1.0,
        "n": 4,
        "seed": 3,
        "max_tokens": 64,
        "response_format": schema,
    }
    for model in (BASE, folder.name):
        whole = api.post("/v1/chat/completions", json={**body, "model": model}).json()
        answers = [
            choice["message"]["content"]
            for choice in whole["choices"]
            if choice["finish_reason"] == "stop"
        ]
        assert answers and all(set(json.loads(answer)) == {"kind", "port"} for answer in answers)
        assert all(json.loads(answer)["kind"] in ("Service", "Ingress") for answer in answers)
    free = api.post(
        "/v1/chat/completions",
        json={**body, "model": BASE, "response_format": {"type": "json_object"}},
    ).json()
    assert all(choice["message"]["content"].startswith("{") for choice in free["choices"])


@VLLM
@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"type": "json_schema"}, "response_format"),
        ({"type": "structural_tag"}, "response_format.type"),
        ({"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": 7}}}, None),
    ],
)
def test_a_response_format_that_is_none_is_400(
    api: TestClient, asked: dict[str, Any], param: str | None
) -> None:
    body = {
        "model": BASE,
        "messages": [{"role": "user", "content": "web"}],
        "max_tokens": 8,
        "response_format": asked,
    }
    answer = api.post("/v1/chat/completions", json=body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param), answer.text
    assert param or "Type should be a string" in answer.json()["error"]["message"]
