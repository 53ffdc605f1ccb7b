"""The application: settings, lifespan, routers, error form."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from app.api import datasets, generate, health, jobs, models, openai, verify
from app.db.session import make_engine
from app.handlers import add_handlers
from app.inference import Inference
from app.middleware import BodyLimit
from app.settings import Settings, settings
from inframind import __version__
from inframind.rewards.verifier import Verifier

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
    for router in (jobs.router, models.router, datasets.router, generate.router, openai.router, verify.router, health.router):
        app.include_router(router)
    add_handlers(app)
    limits = {"/datasets": configured.max_dataset_bytes}
    app.add_middleware(BodyLimit, limit=configured.max_body_bytes, limits=limits)
    generated = app.openapi
    app.openapi = lambda: truthful(generated())  # type: ignore[method-assign]  # FastAPI's documented way to extend it
    return app


def truthful(document: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document without the 422 that FastAPI adds to every body: OpenAI's routes answer 400."""
    for path, operations in document["paths"].items():
        for operation in operations.values() if path.startswith("/v1/") else ():
            operation["responses"].pop("422", None)
    return document
