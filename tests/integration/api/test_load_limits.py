"""Limits under load, on real servers of each kind: bounded queues, clients that leave or read
nothing, engines that die.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from sse_starlette import ServerSentEvent

from app.db.session import make_engine, writing
from app.db.tables import Adapter
from app.jobs.spec import JobSpec
from app.main import create_app
from app.settings import Settings
from app.web import event_stream as _streams
from app.web.error_responses import add_handlers
from app.web.event_stream import streamed
from inframind.models.adapter import read_manifest
from tests.support.fleet import submit
from tests.support.http import connect, request
from tests.support.inference_servers import (
    BASE,
    PROMPT,
    Generations,
    Vllm,
    ended,
    listening,
    unread_post,
)
from tests.support.services import with_tables
from tests.support.waiting import HANG_SECONDS, until

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
SHORT = {"prompt": PROMPT, "max_tokens": 4}
LONG = {"prompt": "a " * 48, "max_tokens": 900}
"""More than a second of work: what the bundled model says to this has no end, and more cores make
no token come earlier.
"""
NUMBERS = {
    "name": "numbers",
    "schema": {"type": "array", "items": {"type": "integer"}, "minItems": 2000},
}
ENDLESS = {
    "model": BASE, "messages": [{"role": "user", "content": "count"}], "n": 8, "max_tokens": 3000,
    "temperature": 1.0, "response_format": {"type": "json_schema", "json_schema": NUMBERS},
}  # fmt: skip
"""Seconds of work for vLLM, which is fast, and which the schema keeps from ending."""
UNREAD = json.dumps(
    {
        "model": BASE,
        "prompt": [PROMPT] * 2,
        "max_tokens": 60,
        "temperature": 2.0,
        "n": 16,
        "stream": True,
    }
).encode()
"""A stream larger than all buffers between the api and a client: it waits until it is read."""


def application(folder: Path, inference_url: str, **fields: Any) -> FastAPI:
    return create_app(with_tables(folder, inference_url=inference_url, **fields))


@contextmanager
def api(app: FastAPI, send_buffer: int | None = None) -> Iterator[httpx.Client]:
    """The api as a server on a port of its own."""
    with (
        listening(app, send_buffer) as url,
        connect(url) as client,
    ):
        yield client


def ask_shortly(client: httpx.Client) -> None:
    answer = client.post("/generate", json=SHORT)
    assert answer.status_code == 200, answer.text


VLLM = pytest.mark.parametrize("url", ["vllm"], indirect=True)
EMBEDDED = pytest.mark.parametrize("url", ["embedded"], indirect=True)
"""What these tests ask for, vLLM has written in a second."""


@EMBEDDED
def test_a_client_that_leaves_ends_its_generation(
    tmp_path: Path, url: str, generations: Generations
) -> None:
    search = {
        "instruction": "x",
        "max_tokens": 900,
        "temperature": 2.0,
        "best_of": 64,
        "category": "kubernetes",
    }
    # OpenAI's temperature is 1 where none is given, and then an answer may end early.
    completion = {**LONG, "model": BASE, "temperature": 0}
    with api(application(tmp_path, url)) as client:
        ask_shortly(client)
        for path, body in [
            ("/generate", LONG),
            ("/generate", search),
            ("/v1/completions", completion),
        ]:
            begun, given_up = generations.begun, generations.given_up
            with unread_post(client.base_url, json.dumps(body).encode(), path):
                until(lambda before=begun: generations.begun > before)
            until(lambda before=given_up: generations.given_up > before)
        for path, body in [("/generate", LONG), ("/v1/completions", completion)]:
            given_up = generations.given_up
            with client.stream("POST", path, json={**body, "stream": True}) as answer:
                assert next(line for line in answer.iter_lines() if line.startswith("data:"))
            until(lambda before=given_up: generations.given_up > before)


def test_a_client_that_leaves_before_the_first_event_ends_the_work() -> None:
    entered, left = Event(), Event()

    async def silent() -> AsyncGenerator[ServerSentEvent]:
        entered.set()
        try:
            await asyncio.sleep(HANG_SECONDS)
            yield ServerSentEvent(data="too late")
        finally:
            left.set()

    app = FastAPI()
    add_handlers(app)

    @app.post("/stream")
    async def stream(request: Request) -> Response:
        return await streamed(silent(), request)

    with listening(app) as url:
        with unread_post(httpx.URL(url), b"{}", "/stream"):
            until(entered.is_set)
        until(left.is_set)


@VLLM
def test_a_client_that_leaves_frees_vllm(tmp_path: Path, url: str) -> None:
    with api(application(tmp_path, url)) as client:
        before = ended(url)
        body = json.dumps(ENDLESS).encode()
        with unread_post(client.base_url, body, "/v1/chat/completions"):
            until(lambda: ended(url) == -1.0)
        until(lambda: ended(url) == before)
        with client.stream(
            "POST", "/v1/chat/completions", json={**ENDLESS, "stream": True}
        ) as answer:
            # httpx closes the connection when nobody holds the iterator any more.
            lines = answer.iter_lines()
            # No closing quote: a slow machine sends several tokens in one event.
            assert next(line for line in lines if '"content": "[' in line)
            until(lambda: ended(url) == -1.0)
        until(lambda: ended(url) == before)


@EMBEDDED
def test_a_search_that_has_found_an_answer_ends_the_others(
    tmp_path: Path, url: str, generations: Generations
) -> None:
    """Nothing is asked of these answers but to be valid, so the first to end mostly passes while
    three are still written.
    """
    body = {
        "prompt": PROMPT,
        "max_tokens": 600,
        "temperature": 1.0,
        "best_of": 64,
        "category": "kubernetes",
    }
    with api(application(tmp_path, url)) as client:
        before = generations.given_up

        def gave_up() -> bool:
            found = client.post("/generate", json=body).json()
            assert found["choices"][0]["verdict"]["verdict"] == "pass"
            assert found["attempts"] < 64
            assert found["usage"]["completion_tokens"] > 0 and found["usage"]["prompt_tokens"] > 0
            return generations.given_up > before

        until(gave_up)


def test_a_full_queue_answers_429_and_when_to_come_back(tmp_path: Path, url: str) -> None:
    app = application(tmp_path, url, inference_queue=2)
    with api(app, send_buffer=4096) as client:
        queue = app.state.inference.queue
        unread = [unread_post(client.base_url, UNREAD) for _ in range(2)]
        until(lambda: queue.taken == 2)
        for path, asked in [
            ("/generate", SHORT),
            ("/generate", {**SHORT, "stream": True}),
            ("/v1/completions", {**SHORT, "model": BASE}),
        ]:
            refused = client.post(path, json=asked)
            assert (refused.status_code, refused.json()["error"]["code"]) == (
                429,
                "too_many_requests",
            ), path
            assert int(refused.headers["retry-after"]) > 0
        for connection in unread:
            connection.close()
        until(lambda: queue.taken == 0)
        assert client.post("/generate", json=SHORT).status_code == 200


def test_clients_that_read_nothing_keep_nobody_waiting(tmp_path: Path, url: str) -> None:
    app = application(tmp_path, url)
    with api(app, send_buffer=4096) as client, ExitStack() as lazy:
        queue = app.state.inference.queue
        for _ in range(2):
            lazy.enter_context(unread_post(client.base_url, UNREAD))
        until(lambda: queue.taken == 2)
        for _ in range(3):
            ask_shortly(client)
        # They still wait to be read; the short answers did not.
        assert queue.taken == 2


def test_a_client_that_reads_nothing_is_cut_off_without_a_traceback(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(_streams, "UNREAD_SECONDS", 0.5)
    app = application(tmp_path, url)
    with api(app, send_buffer=4096) as client, unread_post(client.base_url, UNREAD):
        until(lambda: "cut off" in caplog.text)
        until(lambda: app.state.inference.queue.taken == 0)
    assert not [record for record in caplog.records if record.exc_info]


def add_adapter(folder: Path, adapter: Path) -> None:
    engine = make_engine(Settings(data_dir=folder).url)
    job = submit(engine, JobSpec.model_validate({"method": "sft", "base_model": BASE}))
    with writing(engine) as session:
        session.add(
            Adapter(
                id=adapter.name,
                job_id=job.id,
                stage="sft",
                stage_index=0,
                base_model=BASE,
                parent=None,
                path=str(adapter),
                manifest=read_manifest(adapter).model_dump(mode="json"),
                created_at=0.0,
            )
        )
    engine.dispose()


@VLLM
def test_an_engine_that_dies_is_503_and_all_is_well_when_it_is_back(
    tmp_path: Path, vllm: Vllm, url: str, make_adapter: Callable[..., Path]
) -> None:
    adapter = make_adapter(tmp_path, "im-dies", 7)
    with api(application(tmp_path, url)) as client:
        add_adapter(tmp_path, adapter)
        asked = {**SHORT, "max_tokens": 24, "model": adapter.name}
        before = client.post("/generate", json=asked).json()["choices"]
        events = []
        with client.stream(
            "POST", "/v1/chat/completions", json={**ENDLESS, "stream": True}
        ) as stream:
            for line in stream.iter_lines():
                events.append(line)
                if len(events) == 20:
                    vllm.kill()
        assert '"error"' in "".join(events[-3:]) and '"unavailable"' in "".join(events[-3:])
        for path, body in [
            ("/generate", asked),
            ("/generate", {**asked, "stream": True}),
            ("/v1/completions", asked),
        ]:
            answer = client.post(path, json=body)
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable"), (
                path
            )
            assert int(answer.headers["retry-after"]) > 0
        assert client.get("/healthz").status_code == 200
        vllm.start()
        assert client.post("/generate", json=asked).json()["choices"] == before
        models = request("GET", f"{url}/v1/models").json()["data"]
        assert [model["id"] for model in models] == [BASE, adapter.name]
