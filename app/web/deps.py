"""What routers ask for. Coroutines all of them: FastAPI would send each plain function through a thread, at every request."""

from collections.abc import Callable
from typing import Annotated, Any, cast

from fastapi import Depends, Request
from sqlalchemy import Engine

from app.artifacts import Artifacts
from app.errors import ForbiddenError
from app.inference.client import Inference
from app.judging.service import Judges
from app.keys import Caller
from app.settings import Settings
from app.web.prometheus import Measures
from inframind.verifier.verifier import Verifier

Wake = Callable[[str], bool]
"""Sends a worker after a job, as well as it can."""


async def database(request: Request) -> Engine:
    """The database's engine."""
    return cast(Engine, request.app.state.engine)


async def artifacts(request: Request) -> Artifacts:
    """The folder of the artifacts and the store behind it."""
    return cast(Artifacts, request.app.state.artifacts)


async def verifier(request: Request) -> Verifier:
    """The verifier's pool."""
    return cast(Verifier, request.app.state.verifier)


async def inference(request: Request) -> Inference:
    """The inference server's client."""
    return cast(Inference, request.app.state.inference)


async def judges(request: Request) -> Judges:
    """The judges."""
    return cast(Judges, request.app.state.judges)


async def configured(request: Request) -> Settings:
    """The settings."""
    return cast(Settings, request.app.state.settings)


async def measures(request: Request) -> Measures:
    """The metrics."""
    return cast(Measures, request.app.state.measures)


async def asking(request: Request) -> Caller:
    """Who asks."""
    return cast(Caller, request.scope["caller"])


async def wake(request: Request) -> Wake:
    """What wakes a worker for a job."""
    return cast(Wake, request.app.state.wake)


Waking = Annotated[Wake, Depends(wake)]
Database = Annotated[Engine, Depends(database)]
Stored = Annotated[Artifacts, Depends(artifacts)]
Verifying = Annotated[Verifier, Depends(verifier)]
Serving = Annotated[Inference, Depends(inference)]
Asking = Annotated[Caller, Depends(asking)]
Judging = Annotated[Judges, Depends(judges)]
Measuring = Annotated[Measures, Depends(measures)]
Configured = Annotated[Settings, Depends(configured)]


def needs(scope: str) -> Any:
    """The dependency of a router: the caller's key must have the scope."""

    async def check(request: Request) -> None:
        caller: Caller = request.scope["caller"]
        if not caller.may(scope):
            raise ForbiddenError(
                f"this key has not the scope `{scope}`: `inframind keys create --scope {scope}` makes one that has"
            )

    return Depends(check)
