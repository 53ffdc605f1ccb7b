"""What routers ask for. Coroutines all of them: FastAPI would send each plain function through a thread, at every request."""

from typing import Annotated, Any, cast

from fastapi import Depends, Header, Query, Request
from sqlalchemy import Engine

from app.artifacts import Artifacts
from app.errors import ForbiddenError
from app.inference.client import Inference
from app.jobs.service import JobService
from app.judging.service import Judges
from app.keys import Caller
from app.settings import Settings
from app.views import DEFAULT_LIMIT, MAX_LIMIT, PageRequest
from app.web.prometheus import Measures
from inframind.verifier.verifier import Verifier


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


async def page_request(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Most rows.")] = DEFAULT_LIMIT,
    after: Annotated[
        str | None,
        Query(max_length=128, description="Id of the last row of the page before: `last_id`."),
    ] = None,
) -> PageRequest:
    """The page that a list route was asked for."""
    return PageRequest(limit, after)


async def jobs(request: Request) -> JobService:
    """The front desk of jobs."""
    return cast(JobService, request.app.state.jobs)


Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[ -~]+$",
        description="Makes it safe to send a request again.",
    ),
]
"""The header by which a request that makes a job may be sent again."""
Jobs = Annotated[JobService, Depends(jobs)]
Database = Annotated[Engine, Depends(database)]
Paged = Annotated[PageRequest, Depends(page_request)]
Stored = Annotated[Artifacts, Depends(artifacts)]
Verifying = Annotated[Verifier, Depends(verifier)]
Serving = Annotated[Inference, Depends(inference)]
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
