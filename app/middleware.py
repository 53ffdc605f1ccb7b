"""What every request passes before it is routed."""

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyLimit:
    """Refuses bodies over `limit` bytes, or over the limit of their path.

    Counts what really comes: a declared length may be missing or wrong.
    """

    def __init__(self, app: ASGIApp, limit: int, limits: Mapping[str, int]) -> None:
        self._app = app
        self._limit, self._limits = limit, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI call."""
        size = 0
        limit = self._limits.get(scope.get("path", ""), self._limit)

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > limit:
                # FastAPI passes an HTTPException of the stream on to the handlers, and nothing else.
                raise HTTPException(413, f"the body has more than {limit} bytes")
            return message

        await self._app(scope, counted if scope["type"] == "http" else receive, send)
