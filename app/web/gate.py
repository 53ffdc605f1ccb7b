"""Gate that every request passes first: who asks, how often, how much at once.

What is not let in never reaches a route or a body.
"""

import ipaddress
import logging
import time
from collections import Counter
from collections.abc import Iterable

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

log = logging.getLogger("inframind.api")
OPEN_PATHS = frozenset({"/healthz", "/readyz"})
DOCS_PATHS = frozenset({"/docs", "/openapi.json"})
NEEDS_KEY = "a valid API key is needed: `Authorization: Bearer im_...`"
FORWARDED_PREFIX = "x-forwarded"
FORWARDED = frozenset(
    {
        "forwarded",  # RFC 7239
        "via",  # RFC 9110, 7.6.3
        "x-real-ip",  # nginx' documentation
        "x-client-ip",
        "x-original-forwarded-for",
        "x-envoy-external-address",
        "cf-connecting-ip",  # Cloudflare, its tunnel to the loopback too
        "true-client-ip",
        "fly-client-ip",
    }
)
"""Headers by which a proxy tells on whose behalf it asks."""
NOBODY = Acting(owner="")
"""Sees nothing and owns nothing."""


class Gate:
    """Authentication, rate limit and concurrency limit, before anything of the body is read."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._settings = app, settings
        # Where `docs` is not set, they are for whoever gets in.
        self._open_paths = OPEN_PATHS | (DOCS_PATHS if settings.docs else frozenset())
        self._rate, self._failures = parse(settings.rate_limit), parse(settings.failed_key_limit)
        self._limiter = FixedWindowRateLimiter(SteadyStorage())
        self._running: Counter[str] = Counter()
        self._told_of_proxy = False

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
        key = None if caller is ANYONE else caller.key_id
        acting.set(Acting(caller.owner, caller.may("admin"), scope["request_id"], created, key))
        self._running[caller.key_id] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._running[caller.key_id] -= 1

    async def _caller(self, scope: Scope) -> Caller:
        """Raises UnauthorizedError or TooManyRequestsError."""
        headers = Headers(scope=scope)
        keys: Keyring = scope["app"].state.keys
        kind, _, token = headers.get("authorization", "").partition(" ")
        message = NEEDS_KEY
        if self._settings.is_open and not token.startswith(KEY_PREFIX):
            # OpenAI's clients always send some key; one of ours must still be a valid one.
            reason = await self._closed_by(scope, headers, keys)
            if reason is None:
                return ANYONE
            message = f"{NEEDS_KEY} {reason}"
        caller = await keys.find(token) if kind.lower() == "bearer" else None
        if caller is not None:
            return caller
        # Only now: behind a proxy or a NAT those who guess and those who know share an address.
        client = identity_of(scope)
        if not await self._limiter.hit(self._failures, client):
            raise await self._too_many(self._failures, "failed attempts to use a key", client)
        raise UnauthorizedError(message)

    async def _closed_by(self, scope: Scope, headers: Headers, keys: Keyring) -> str | None:
        """Says why a service that its settings leave open asks for a key; None: it does not."""
        if not _is_local(scope.get("server")):
            return "This request came from beyond this machine"
        # A proxy on this host connects from the loopback as the person at it does.
        for name in headers:
            if name in FORWARDED or name.startswith(FORWARDED_PREFIX):
                if not self._told_of_proxy:
                    self._told_of_proxy = True
                    log.warning("a proxy forwards to this service, which has no key: %s", name)
                return f"This request was forwarded by a proxy (header {name})"
        return None if await keys.is_empty() else "API keys were made for this service"

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


def identity_of(scope: Scope) -> str:
    """Gives the part of a client's address that one subscriber has: of IPv6 a /64 (RFC 6177)."""
    host = str((scope.get("client") or ("unknown",))[0])
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        return str(address.ipv4_mapped or ipaddress.ip_network((int(address), 64), strict=False))
    return host


def _is_local(server: Iterable[object] | None) -> bool:
    """Tells whether the connection came in on this machine's loopback.

    Whatever the settings say, the service is open nowhere else: not on a Unix socket either, which
    has no address and is how proxies are connected.
    """
    try:
        return ipaddress.ip_address(str(next(iter(server or ("",))))).is_loopback
    except ValueError:
        return False
