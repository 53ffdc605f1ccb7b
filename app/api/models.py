"""Models: list, show, compare, download, delete; aliases."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from app.api import examples
from app.catalog import evaluations, names
from app.catalog import service as catalog
from app.catalog.archive import archive
from app.catalog.views import AliasView, Comparison, DeletedModel, ModelDetail, ModelView
from app.fields import ModelName
from app.views import ErrorView, Page
from app.web.deps import ArtifactsDep, DatabaseDep, InferenceDep, PageDep
from inframind.types import Contract

NO_MODEL = examples.error(
    "model_not_found", "there is no model 'im-x'; GET /models lists those that exist", "model"
)
NO_ALIAS = examples.error(
    "not_found", "there is no alias 'production'; GET /aliases lists those that exist", "alias"
)
BAD_NAME = examples.error("invalid_request", "name: Input should be a valid string", "name")
KEPT = examples.error(
    "conflict", f"{examples.ADAPTER_ID} cannot be deleted: the alias production means it"
)
DELETED = {"id": examples.ADAPTER_ID, "object": "model", "deleted": True}
router = APIRouter(tags=["models"], responses={422: {"model": ErrorView, **BAD_NAME}})
changes = APIRouter(tags=["models"], responses={422: {"model": ErrorView, **BAD_NAME}})
"""What not every key may do."""
UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"model": ErrorView, **NO_MODEL}}
UNKNOWN_ALIAS: dict[int | str, dict[str, Any]] = {404: {"model": ErrorView, **NO_ALIAS}}
TAR: dict[str, Any] = {
    "content": {"application/x-tar": {"schema": {"type": "string", "format": "binary"}}}
}


class AliasTarget(Contract):
    """Model that an alias means from now on."""

    model: ModelName


@router.get("/models", responses={200: examples.shown(examples.models.MODELS)})
def list_models(database: DatabaseDep, artifacts: ArtifactsDep, page: PageDep) -> Page[ModelView]:
    """Base models, then adapters, newest first."""
    return catalog.list_models(database, artifacts, page)


# Before the routes with a name in their path, which would take `compare` for one.
@router.get(
    "/models/compare", responses={200: examples.shown(examples.models.COMPARISON), **UNKNOWN}
)
def compare_models(
    database: DatabaseDep,
    model: Annotated[
        list[ModelName], Query(description="Two to sixteen; the others are compared to the first.")
    ],
) -> Comparison:
    """Models side by side.

    Pass rates with intervals, by category, on new families, and the judge's scores.
    """
    return evaluations.compare(database, model)


# A name may hold slashes, as `Qwen/Qwen2.5-0.5B-Instruct` does: the longer path comes first.
@router.get(
    "/models/{model:path}/download",
    response_class=StreamingResponse,
    responses={200: TAR, **UNKNOWN},
)
def download_model(model: str, database: DatabaseDep, artifacts: ArtifactsDep) -> StreamingResponse:
    """An adapter as a tar with the PEFT folder, its manifest and its model card."""
    identity, pieces = archive(database, artifacts, model)
    headers = {"Content-Disposition": f'attachment; filename="{identity}.tar"'}
    return StreamingResponse(pieces, media_type="application/x-tar", headers=headers)


@router.get(
    "/models/{model:path}",
    responses={200: examples.shown(examples.models.ADAPTER_DETAIL), **UNKNOWN},
)
def get_model(model: str, database: DatabaseDep, artifacts: ArtifactsDep) -> ModelDetail:
    """One model: lineage, files with hashes, evaluations, aliases, and its manifest."""
    return catalog.detail(database, artifacts, model)


GONE: dict[int | str, dict[str, Any]] = {
    200: examples.shown(DELETED),
    409: {"model": ErrorView, **KEPT},
    **UNKNOWN,
}


@changes.delete("/models/{model:path}", responses=GONE)
@changes.delete(
    "/v1/models/{model:path}", tags=["openai"], operation_id="delete_openai_model", responses=GONE
)
async def delete_model(
    model: str, database: DatabaseDep, artifacts: ArtifactsDep, serving: InferenceDep
) -> DeletedModel:
    """Deletes an adapter and its files.

    409 while an alias means it, another adapter continues it or a job needs it.
    """
    identity = await run_in_threadpool(catalog.delete, database, artifacts, model)
    # Only now: a deletion that is refused leaves the server answering with the adapter.
    await serving.forget(identity)
    return DeletedModel(id=identity)


@router.get("/aliases", responses={200: examples.shown(examples.page(examples.models.ALIAS))})
def list_aliases(database: DatabaseDep, page: PageDep) -> Page[AliasView]:
    """Lists the aliases in the order of their names."""
    return names.list_aliases(database, page)


@router.get(
    "/aliases/{alias}", responses={200: examples.shown(examples.models.ALIAS), **UNKNOWN_ALIAS}
)
def get_alias(alias: str, database: DatabaseDep) -> AliasView:
    """Gives the model that an alias means."""
    return names.find_alias(database, alias)


@changes.put("/aliases/{alias}", responses={200: examples.shown(examples.models.ALIAS), **UNKNOWN})
def set_alias(alias: str, target: AliasTarget, database: DatabaseDep) -> AliasView:
    """Lets a name, such as `production`, mean a model.

    Every route that takes a model takes the name.
    """
    return names.set_alias(database, alias, target.model)


@changes.delete(
    "/aliases/{alias}", responses={200: examples.shown(examples.models.ALIAS), **UNKNOWN_ALIAS}
)
def delete_alias(alias: str, database: DatabaseDep) -> AliasView:
    """Forgets an alias; the model stays."""
    return names.remove_alias(database, alias)
