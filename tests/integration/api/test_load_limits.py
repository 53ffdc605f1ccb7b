"""Limits under load, on real servers of each kind: bounded queues, clients that leave or read nothing, engines that die."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from sse_starlette import ServerSentEvent

from app.db.migrate import upgrade
from app.db.session import make_engine, writing
from app.db.tables import Adapter
from app.jobs.spec import JobSpec
from app.main import create_app
from app.settings import Settings
from app.web import event_stream as _streams
from app.web.error_responses import add_handlers
from app.web.event_stream import streamed
from inframind.generation.engine import Completion, Engine
from inframind.generation.engine import Request as Row
from inframind.models.adapter import read_manifest
from tests.support.fleet import submit, until
from tests.support.inference_servers import BASE, PROMPT, Vllm, ended, listening

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
SHORT = {"prompt": PROMPT, "max_tokens": 4}
LONG = {"prompt": "a " * 48, "max_tokens": 900}
"""More than a second of work: what the bundled model says to this has no end, and more cores make no token come earlier."""
NUMBERS = {
    "name": "numbers",
    "schema": {"type": "array", "items": {"type": "integer"}, "minItems": 2000},
}
ENDLESS = {
    "model": BASE, "messages": [{"role": "user", "content": "count"}], "n": 8, "max_tokens": 3000, "temperature": 1.0,
    "response_format": {"type": "json_schema", "json_schema": NUMBERS},
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
    given = {"data_dir": folder, "inference_url": inference_url, "verifier_workers": 1, **fields}
    configured = Settings.model_validate(given)
    engine = make_engine(configured.url)
    upgrade(engine)
    engine.dispose()
    return create_app(configured)


@contextmanager
def api(app: FastAPI, send_buffer: int | None = None) -> Iterator[httpx.Client]:
    """The api as a server on a port of its own."""
    with (
        listening(app, send_buffer) as url,
        httpx.Client(base_url=url, timeout=120, trust_env=False) as client,
    ):
        yield client


def seconds_of_a_short_answer(client: httpx.Client) -> float:
    started = time.monotonic()
    answer = client.post("/generate", json=SHORT)
    assert answer.status_code == 200, answer.text
    return time.monotonic() - started


@pytest.fixture
def given_up(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], float]:
    """How many generations the embedded server's engine has given up."""
    engine: Engine = request.getfixturevalue("inference_engine")
    count, generate = [0], engine.generate

    def watched(rows: Sequence[Row], *arguments: Any) -> list[Completion]:
        found = generate(rows, *arguments)
        cut = [
            c.finish_reason == "length" and c.completion_tokens < row.max_tokens
            for row, c in zip(rows, found, strict=True)
        ]
        count[0] += any(cut)
        return found

    monkeypatch.setattr(engine, "generate", watched)
    return lambda: count[0]


VLLM = pytest.mark.parametrize("url", ["vllm"], indirect=True)
EMBEDDED = pytest.mark.parametrize("url", ["embedded"], indirect=True)
"""What these tests ask for, vLLM has written in a second."""


