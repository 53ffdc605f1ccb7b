"""Datasets: add, list, show."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from app.api import examples
from app.datasets import service as datasets
from app.datasets.views import DatasetView
from app.views import ErrorView, Page
from app.web.deps import ArtifactsDep, DatabaseDep, PageDep, VerificationDep
from app.web.disconnect import unless_gone

BAD_ROWS = examples.error(
    "invalid_data",
    "1 row cannot be used: row 2, output: FRON is no instruction (line 1)",
    "rows.2.output",
)
UNKNOWN = examples.error(
    "not_found", "there is no dataset 'ds-0'; GET /datasets lists those that exist", "dataset"
)
router = APIRouter(
    prefix="/datasets", tags=["datasets"], responses={422: {"model": ErrorView, **BAD_ROWS}}
)
ROWS = (
    '{"instruction": "A Dockerfile from alpine:3.20 that runs as app.", '
    '"output": "FROM alpine:3.20\\nUSER app\\n"}\n'
    '{"instruction": "From debian:12, work in /srv.", '
    '"output": "FROM debian:12\\nWORKDIR /srv\\n", "category": "dockerfile"}\n'
)
LINES: dict[str, Any] = {"schema": {"type": "string"}, "example": ROWS}
BODY = {"requestBody": {"required": True, "content": {"application/jsonl": LINES}}}


@router.post(
    "",
    status_code=201,
    openapi_extra=BODY,
    responses={201: examples.shown(examples.datasets.DATASET)},
)
async def add_dataset(
    request: Request,
    database: DatabaseDep,
    verification: VerificationDep,
    artifacts: ArtifactsDep,
    name: Annotated[str | None, Query(min_length=1, max_length=128)] = None,
) -> DatasetView:
    """Stores Alpaca rows, a JSON object a line.

    `instruction`, `input`, `output`, optionally `category` and `checks`.

    Every output must pass the verifier, with its row's checks; without checks they are derived.
    Nothing is stored if a row is bad.
    """
    # No model of FastAPI's: lines are read in a thread, by the library that proves them.
    body = await request.body()
    work = verification.upload(
        lambda verifier, caller: datasets.add(database, verifier, artifacts, body, name, caller)
    )
    # A big file takes minutes to prove; whoever gave up has left nothing behind.
    return await unless_gone(request, work)


@router.get("", responses={200: examples.shown(examples.page(examples.datasets.DATASET))})
def list_datasets(database: DatabaseDep, page: PageDep) -> Page[DatasetView]:
    """Lists the stored datasets, newest first."""
    return datasets.list_datasets(database, page)


@router.get(
    "/{dataset_id}",
    responses={
        200: examples.shown(examples.datasets.DATASET),
        404: {"model": ErrorView, **UNKNOWN},
    },
)
def get_dataset(dataset_id: str, database: DatabaseDep) -> DatasetView:
    """Gives a dataset's description: its tasks by category and its checks."""
    return datasets.find(database, dataset_id)
