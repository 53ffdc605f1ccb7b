"""Server-sent events that begin only when there is something to say, and work that ends when nobody waits for it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any, TypeVar

from fastapi import Request
from sse_starlette import EventSourceResponse, ServerSentEvent

from app.errors import UnavailableError

Answer = TypeVar("Answer")


UNREAD_SECONDS = 60.0
"""A client that reads nothing for so long loses its stream, and with it its place in the queue."""


async def streamed(source: AsyncIterator[ServerSentEvent]) -> EventSourceResponse:
    """The events as an answer, once the first is there."""
    return EventSourceResponse(await started(source), send_timeout=UNREAD_SECONDS)


async def started(source: AsyncIterator[ServerSentEvent]) -> AsyncIterator[ServerSentEvent]:
    """Waits for the first event, so that a refusal is an answer with its status and not a stream that breaks."""
    first = await anext(source)

    async def rest() -> AsyncIterator[ServerSentEvent]:
        yield first
        async for event in source:
            yield event

    return rest()


async def unless_gone(request: Request, work: Coroutine[Any, Any, Answer]) -> Answer:
    """The work's result; it is cancelled when the client goes, so that an engine does not write for nobody."""
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise UnavailableError("the client has gone")
        return task.result()
    finally:
        task.cancel()
        gone.cancel()


async def _gone(request: Request) -> None:
    # The body was read, so the next message can only be the end of the connection.
    while (await request.receive())["type"] != "http.disconnect":
        pass
