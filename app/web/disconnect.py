"""Work that ends when nobody waits for it."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from starlette.requests import Request

from app.errors import UnavailableError

Answer = TypeVar("Answer")


async def unless_gone(request: Request, work: Awaitable[Answer]) -> Answer:
    """The work's result.

    It is cancelled when the client goes, so that an engine does not write for nobody.

    Waits for the end of the connection: asking `is_disconnected` again and again costs a server
    that generates much of its time.
    """
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
