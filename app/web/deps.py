"""Dependencies of the routers.

Coroutines all of them: FastAPI would send each plain function through a thread, at every request.
"""

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
from app.verification import Verification
from app.views import DEFAULT_LIMIT, MAX_LIMIT, PageRequest
from app.web.prometheus import Metrics


async def database(request: Request) -> Engine:
    """Gives the database's engine."""
    return cast(Engine, request.app.state.engine)


async def artifacts(request: Request) -> Artifacts:
    """The folder of the artifacts and the store behind it."""
    return cast(Artifacts, request.app.state.artifacts)


async def verification(request: Request) -> Verification:
    """Gives the verifier in the turn of the request's key."""
    return cast(Verification, request.app.state.verification)


async def inference(request: Request) -> Inference:
    """The inference server's client."""
    return cast(Inference, request.app.state.inference)


async def judges(request: Request) -> Judges:
    """Gives the service that judges."""
    return cast(Judges, request.app.state.judges)


async def metrics(request: Request) -> Metrics:
    """Gives the metrics that Prometheus scrapes."""
    return cast(Metrics, request.app.state.metrics)


async def page_request(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Most rows.")] = DEFAULT_LIMIT,
    after: Annotated[
        str | None,
        Query(max_length=128, description="Id of the last row of the page before: `last_id`."),
    ] = None,
) -> PageRequest:
    """The page that a list route was asked for."""
    # `after` is an id here; each list says which ids are its own.
    return PageRequest(limit, after)


async def settings(request: Request) -> Settings:
    """Gives the settings of this process."""
    return cast(Settings, request.app.state.settings)


async def jobs(request: Request) -> JobService:
    """The front desk of jobs."""
    return cast(JobService, request.app.state.jobs)


IdempotencyKeyDep = Annotated[
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
SettingsDep = Annotated[Settings, Depends(settings)]
JobsDep = Annotated[JobService, Depends(jobs)]
DatabaseDep = Annotated[Engine, Depends(database)]
PageDep = Annotated[PageRequest, Depends(page_request)]
ArtifactsDep = Annotated[Artifacts, Depends(artifacts)]
VerificationDep = Annotated[Verification, Depends(verification)]
InferenceDep = Annotated[Inference, Depends(inference)]
JudgesDep = Annotated[Judges, Depends(judges)]
MetricsDep = Annotated[Metrics, Depends(metrics)]


def needs(scope: str) -> Any:
    """The dependency of a router: the caller's key must have the scope."""

    async def check(request: Request) -> None:
        caller: Caller = request.scope["caller"]
        if not caller.may(scope):
            # 403 and not 404: that a route exists is in the document, whose a row is is not.
            raise ForbiddenError(
                f"this key has not the scope `{scope}`:"
                f" `inframind keys create --scope {scope}` makes one that has"
            )

    return Depends(check)
