"""HTTP to the inference server: whole answers and streams of events over connections that are kept.

aiohttp and not httpx, because this hop is in the way of every token: docs/results/serving.md has
what either costs.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from app.errors import UnavailableError

SILENT = "the inference server does not answer; try again in a moment"
CONNECT_SECONDS = 2.0
IDLE_SECONDS = 4.0
"""uvicorn, which vLLM and the embedded server run on, closes a connection that was idle for 5 s:
ours must be gone before."""
MAX_CONNECTIONS = 256
BUFFER_BYTES = 65_536
"""A client that does not read its stream holds up the server's, and not this process's memory."""
DATA, DONE = b"data:", b"[DONE]"


@dataclass(frozen=True)
class Reply:
    """Status and whole body of an answer."""

    status: int
    body: bytes


class Stream:
    """An answer whose body may still be coming."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status

    async def reply(self) -> Reply:
        """The answer when it is whole."""
        return Reply(self.status, await self._response.read())

    async def events(self) -> AsyncGenerator[bytes]:
        """Reads the data of each server-sent event, up to `[DONE]`, as they come.

        Form: https://html.spec.whatwg.org/#server-sent-events.
        """
        rest = b""
        async for piece in self._response.content.iter_any():
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                if line.startswith(DATA) and (data := line[len(DATA) :].strip()) != DONE:
                    yield data


class Transport:
    """Kept connections to one server.

    Make it inside the event loop that uses it. Failures of every kind are UnavailableError.
    """

    def __init__(self, url: str, timeout_seconds: float) -> None:
        self._url = url.rstrip("/")
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=MAX_CONNECTIONS, keepalive_timeout=IDLE_SECONDS),
            timeout=aiohttp.ClientTimeout(sock_connect=CONNECT_SECONDS, sock_read=timeout_seconds),
            # A server that sets cookies would tie one user's request to another's.
            cookie_jar=aiohttp.DummyCookieJar(),
            read_bufsize=BUFFER_BYTES,
            trust_env=False,
        )

    async def close(self) -> None:
        """Closes the connections that are kept open."""
        await self._http.close()

    async def answers(self, path: str, within_seconds: float) -> bool:
        """Tells whether a GET of the path is 200 within the time."""
        try:
            async with self._http.get(
                self._url + path, timeout=aiohttp.ClientTimeout(within_seconds)
            ) as response:
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def post(self, path: str, body: dict[str, Any]) -> Reply:
        """The whole answer. Cancel it to give it up: its connection is closed."""
        async with self.open(path, body) as stream:
            return await stream.reply()

    @asynccontextmanager
    async def open(self, path: str, body: dict[str, Any]) -> AsyncIterator[Stream]:
        """The answer as it comes.

        Leaving before its end closes its connection, which ends the work behind it.
        """
        try:
            async with self._http.post(
                self._url + path, json=body, allow_redirects=False
            ) as response:
                yield Stream(response)
        except (aiohttp.ClientError, TimeoutError):
            raise UnavailableError(SILENT) from None
