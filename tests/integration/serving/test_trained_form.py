"""An adapter is asked in the form of the rows that it was trained on: the prompt is the same."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from safetensors.numpy import save_file

from app.db.session import make_engine, writing
from app.db.tables import Adapter
from app.main import create_app
from app.settings import Settings
from inframind.datasets.rendering import IGNORED, render_task
from inframind.datasets.store import load
from inframind.generation.encoding import encode
from inframind.generation.template import render
from inframind.models.adapter import CONFIG, WEIGHTS, AdapterManifest, publish
from inframind.types import Rendering, Task
from tests.support.inference_servers import BASE, listening

FILE = "FROM debian:12\nUSER app\n"
GIVEN = [
    {
        "messages": [
            {"role": "user", "content": f"As app{index}."},
            {"role": "assistant", "content": f"Sure.\n```\n{FILE}```"},
        ]
    }
    for index in range(3)
]
FENCED = [{"instruction": f"As app{index}.", "output": FILE} for index in range(3)]


@pytest.fixture
def asked() -> list[dict[str, Any]]:
    """The requests that the inference server got."""
    return []


@pytest.fixture
def service(settings: Settings, asked: list[dict[str, Any]]) -> Iterator[TestClient]:
    """A service whose inference server notes what it is asked, and answers with the file alone."""
    server = FastAPI()

    @server.post("/v1/load_lora_adapter")
    async def load_adapter() -> str:
        return "loaded"

    @server.post("/v1/completions")
    async def complete(request: Request) -> dict[str, Any]:
        asked.append(await request.json())
        choice = {"index": 0, "text": FILE, "finish_reason": "stop", "logprobs": None}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        return {"choices": [choice], "usage": usage}

    with (
        listening(server) as url,
        TestClient(create_app(settings.model_copy(update={"inference_url": url}))) as client,
    ):
        yield client


def add_adapter(service: TestClient, settings: Settings, rendering: Rendering | None) -> None:
    """Publishes the adapter `im-own`; without a rendering as the version before did."""
    job = service.post("/jobs", json={"method": "sft", "base_model": BASE}).json()["id"]
    raw = settings.artifacts / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    (raw / CONFIG).write_text("{}")
    save_file({"x": numpy.zeros(1, dtype=numpy.float32)}, raw / WEIGHTS)
    form: dict[str, Any] = {} if rendering is None else {"rendering": rendering}
    manifest = AdapterManifest(
        id="im-own",
        job_id=job,
        base_model=BASE,
        stage="sft",
        stage_index=0,
        parent=None,
        quantization="none",
        lora={},
        config={},
        dataset="d",
        bench_hash="sha256:0",
        seed=0,
        metrics={},
        train_seconds=0.0,
        versions={},
        **form,
    )
    folder: Path = settings.artifacts / "adapters" / "im-own"
    folder.parent.mkdir(parents=True, exist_ok=True)
    whole = publish(raw, folder, manifest)
    engine = make_engine(settings.url)
    with writing(engine) as session:
        session.add(
            Adapter(
                id="im-own",
                job_id=job,
                stage_index=0,
                stage="sft",
                base_model=BASE,
                path=str(folder),
                manifest=whole.model_dump(mode="json"),
                created_at=0.0,
            )
        )
    engine.dispose()


def trained_prompt(task: Task) -> list[int]:
    """The tokens of a row before those that are trained on."""
    rendered = render_task(task, BASE)
    end = next(index for index, label in enumerate(rendered.labels) if label != IGNORED)
    return rendered.input_ids[:end]


def prompts(asked: list[dict[str, Any]]) -> list[list[int]]:
    """The tokens of each request's one prompt."""
    sent = [request["prompt"] for request in asked]
    return [prompt[0] if isinstance(prompt[0], list) else prompt for prompt in sent]


@pytest.mark.parametrize(
    ("rows", "rendering", "named"),
    [(GIVEN, "as_given", "as_given"), (FENCED, "fenced", "fenced"), (FENCED, "fenced", None)],
)
def test_the_prompt_of_a_chat_is_that_of_the_training(
    service: TestClient,
    settings: Settings,
    asked: list[dict[str, Any]],
    rows: list[dict[str, Any]],
    rendering: Rendering,
    named: Rendering | None,
) -> None:
    body = "\n".join(map(json.dumps, rows)).encode()
    made = service.post("/datasets", content=body).json()
    assert made["rendering"] == rendering
    add_adapter(service, settings, named)
    path = settings.artifacts / "datasets" / f"{made['id']}.jsonl"
    for task in load(path, "train"):
        messages = [{"role": "user", "content": task.instruction}]
        chat = {"model": "im-own", "messages": messages}
        assert service.post("/v1/chat/completions", json=chat).status_code == 200
        for form in ({"messages": messages}, {"instruction": task.instruction}):
            answer = service.post("/generate", json={"model": "im-own", "verify": True, **form})
            (choice,) = answer.json()["choices"]
            # The bare file is an answer where rows as given may have taught it, and no fence there.
            passes = rendering == "as_given"
            assert (choice["file"] == FILE) is passes
            assert (choice["verdict"]["verdict"] == "pass") is passes
        assert prompts(asked) == [trained_prompt(task)] * 3
        asked.clear()


def test_a_conversation_with_a_system_message_of_its_own_and_the_base_model_are_left_alone(
    service: TestClient, settings: Settings, asked: list[dict[str, Any]]
) -> None:
    add_adapter(service, settings, "fenced")
    system = {"role": "system", "content": "Be brief."}
    user = {"role": "user", "content": "q"}
    for model, messages in (("im-own", [system, user]), (BASE, [user])):
        chat = {"model": model, "messages": messages}
        assert service.post("/v1/chat/completions", json=chat).status_code == 200
    sent = [encode(BASE, render(BASE, messages)) for messages in ([system, user], [user])]
    assert prompts(asked) == sent
