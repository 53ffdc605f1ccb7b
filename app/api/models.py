"""Models: base models and adapters."""

from fastapi import APIRouter

from app.deps import Database
from app.jobs import service
from app.jobs.views import ErrorView, ModelList, ModelView

router = APIRouter(prefix="/models", tags=["models"])


@router.get("")
def list_models(database: Database) -> ModelList:
    """Base models, then adapters, newest first."""
    return ModelList(data=service.models(database))


@router.get("/{name:path}", responses={404: {"model": ErrorView}})
def get_model(name: str, database: Database) -> ModelView:
    """One model; an adapter with its manifest."""
    return service.model(database, name)
