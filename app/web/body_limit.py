"""Refuses bodies that are too large, too deep or no JSON."""

import asyncio
import re
from collections.abc import Collection
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
AS_LISTS = bytes.maketrans(b"{}", b"[]")
NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


@dataclass(frozen=True)
class BodyLimits:
    """Bounds what a request's body may be, for every route."""

    json_bytes: int = 1_000_000
    file_bytes: int = 50_000_000
    """A dataset of 20,000 rows, which is the most that one may have, of 2.5 kB each."""
    depth: int = 64
    """Lists and objects within one another. A job with its LoRA targets has five."""
    piece_seconds: float = 30.0
    """How long the client may take to send the next piece."""


DEFAULT_BODY_LIMITS = BodyLimits()


class BodyLimit:
    """Refuses a body that is too large, too deep, or that does not come; `file_paths` take files.

    Counts what really comes: a declared length may be missing or wrong.
    """

    def __init__(self, app: ASGIApp, limits: BodyLimits, file_paths: Collection[str]) -> None:
        self._app, self._limits, self._file_paths = app, limits, file_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or answers it with the refusal."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_json = scope["path"] not in self._file_paths
        limit = self._limits.json_bytes if is_json else self._limits.file_bytes
        depth = self._limits.depth
        body, size, whole = bytearray(), 0, False

        async def checked() -> Message:
            nonlocal size, whole
            if whole:
                return await receive()
            # FastAPI passes an HTTPException of the stream on to the handlers, and nothing else.
            try:
                async with asyncio.timeout(self._limits.piece_seconds):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, "the body does not come") from None
            piece = message.get("body", b"")
            size += len(piece)
            if size > limit:
                raise HTTPException(413, f"the body has more than {limit} bytes")
            if is_json:
                body.extend(piece)
            whole = not message.get("more_body", False)
            if whole and is_deeper(body, depth):
                raise HTTPException(422, f"the body nests deeper than {depth} levels")
            return message

        await self._app(scope, checked, send)


def is_deeper(body: bytes | bytearray, limit: int) -> bool:
    """Tells whether a JSON text nests deeper than `limit`.

    Some milliseconds for a megabyte, whatever is in it.
    """
    if body.count(b"[") + body.count(b"{") <= limit:
        return False
    rest = STRING.sub(b"", body).translate(AS_LISTS, NO_BRACKETS)
    for _ in range(limit):
        # Peels the innermost level.
        rest = rest.replace(b"[]", b"")
    return bool(rest)
