"""The HTTP to an inference server, against servers over real sockets that chunk oddly, break off,
hang up or are not there."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import aclosing
from threading import Event
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from app.errors import UnavailableError
from app.inference.transport import Transport
from tests.support.inference_servers import listening
from tests.support.waiting import HANG_SECONDS, until
from workers.up import free_port

LARGE = "x" * 1_000_000
PIECES = (
    b"data: {1}\n\nda",
    b"ta:{2}\r\n",
    b"\r\n: a comment\n\nevent: ping\ndata: {3}\n\n",
    f"data: {LARGE}\n\n".encode(),
    b"data: [DONE]\n\n",
)
"""An event in two pieces, another line end, no blank, a comment, two events in one piece, one that
no buffer holds."""
entered, left = Event(), Event()


async def oddly(_: Request) -> AsyncIterator[bytes]:
    for piece in PIECES:
        yield piece
        await asyncio.sleep(0.01)


async def broken(_: Request) -> AsyncIterator[bytes]:
    yield b"data: {1}\n\n"
    raise ConnectionError("as an engine that dies")


async def endless(request: Request) -> AsyncIterator[bytes]:
    entered.set()
    try:
        while True:
            yield b"data: {1}\n\n"
            await asyncio.sleep(0.01)
    finally:
        left.set()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    app = FastAPI()

    @app.post("/{kind}")
    async def answer(kind: str, request: Request) -> StreamingResponse:
        return StreamingResponse(
            {"oddly": oddly, "broken": broken, "endless": endless}[kind](request)
        )

    @app.get("/health")
    async def health() -> None:
        pass

    with listening(app) as found:
        yield found


def on(url: str, work: Callable[[Transport], Coroutine[Any, Any, Any]]) -> Any:
    async def run() -> Any:
        transport = Transport(url, HANG_SECONDS)
        try:
            return await work(transport)
        finally:
            await transport.close()

    return asyncio.run(run())


async def read(transport: Transport, path: str, at_most: int = 100) -> list[str]:
    found: list[str] = []
    async with transport.open(path, {}) as stream, aclosing(stream.events()) as events:
        async for event in events:
            found.append(event.decode())
            if len(found) == at_most:
                break
    return found


def test_events_are_whole_however_they_are_cut(server: str) -> None:
    assert on(server, lambda transport: read(transport, "/oddly")) == ["{1}", "{2}", "{3}", LARGE]


def test_leaving_closes_the_connection(server: str) -> None:
    left.clear()
    assert on(server, lambda transport: read(transport, "/endless", at_most=2)) == ["{1}", "{1}"]
    until(left.is_set)


def test_giving_up_a_whole_answer_closes_the_connection(server: str) -> None:
    async def give_up(transport: Transport) -> None:
        asked = asyncio.create_task(transport.post("/endless", {}))
        await asyncio.to_thread(until, entered.is_set)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        assert asked.cancelled()

    entered.clear(), left.clear()
    on(server, give_up)
    until(left.is_set)


def test_a_stream_that_breaks_off_is_unavailable(server: str) -> None:
    with pytest.raises(UnavailableError):
        on(server, lambda transport: read(transport, "/broken"))


def test_a_server_that_is_not_there_is_unavailable() -> None:
    nowhere = f"http://127.0.0.1:{free_port('127.0.0.1')}"
    with pytest.raises(UnavailableError):
        on(nowhere, lambda transport: transport.post("/oddly", {}))
    assert on(nowhere, lambda transport: transport.answers("/health", 1.0)) is False


def test_no_proxy_of_the_environment_comes_between(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assert on(server, lambda transport: transport.answers("/health", HANG_SECONDS)) is True
