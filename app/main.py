"""The application: settings, lifespan, routers, error form."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from app.api import generate, health, jobs, models, verify
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
    for router in (jobs.router, models.router, generate.router, verify.router, health.router):
        app.include_router(router)
    add_handlers(app)
    app.add_middleware(BodyLimit, limit=configured.max_body_bytes)
    return app
