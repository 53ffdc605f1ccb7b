"""Models: base models and adapters."""

from fastapi import APIRouter

from app.api import _examples as examples
from app.deps import Database
from app.jobs import service
from app.jobs.views import ErrorView, ModelList, ModelView

NO_MODEL = examples.error("not_found", "there is no model 'im-x'; GET /models lists those that exist", "model")
BAD_NAME = examples.error("invalid_request", "name: Input should be a valid string", "name")
router = APIRouter(prefix="/models", tags=["models"], responses={422: {"model": ErrorView, **BAD_NAME}})


@router.get("", responses={200: examples.shown(examples.MODELS)})
def list_models(database: Database) -> ModelList:
    """Base models, then adapters, newest first."""
    return ModelList(data=service.models(database))


@router.get("/{name:path}", responses={200: examples.shown(examples.ADAPTER), 404: {"model": ErrorView, **NO_MODEL}})
def get_model(name: str, database: Database) -> ModelView:
    """One model; an adapter with its manifest."""
    return service.model(database, name)
