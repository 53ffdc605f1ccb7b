"""Datasets: add, list, show."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool

from app.api import examples
from app.datasets import service as datasets
from app.datasets.preview import list_rows
from app.datasets.views import DatasetRowView, DatasetView
from app.views import ErrorView, Page
from app.web.deps import ArtifactsDep, DatabaseDep, InferenceDep, PageDep, VerifierDep
from inframind.types import Rendering

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
# No JSON type: a body of several lines is no JSON document, and clients would parse it as one.
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
    verifier: VerifierDep,
    artifacts: ArtifactsDep,
    name: Annotated[str | None, Query(min_length=1, max_length=128)] = None,
    rendering: Annotated[Rendering | None, Query()] = None,
) -> DatasetView:
    """Stores rows, a JSON object a line or a JSON array of them.

    `instruction`, `input` and `output`, or a conversation as OpenAI, ShareGPT and TRL write it;
    optionally `category` and `checks`. Conversations are trained on as they are given, the others
    in InfraMind's fenced form, unless `rendering` says otherwise.

    Every answer must pass the verifier, with its row's checks; without checks they are derived.
    Nothing is stored if a row is bad.
    """
    # The raw body, not a form: `curl --data-binary @rows.jsonl` is all that a shell has to send.
    body = await request.body()
    # Minutes of proofs for the largest file: the event loop must not wait for them.
    return await run_in_threadpool(
        datasets.add, database, verifier, artifacts, body, name, rendering
    )


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


@router.get(
    "/{dataset_id}/rows",
    responses={
        200: examples.shown(examples.page(examples.datasets.ROW)),
        404: {"model": ErrorView, **UNKNOWN},
    },
)
def list_dataset_rows(
    dataset_id: str,
    database: DatabaseDep,
    artifacts: ArtifactsDep,
    serving: InferenceDep,
    page: PageDep,
    base_model: Annotated[str | None, Query(max_length=128)] = None,
) -> Page[DatasetRowView]:
    """Shows rows as a base model is trained on them, with their tokens.

    Without `base_model` it is the one that is served. A page ends early where its texts are long.
    """
    return list_rows(database, artifacts, dataset_id, base_model or serving.base_model, page)
