"""Server-sent events that begin when there is something to say and end when nobody reads them."""

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing

from sse_starlette import EventSourceResponse, ServerSentEvent
from sse_starlette.sse import SendTimeoutError
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from app.web.disconnect import unless_gone

log = logging.getLogger("inframind.api")
UNREAD_SECONDS = 60.0
"""A client that reads nothing for so long loses its stream, and with it its place in the queue."""


class EventStream(EventSourceResponse):
    """Events for a client that reads them.

    One that does not is cut off: its fault, and no error of ours.
    """

    def __init__(self, source: AsyncGenerator[ServerSentEvent]) -> None:
        super().__init__(source, send_timeout=UNREAD_SECONDS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the stream's events until its end or the client's."""
        try:
            await super().__call__(scope, receive, send)
        except SendTimeoutError:
            log.warning("a client has not read its stream for %g s: it is cut off", UNREAD_SECONDS)


async def streamed(source: AsyncGenerator[ServerSentEvent], request: Request) -> EventStream:
    """The events as an answer, once the first is there.

    Whoever leaves before it has ended the work, too.
    """
    return EventStream(await unless_gone(request, started(source)))


async def started(source: AsyncGenerator[ServerSentEvent]) -> AsyncGenerator[ServerSentEvent]:
    """Waits for the first event: a refusal is an answer with its status, not a broken stream."""
    first = await anext(source)

    async def rest() -> AsyncGenerator[ServerSentEvent]:
        async with aclosing(source):
            yield first
            async for event in source:
                yield event

    return rest()