@EMBEDDED
def test_a_client_that_leaves_ends_its_generation(
    tmp_path: Path, url: str, given_up: Callable[[], float]
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
        seconds_of_a_short_answer(client)
        for path, body in [
            ("/generate", LONG),
            ("/generate", search),
            ("/v1/completions", completion),
        ]:
            before = given_up()
            with pytest.raises(httpx.ReadTimeout):
                client.post(path, json=body, timeout=0.5)
            until(lambda before=before: given_up() > before, 10.0)
        for path, body in [("/generate", LONG), ("/v1/completions", completion)]:
            before = given_up()
            with client.stream("POST", path, json={**body, "stream": True}) as answer:
                assert next(line for line in answer.iter_lines() if line.startswith("data:"))
            until(lambda before=before: given_up() > before, 10.0)


def test_a_client_that_leaves_before_the_first_event_ends_the_work() -> None:
    left = Event()

    async def silent() -> AsyncGenerator[ServerSentEvent]:
        try:
            await asyncio.sleep(60)
            yield ServerSentEvent(data="too late")
        finally:
            left.set()

    app = FastAPI()
    add_handlers(app)

    @app.post("/stream")
    async def stream(request: Request) -> Response:
        return await streamed(silent(), request)

    with listening(app) as url:
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{url}/stream", timeout=0.3, trust_env=False)
        until(left.is_set, 10.0)


@VLLM
def test_a_client_that_leaves_frees_vllm(tmp_path: Path, url: str) -> None:
    with api(application(tmp_path, url)) as client:
        before = ended(url)
        with pytest.raises(httpx.ReadTimeout):
            client.post("/v1/chat/completions", json=ENDLESS, timeout=1.5)
        until(lambda: ended(url) == before, 10.0)
        with client.stream(
            "POST", "/v1/chat/completions", json={**ENDLESS, "stream": True}
        ) as answer:
            # httpx closes the connection when nobody holds the iterator any more.
            lines = answer.iter_lines()
            # No closing quote: a slow machine sends several tokens in one event.
            assert next(line for line in lines if '"content": "[' in line)
            until(lambda: ended(url) == -1.0, 10.0)
        until(lambda: ended(url) == before, 10.0)


@EMBEDDED
def test_a_search_that_has_found_an_answer_ends_the_others(
    tmp_path: Path, url: str, given_up: Callable[[], float]
) -> None:
    """Nothing is asked of these answers but to be valid, so the first to end mostly passes while three are still written."""
    body = {
        "prompt": PROMPT,
        "max_tokens": 600,
        "temperature": 1.0,
        "best_of": 64,
        "category": "kubernetes",
    }
    with api(application(tmp_path, url)) as client:
        before = given_up()

        def gave_up() -> bool:
            found = client.post("/generate", json=body).json()
            assert found["choices"][0]["verdict"]["verdict"] == "pass"
            assert found["attempts"] < 64
            assert found["usage"]["completion_tokens"] > 0 and found["usage"]["prompt_tokens"] > 0
            return given_up() > before

        until(gave_up, 60.0)


def test_a_full_queue_answers_429_and_when_to_come_back(tmp_path: Path, url: str) -> None:
    app = application(tmp_path, url, inference_queue=2)
    with api(app, send_buffer=4096) as client:
        queue = app.state.inference.queue
        unread = [unread_post(client.base_url, UNREAD) for _ in range(2)]
        until(lambda: queue.taken == 2)
        for path, asked in [
            ("/generate", SHORT), ("/generate", {**SHORT, "stream": True}), ("/v1/completions", {**SHORT, "model": BASE}),
        ]:  # fmt: skip
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
            seconds_of_a_short_answer(client)
        # They still wait to be read; the short answers did not.
        assert queue.taken == 2


def test_a_client_that_reads_nothing_is_cut_off_without_a_traceback(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(_streams, "UNREAD_SECONDS", 0.5)
    app = application(tmp_path, url)
    with api(app, send_buffer=4096) as client, unread_post(client.base_url, UNREAD):
        until(lambda: app.state.inference.queue.taken == 1)
        until(lambda: app.state.inference.queue.taken == 0)
        until(lambda: "cut off" in caplog.text)
    assert not [record for record in caplog.records if record.exc_info]


def unread_post(address: httpx.URL, body: bytes, path: str = "/v1/completions") -> socket.socket:
    """A request whose answer is never read, by a client with the smallest buffer there is."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    connection.connect((address.host, address.port))
    lines = (
        f"POST {path} HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    )
    connection.sendall("\r\n".join((*lines, "", "")).encode() + body)
    return connection


def add_adapter(folder: Path, adapter: Path) -> None:
    engine = make_engine(Settings(data_dir=folder).url)
    job = submit(engine, JobSpec.model_validate({"method": "sft", "base_model": BASE}))
    with writing(engine) as session:
        session.add(
            Adapter(
                id=adapter.name, job_id=job.id, stage="sft", stage_index=0, base_model=BASE, parent=None, path=str(adapter),
                manifest=read_manifest(adapter).model_dump(mode="json"), created_at=0.0,
            )
        )  # fmt: skip
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
        models = httpx.get(f"{url}/v1/models", trust_env=False).json()["data"]
        assert [model["id"] for model in models] == [BASE, adapter.name]
