"""Health: whether the process lives, and whether everything it needs is there."""

from typing import Any

from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app.db.migrate import is_current
from app.deps import Database, Serving
from app.jobs.service import has_live_worker

router = APIRouter(tags=["health"])


@router.get("/healthz")
def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
async def ready(response: Response, database: Database, serving: Serving) -> dict[str, Any]:
    """Every part by name; 503 while one is missing."""
    parts = await run_in_threadpool(_database_parts, database)
    parts["inference"] = await serving.is_healthy()
    response.status_code = 200 if all(parts.values()) else 503
    return {"status": "ready" if all(parts.values()) else "not ready", "parts": parts}


def _database_parts(database: Engine) -> dict[str, bool]:
    try:
        current = is_current(database)
        return {"database": True, "migrations": current, "worker": current and has_live_worker(database)}
    except SQLAlchemyError:
        return {"database": False, "migrations": False, "worker": False}
