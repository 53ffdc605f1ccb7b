"""Server-sent events that begin only when there is something to say."""

from collections.abc import AsyncIterator

from sse_starlette import ServerSentEvent


async def started(source: AsyncIterator[ServerSentEvent]) -> AsyncIterator[ServerSentEvent]:
    """Waits for the first event, so that a refusal is an answer with its status and not a stream that breaks."""
    first = await anext(source)

    async def rest() -> AsyncIterator[ServerSentEvent]:
        yield first
        async for event in source:
            yield event

    return rest()
