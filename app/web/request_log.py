"""Notes every request.

Its id, its line in the audit log, its time; and the headers of every answer.
"""

import logging
import re
import time
import uuid
from typing import Any

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.keys import Caller
from app.web.prometheus import Metrics

log = logging.getLogger("inframind.audit")
# Nothing else gets by a client's own choice into a header and every line of its request.
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cache-control": b"no-store",
    b"cross-origin-resource-policy": b"same-origin",
}
UNREAD = (401, 403, 408, 413, 415, 429)
"""Answers that may come before the whole body: without an end of the connection it would go on
coming."""
POLICY = b"default-src 'none'; frame-ancestors 'none'"
"""Nothing in an answer is a page; /docs is one, and loads its parts from elsewhere."""


class RequestLog:
    """The outermost layer: it sees refusals too."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on and notes its end."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        client_id = Headers(scope=scope).get("x-request-id", "")
        scope["request_id"] = request_id = (
            client_id if REQUEST_ID.fullmatch(client_id) else uuid.uuid4().hex
        )
        structlog.contextvars.bind_contextvars(request_id=request_id)
        began, status = time.perf_counter(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                ours = {**HEADERS, b"x-request-id": request_id.encode()}
                # h11 and httptools would read the rest of the body to use the connection again.
                if status in UNREAD and scope["method"] != "GET":
                    ours[b"connection"] = b"close"
                if scope["path"] != "/docs":
                    ours[b"content-security-policy"] = POLICY
                message["headers"] = [
                    *(pair for pair in message["headers"] if pair[0] not in ours),
                    *ours.items(),
                ]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            seconds = time.perf_counter() - began
            self._metrics.request(scope["method"], route_of(scope), status, seconds)
            if code := scope.get("error_code"):
                self._metrics.errors.labels(code).inc()
            # Reading one's own is no event; what changes something, or is refused, is.
            level = logging.DEBUG if scope["method"] == "GET" and status < 400 else logging.INFO
            if log.isEnabledFor(level):
                log.log(level, "request", extra=audit(scope, status, seconds))
            structlog.contextvars.clear_contextvars()


def route_of(scope: Scope) -> str:
    """The route's pattern: few values, whatever is asked for."""
    return getattr(scope.get("route"), "path_format", "unknown")


def audit(scope: Scope, status: int, seconds: float) -> dict[str, Any]:
    """Writes who did what into the audit log.

    Key, route, status, and the jobs, datasets and models that were meant or made.
    """
    caller: Caller | None = scope.get("caller")
    return {
        "method": scope["method"],
        "route": route_of(scope),
        "status": status,
        "code": scope.get("error_code"),
        "milliseconds": round(1000 * seconds, 1),
        "client": (scope.get("client") or (None,))[0],
        "key": caller.key_id if caller else None,
        "owner": caller.owner if caller else None,
        "made": scope.get("made", []),
        **scope.get("path_params", {}),
    }
