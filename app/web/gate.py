"""Gate that every request passes first: who asks, how often, how much at once.

What is not let in never reaches a route or a body.
"""

import ipaddress
import time
from collections import Counter
from collections.abc import Iterable

from fastapi.concurrency import run_in_threadpool
from limits import RateLimitItem, parse
from limits.aio.strategies import FixedWindowRateLimiter
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.db.ownership import Acting, acting
from app.db.session import DATABASE_AWAY
from app.errors import TooManyRequestsError, UnauthorizedError
from app.keys import ANYONE, KEY_PREFIX, Caller, Keyring
from app.settings import Settings
from app.web.error_responses import database_away, refusal
from app.web.rate_window import SteadyStorage
from inframind.errors import InfraMindError

OPEN_PATHS = frozenset({"/healthz", "/readyz"})
DOCS_PATHS = frozenset({"/docs", "/openapi.json"})
NOBODY = Acting(owner="")
"""Sees nothing and owns nothing."""


class Gate:
    """Authentication, rate limit and concurrency limit, before anything of the body is read."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._settings = app, settings
        self._open_paths = OPEN_PATHS | (DOCS_PATHS if settings.shows_docs else frozenset())
        self._rate, self._failures = parse(settings.rate_limit), parse(settings.failed_key_limit)
        self._limiter = FixedWindowRateLimiter(SteadyStorage())
        self._running: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets a request in, or answers it with the refusal."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["path"] in self._open_paths:
            acting.set(NOBODY)
            await self._app(scope, receive, send)
            return
        try:
            caller = await self._caller(scope)
            await self._count(caller)
        except InfraMindError as error:
            await refusal(error)(scope, receive, send)
            return
        except DATABASE_AWAY as error:
            await database_away(error)(scope, receive, send)
            return
        scope["caller"] = caller
        created: list[str] = []
        scope["made"] = created
        acting.set(Acting(caller.owner, caller.may("admin"), scope["request_id"], created))
        self._running[caller.key_id] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._running[caller.key_id] -= 1

    async def _caller(self, scope: Scope) -> Caller:
        """Raises UnauthorizedError or TooManyRequestsError."""
        kind, _, token = Headers(scope=scope).get("authorization", "").partition(" ")
        if (
            not token.startswith(KEY_PREFIX)
            and self._settings.is_open
            and _is_local(scope.get("server"))
        ):
            # OpenAI's clients always send some key; one of ours must still be a valid one.
            return ANYONE
        keys: Keyring = scope["app"].state.keys
        caller = keys.remembered(token)
        if caller is not None and kind.lower() == "bearer":
            return caller
        client = (scope.get("client") or ("unknown",))[0]
        if not await self._limiter.test(self._failures, client):
            raise await self._too_many(self._failures, "failed attempts to use a key", client)
        caller = await run_in_threadpool(keys.find, token) if kind.lower() == "bearer" else None
        if caller is None:
            await self._limiter.hit(self._failures, client)
            raise UnauthorizedError("a valid API key is needed: `Authorization: Bearer im_...`")
        return caller

    async def _count(self, caller: Caller) -> None:
        """Counts a request against its caller's limit. Raises TooManyRequestsError."""
        if caller is ANYONE:
            return
        if self._running[caller.key_id] >= self._settings.max_concurrent_requests:
            raise TooManyRequestsError(
                f"this key has {self._running[caller.key_id]} requests that are not answered yet", 1
            )
        if not await self._limiter.hit(self._rate, caller.key_id):
            raise await self._too_many(self._rate, "requests", caller.key_id)

    async def _too_many(self, limit: RateLimitItem, what: str, who: str) -> TooManyRequestsError:
        # Monotonic, as the storage's windows are.
        reset_at, _ = await self._limiter.get_window_stats(limit, who)
        return TooManyRequestsError(
            f"too many {what}: {limit} are allowed", max(1, int(reset_at - time.monotonic()) + 1)
        )


def _is_local(server: Iterable[object] | None) -> bool:
    """Tells whether the connection came in on this machine's loopback.

    Whatever the settings say, the service is open nowhere else.
    """
    host = str(next(iter(server or ("",))))
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        # No address: a Unix socket, or a test without a network.
        return True
