"""Server-sent events that begin only when there is something to say."""

from collections.abc import AsyncIterator

from sse_starlette import EventSourceResponse, ServerSentEvent

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
