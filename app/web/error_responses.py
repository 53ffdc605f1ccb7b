"""One form for every error.

`{"error": {"code", "message", "param", "type"}}`, which is OpenAI's.
"""

import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from app.db.session import DATABASE_AWAY, is_database_full
from app.errors import TooManyRequestsError, UnauthorizedError, kind_of, status_of
from inframind.errors import InfraMindError, NoSpaceError, is_disk_full
from inframind.validation import Fault, first_fault

log = logging.getLogger("inframind.api")
RETRY_AFTER_SECONDS = 2
# psycopg's, and what sqlite3 raises for integers over 64 bits and for lone surrogates.
UNSTORABLE = (DataError, OverflowError, UnicodeEncodeError)
CODES = {
    404: "not_found",
    405: "method_not_allowed",
    408: "body_too_slow",
    413: "body_too_large",
    422: "invalid_request",
}
MESSAGES = {404: "there is no such route"}


class ErrorResponse(JSONResponse):
    """An error's answer, whose code the audit log and the metrics count."""

    def __init__(self, status: int, body: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        super().__init__({"error": body}, status, headers=headers)
        self.code = body["code"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Notes the code in the scope, which every layer shares, and answers."""
        scope["error_code"] = self.code
        await super().__call__(scope, receive, send)


def add_handlers(app: FastAPI) -> None:
    """Gives every error that can reach the application its answer."""
    app.add_exception_handler(InfraMindError, _known)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    for away in DATABASE_AWAY:
        app.add_exception_handler(away, _database)
    for refused in UNSTORABLE:
        app.add_exception_handler(refused, _unstorable)
    # What Starlette finds for Exception is raised again behind the answer; a full disk is no crash.
    app.add_exception_handler(OSError, _unknown)
    app.add_exception_handler(Exception, _unknown)


def _answer(
    status: int,
    code: str,
    message: str,
    param: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    retry = (
        {"Retry-After": str(RETRY_AFTER_SECONDS)}
        if status in (429, 503) or code == "in_flight"
        else {}
    )
    body = {"code": code, "message": message, "param": param, "type": kind_of(status)}
    return ErrorResponse(status, body, {**retry, **(headers or {})})


def _known(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, InfraMindError)
    return refusal(error, _status(request, status_of(error)))


def refusal(error: InfraMindError, status: int | None = None) -> JSONResponse:
    """The answer to an error of ours."""
    headers = {"WWW-Authenticate": "Bearer"} if isinstance(error, UnauthorizedError) else {}
    if isinstance(error, TooManyRequestsError):
        headers["Retry-After"] = str(error.retry_after)
    return _answer(status or status_of(error), error.code, str(error), error.param, headers)


def _status(request: Request, status: int) -> int:
    """OpenAI's clients know a bad request by 400."""
    return 400 if status == 422 and request.url.path.startswith("/v1/") else status


def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    errors = error.errors()
    first, status = errors[0], _status(request, 422)
    if first["type"] == "json_invalid":
        return _answer(status, "invalid_request", f"the body is not JSON: {first['ctx']['error']}")
    # The first part says where the field is: body, query, path or header.
    where, *inside = first["loc"]
    if where == "body" and isinstance(error.body, bytes):
        # FastAPI reads JSON by its content type alone; curl's default is a form's.
        message = "the body is read as JSON with `Content-Type: application/json` alone: send it"
        return _answer(status, "invalid_request", message, "Content-Type")
    if where == "body":
        same = [{**other, "loc": other["loc"][1:]} for other in errors if other["loc"][0] == where]
        fault = first_fault(same, error.body)
    else:
        # A parameter has one value or several, and no fields.
        fault = Fault(".".join(map(str, inside)), first["msg"])
    return _answer(
        status,
        "unknown_parameter" if fault.is_unknown else "invalid_request",
        f"{fault.field or 'body'}: {fault.reason}",
        fault.field or None,
    )


def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if is_disk_full(error):
        # A form's files go through the disk, and FastAPI takes whatever fails there for a bad form.
        return _no_space(error)
    if error.status_code == 400:
        # Starlette's words for a form. FastAPI's answer to a body that Python's parser gives up on,
        # such as one that is not UTF-8 or has a number of over 4,300 digits, has no words of use.
        unread = request.headers.get("content-encoding") or "JSON"
        is_form = "form" in request.headers.get("content-type", "")
        message = f"the body cannot be read: {error.detail}"
        if not is_form:
            message = f"the body cannot be read as {unread}: send JSON in UTF-8, not compressed"
        return _answer(_status(request, 422), "invalid_request", message)
    message = MESSAGES.get(error.status_code, str(error.detail))
    return _answer(
        _status(request, error.status_code),
        CODES.get(error.status_code, "http_error"),
        message,
        headers=error.headers,
    )


def _database(_: Request, error: Exception) -> JSONResponse:
    return database_away(error)


def database_away(error: Exception) -> JSONResponse:
    """The answer while the database is away, or has no room."""
    if is_database_full(error):
        return _no_space(error)
    log.error("the database does not answer: %s", type(error).__name__, exc_info=error)
    return _answer(
        503, "database_unavailable", "the database does not answer; try again in a moment"
    )


def _unstorable(request: Request, error: Exception) -> JSONResponse:
    """The last net: a door let something by that no column holds. The log has where."""
    log.error("%s %s took what cannot be stored", request.method, request.url.path, exc_info=error)
    message = "a text or a number of this request is beyond what can be stored"
    return _answer(_status(request, 422), "invalid_request", message)


def _no_space(error: Exception) -> JSONResponse:
    log.error("the disk is full: %s", error)
    return refusal(NoSpaceError())


def _unknown(request: Request, error: Exception) -> JSONResponse:
    """The last boundary: the cause goes to the log, the request's id to the caller."""
    if is_disk_full(error):
        return _no_space(error)
    reference = request.scope["request_id"]
    log.error("request %s %s failed", request.method, request.url.path, exc_info=error)
    return _answer(
        500, "internal_error", f"something went wrong; the log has the reference {reference}"
    )
