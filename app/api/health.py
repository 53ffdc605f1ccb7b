"""Health: whether the process lives, and whether everything it needs is there."""

from typing import Literal

from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool

from app.api.examples import shown
from app.jobs.service import readiness
from app.views import View
from app.web.body_limit import DEFAULT_BODY_LIMITS
from app.web.deps import ArtifactsDep, DatabaseDep, InferenceDep

router = APIRouter(tags=["health"])


class Live(View):
    """Answer of a process that is alive."""

    status: Literal["ok"] = "ok"


class Parts(View):
    """Parts that the service needs; each is true while it answers."""

    database: bool
    migrations: bool
    """The tables are the newest that this code knows."""
    worker: bool
    """A supervisor gave a sign of life in the last half minute."""
    inference: bool
    disk: bool
    """The data folder has room for the largest upload."""


class Ready(View):
    """`ready` when every part is there."""

    status: Literal["ready", "not ready"]
    parts: Parts


@router.get("/healthz", responses={200: shown({"status": "ok"})})
def live() -> Live:
    """Answers while the process is alive, whatever else is not."""
    return Live()


PARTS = {"database": True, "migrations": True, "worker": True, "inference": True, "disk": True}
READY = {"status": "ready", "parts": PARTS}
NOT_READY = {"status": "not ready", "parts": {**PARTS, "inference": False}}


@router.get("/readyz", responses={200: shown(READY), 503: {"model": Ready, **shown(NOT_READY)}})
async def ready(
    response: Response, database: DatabaseDep, serving: InferenceDep, artifacts: ArtifactsDep
) -> Ready:
    """Every part by name; 503 while one is missing."""
    answering = await run_in_threadpool(readiness, database)
    # SQLite reads on a full disk as if nothing were wrong: only room itself tells.
    has_room = await run_in_threadpool(artifacts.free_bytes) >= DEFAULT_BODY_LIMITS.file_bytes
    parts = Parts(**answering, inference=await serving.is_healthy(), disk=has_room)
    everything = all(parts.model_dump().values())
    # Probes read the status alone: Kubernetes takes any from 200 to 399 for ready.
    response.status_code = 200 if everything else 503
    return Ready(status="ready" if everything else "not ready", parts=parts)
