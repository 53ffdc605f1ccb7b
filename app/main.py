"""The application: settings, lifespan, routers, error form."""

import asyncio
import json
import logging
import sys
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Engine
from starlette.middleware.trustedhost import TrustedHostMiddleware
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.api import (
    datasets,
    files,
    fine_tuning,
    generate,
    health,
    jobs,
    judge,
    metrics,
    models,
    openai,
    verify,
)
from app.artifacts import Artifacts
from app.db.session import DATABASE_AWAY, absence, make_engine
from app.jobs.service import JobService, Wake, nobody
from app.judging.service import Judges
from app.keys import Keyring, check_start
from app.settings import Settings, settings
from app.web.body_limit import DEFAULT_BODY_LIMITS, BodyLimit, BodyLimits
from app.web.cross_site import CrossSiteWrites
from app.web.deps import needs
from app.web.error_responses import add_handlers
from app.web.gate import Gate
from app.web.openapi import truthful
from app.web.prometheus import MeasuredInference, MeasuredVerifier, Metrics
from app.web.request_log import RequestLog
from app.web.storable import storable
from inframind import __version__

log = logging.getLogger(__name__)
ROUTERS = {
    "train": (jobs.router, datasets.router, models.changes, files.router, fine_tuning.router),
    "generate": (generate.router, openai.router, verify.router, judge.router),
    "monitor": (metrics.router,),
}
"""Scope -> the routers that need it. What is in no list is for every key."""
START_SECONDS = 60.0
"""How long a database that is away is waited for before the api gives up."""
NUL_PATHS = frozenset({"/verify", "/judge", "/generate", "/v1/completions", "/v1/chat/completions"})
"""Routes that store nothing of a text: a NUL is one more thing that it may be judged for."""
FILE_TYPES = {
    # The second is what curl's --data-binary says of any file, and what no page can make of JSON
    # without a script: a form's braces and quotes arrive as %7B and %22.
    "/datasets": (
        *("application/jsonl", "application/x-www-form-urlencoded", "application/x-ndjson"),
        *("application/x-jsonlines", "application/json", "application/octet-stream"),
    ),
    "/v1/files": ("multipart/form-data",),
}
"""Routes that take files -> the content types that their clients send."""
DESCRIPTION = (
    "Trains small language models for Infrastructure as Code with verified rewards,"
    " and serves them."
)


def create_app(
    chosen: Settings | None = None,
    wake: Wake | None = None,
    body_limits: BodyLimits = DEFAULT_BODY_LIMITS,
) -> FastAPI:
    """Makes the application on a migrated database.

    `wake` is what wakes workers, as tests see it.
    """
    configured = chosen or settings()
    own_metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.settings = configured
        app.state.engine = make_engine(configured.url)
        app.state.artifacts = Artifacts.of(configured)
        await start(app.state.engine, configured)
        app.state.keys = Keyring(app.state.engine)
        app.state.verifier = MeasuredVerifier(configured.verifier_workers, own_metrics)
        app.state.inference = MeasuredInference(
            configured, app.state.engine, app.state.artifacts, own_metrics
        )
        app.state.metrics = own_metrics
        own_metrics.watch(app.state.engine)
        app.state.judges = Judges(configured, app.state.engine, app.state.verifier)
        with waking(configured) as by_settings:
            app.state.jobs = JobService(
                app.state.engine, configured, app.state.artifacts, wake or by_settings
            )
            yield
        await app.state.judges.close()
        await app.state.inference.close()
        app.state.verifier.close()
        app.state.keys.close()
        app.state.engine.dispose()

    hidden: dict[str, Any] = (
        {"redoc_url": None}
        if configured.shows_docs
        else {"docs_url": None, "redoc_url": None, "openapi_url": None}
    )
    app = FastAPI(
        title="InfraMind",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        # Of the application, not of its routers: one that is added tomorrow has it, too.
        dependencies=[storable(NUL_PATHS)],
        **hidden,
    )
    for scope, routers in ROUTERS.items():
        for router in routers:
            app.include_router(router, dependencies=[needs(scope)])
    app.include_router(models.router)
    app.include_router(health.router)
    add_handlers(app)
    # The last one added is the first to see a request.
    app.add_middleware(BodyLimit, limits=body_limits, file_paths=FILE_TYPES)
    app.add_middleware(Gate, settings=configured)
    app.add_middleware(CrossSiteWrites, body_types=FILE_TYPES)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=configured.hosts, www_redirect=False)
    app.add_middleware(RequestLog, metrics=own_metrics)
    # Before the log, whose lines name the client. Not uvicorn's own switch: it believes whoever
    # connects from the loopback, which is every process of this machine.
    app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=configured.proxies)
    generated = app.openapi
    # https://fastapi.tiangolo.com/how-to/extending-openapi/ assigns the method in the same way.
    app.openapi = lambda: truthful(generated())  # type: ignore[method-assign]
    return app


async def start(engine: Engine, configured: Settings) -> None:
    """Waits for a server that is away, as workers do; then raises what `check_start` raises."""
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            await run_in_threadpool(check_start, engine, configured)
            return
        except DATABASE_AWAY as error:
            if engine.dialect.name == "sqlite" or time.monotonic() > end:
                raise
            log.warning("the database is away: %s", absence(error))
            await asyncio.sleep(1.0)


@contextmanager
def waking(configured: Settings) -> Iterator[Wake]:
    """Gives what wakes a worker.

    Celery, on a thread of its own, so that no request waits for Redis.

    Without Redis it is nobody: the embedded supervisor looks for itself.
    """
    if not (url := configured.redis_url.get_secret_value()):
        yield nobody
        return
    from app.jobs.wake_ups import WakeUps

    wake_ups = WakeUps(url)
    with ThreadPoolExecutor(1, "wake-ups") as thread:
        yield lambda job_id: thread.submit(wake_ups.send, job_id)


def document() -> str:
    """The OpenAPI document, as `docs/openapi.json` has it."""
    return json.dumps(create_app(Settings()).openapi(), indent=1) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document())
