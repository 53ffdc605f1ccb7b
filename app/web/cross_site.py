"""Refuses what another site's page sends to a route that changes something.

A browser adds no key, but it reaches the loopback, where a service without keys is open.
"""

from collections.abc import Collection, Mapping

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import CrossSiteError, MediaTypeError
from app.web.error_responses import refusal
from inframind.errors import InfraMindError

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""RFC 9110, 9.2.1: these change nothing."""
OWN_SITES = frozenset({"same-origin", "none"})
"""`Sec-Fetch-Site` of our own pages and of what the person typed. `same-site` is not among them:
every port of this machine is the same site."""
JSON_TYPES = ("application/json",)


class CrossSiteWrites:
    """Refuses writes of foreign pages, and bodies of types that no script is needed for.

    The rules are those of Go's `net/http.CrossOriginProtection`. Clients that are no browsers send
    neither header. `origins` may write although they are foreign; `body_types` has the content
    types of the routes whose body is not JSON.
    """

    def __init__(
        self,
        app: ASGIApp,
        body_types: Mapping[str, Collection[str]],
        origins: Collection[str] = (),
    ) -> None:
        self._app, self._body_types, self._origins = app, body_types, frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or answers it with the refusal."""
        if scope["type"] == "http" and scope["method"] not in SAFE_METHODS:
            headers = Headers(scope=scope)
            try:
                self._check_origin(headers)
                self._check_type(headers, scope["path"])
            except InfraMindError as error:
                await refusal(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _check_origin(self, headers: Headers) -> None:
        """Refuses a page of another origin. Raises CrossSiteError."""
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        if origin in self._origins:
            return
        # The browser writes this one itself, and knows its own origin behind any proxy.
        if site is not None and site not in OWN_SITES:
            raise CrossSiteError(_refused(origin or f"a page that is {site}"))
        # Older browsers send the origin alone. Its scheme says nothing here: a proxy ends the TLS.
        if site is None and origin is not None:
            host = headers.get("host", "").lower()
            if origin.lower().partition("://")[2] != host:
                raise CrossSiteError(_refused(origin))

    def _check_type(self, headers: Headers, path: str) -> None:
        """Refuses a body that the route does not take. Raises MediaTypeError.

        A page sends forms and plain text anywhere without asking (the Fetch standard's simple
        content types), and anything else only after a preflight, which nothing here answers.
        """
        accepted = self._body_types.get(path, JSON_TYPES)
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if not kind:
            if accepted is not JSON_TYPES or not _has_body(headers):
                return
        elif kind in accepted or (accepted is JSON_TYPES and kind.endswith("+json")):
            return
        sent = f"is {kind[:80]}" if kind else "is missing"
        raise MediaTypeError(
            f"the header Content-Type {sent}; {path} takes {' or '.join(accepted)}:"
            f" send `Content-Type: {next(iter(accepted))}`",
            param="Content-Type",
        )


def _has_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


def _refused(page: str) -> str:
    return (
        f"this request comes from {page[:200]}, and changes something here: pages of other origins"
        " may not"
    )
