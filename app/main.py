"""The application: settings, lifespan, routers, and one form for every error."""

import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from app.api import generate, health, jobs, models, verify
from app.db.session import make_engine
from app.errors import TooLargeError, status_of
from app.inference import RETRY_AFTER_SECONDS, Inference
from app.settings import Settings, settings
from inframind import __version__
from inframind.errors import InfraMindError
from inframind.rewards.verifier import Verifier

log = logging.getLogger("inframind.api")
CODES = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}
DESCRIPTION = "Trains small language models for Infrastructure as Code with verified rewards, and serves them."


def create_app(given: Settings | None = None) -> FastAPI:
    """The application on a migrated database."""
    configured = given or settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.settings = configured
        app.state.engine = make_engine(configured.url)
        app.state.verifier = Verifier(configured.verifier_workers)
        app.state.inference = Inference(configured, app.state.engine)
        yield
        await app.state.inference.close()
        app.state.verifier.close()
        app.state.engine.dispose()

    app = FastAPI(title="InfraMind", version=__version__, description=DESCRIPTION, lifespan=lifespan)
    for router in (jobs.router, models.router, generate.router, verify.router, health.router):
        app.include_router(router)
    app.add_exception_handler(InfraMindError, _known)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(OperationalError, _database)
    app.add_exception_handler(Exception, _unknown)
    app.middleware("http")(_limited(configured.max_body_bytes))
    return app


def _answer(status: int, code: str, message: str, param: str | None = None) -> JSONResponse:
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if status == 503 else None
    return JSONResponse({"error": {"code": code, "message": message, "param": param}}, status, headers=headers)


def _known(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, InfraMindError)
    return _answer(status_of(error), error.code, str(error), error.param)


def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"] if part not in ("body", "query", "path", "header"))
    return _answer(422, "invalid_request", f"{place or 'body'}: {first['msg'].removeprefix('Value error, ')}", place or None)


def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return _answer(error.status_code, CODES.get(error.status_code, "http_error"), str(error.detail))


def _database(_: Request, error: Exception) -> JSONResponse:
    log.error("the database does not answer: %s", type(error).__name__)
    return _answer(503, "database_unavailable", "the database does not answer; try again in a moment")


def _unknown(request: Request, error: Exception) -> JSONResponse:
    """The last boundary: the cause goes to the log, its id to the caller."""
    reference = uuid.uuid4().hex[:12]
    log.error("request %s %s failed, reference %s", request.method, request.url.path, reference, exc_info=error)
    return _answer(500, "internal_error", f"something went wrong; the log has the reference {reference}")


def _limited(limit: int) -> Callable[[Request, Callable[[Request], Awaitable[Response]]], Awaitable[Response]]:
    """Refuses bodies over `limit` bytes, whether they say their length or not."""

    async def middleware(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        declared = request.headers.get("content-length", "0")
        size = 0
        if declared.isdigit() and int(declared) > limit:
            return _known(request, TooLargeError(f"the body has {declared} bytes; at most {limit}"))
        chunks = []
        if request.method in ("POST", "PUT", "PATCH"):
            async for chunk in request.stream():
                size += len(chunk)
                if size > limit:
                    return _known(request, TooLargeError(f"the body has over {limit} bytes"))
                chunks.append(chunk)
            request._body = b"".join(chunks)  # Starlette reads a consumed body from here
        return await call_next(request)

    return middleware
