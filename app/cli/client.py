"""The service over HTTP, as every command and the demo speak to it."""

import os
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any, Self

import typer

from app.errors import NotAnsweringError, RefusedError
from app.views import MAX_LIMIT

if TYPE_CHECKING:
    import httpx

API_KEY = "INFRAMIND_API_KEY"
"""Variable with the key for a service: an option would show in the list of processes."""
LOCAL = "http://127.0.0.1:8000"
TIMEOUT_SECONDS = 180.0
"""A search over sixteen answers takes minutes on two cores."""
SHOWN = 300
"""Characters that are shown of an answer that is not the service's."""
Url = Annotated[str, typer.Option("--url", envvar="INFRAMIND_URL", help="Where the service is.")]


class ServiceClient:
    """A running service. A context manager. Errors: NotAnsweringError, RefusedError."""

    def __init__(self, url: str = LOCAL) -> None:
        import httpx

        key = os.environ.get(API_KEY)
        # Only where there is one: an empty bearer is a wrong key, which is counted.
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        try:
            self._http = httpx.Client(
                base_url=url, headers=headers, timeout=TIMEOUT_SECONDS, trust_env=False
            )
        except httpx.InvalidURL as error:
            raise NotAnsweringError(_no_url(url, str(error))) from None
        self._url = url

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
        **query: Any,
    ) -> Any:
        """Give the JSON of the service's answer."""
        answer = self.fetch(method, path, body, content, headers, **query)
        try:
            return answer.json()
        except ValueError:
            raise NotAnsweringError(
                f"{self._url} answers, but is no InfraMind: {answer.text[:SHOWN]!r}"
            ) from None

    def fetch(
        self,
        method: str,
        path: str,
        body: Any = None,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
        **query: Any,
    ) -> "httpx.Response":
        """Give the service's answer, whatever it holds."""
        import httpx

        try:
            answer = self._http.request(
                method, path, json=body, content=content, headers=headers, params=query or None
            )
        except (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL) as error:
            raise NotAnsweringError(_no_url(self._url, str(error))) from None
        except httpx.HTTPError as error:
            raise NotAnsweringError(
                f"{self._url} does not answer ({type(error).__name__}): start the service with "
                "`inframind up`, or give --url"
            ) from None
        if answer.is_success:
            return answer
        raise _refusal(answer)

    def is_ready(self) -> bool:
        """Tell whether every part of the service answers."""
        import httpx

        try:
            return self._http.get("/readyz", timeout=5.0).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False


def rows_of(url: str, path: str, most: int | None = None, **query: Any) -> Iterator[Any]:
    """Give the rows of a list route, page after page; `most` of them where it is given."""
    with ServiceClient(url) as client:
        # The largest pages: a list of thousands is a few requests.
        while most is None or most > 0:
            size = MAX_LIMIT if most is None else min(most, MAX_LIMIT)
            page = client.call("GET", path, limit=size, **query)
            yield from page["data"]
            if not page["has_more"]:
                return
            query["after"] = page["last_id"]
            most = None if most is None else most - len(page["data"])


def call(
    url: str,
    method: str,
    path: str,
    body: Any = None,
    content: bytes | None = None,
    headers: dict[str, str] | None = None,
    **query: Any,
) -> Any:
    """Give the JSON of one answer."""
    with ServiceClient(url) as client:
        return client.call(method, path, body, content, headers, **query)


def _no_url(url: str, reason: str) -> str:
    return f"{url!r} is no URL of a service, such as {LOCAL}: {reason or 'it has no host'}"


def _refusal(answer: "httpx.Response") -> RefusedError:
    try:
        said = answer.json()["error"]
        field = f" (field {said['param']})" if said.get("param") else ""
        text = f"{said['code']}{field}: {said['message']}"
    except (ValueError, KeyError, TypeError, AttributeError):
        # Something in between, such as a proxy, has its own pages.
        return RefusedError(f"{answer.url} answered {answer.status_code}: {answer.text[:SHOWN]!r}")
    return RefusedError(text, param=said.get("param"))
