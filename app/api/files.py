"""OpenAI's files: upload, list, show, content, delete."""

import os
from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any, BinaryIO, Literal

from fastapi import APIRouter, Form, Query, UploadFile
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from app.api import examples
from app.datasets import files
from app.datasets.views import DeletedFile, FileView
from app.views import ErrorView, Page
from app.web.deps import ArtifactsDep, DatabaseDep, PageDep, VerifierDep
from inframind.types import Rendering

BAD_ROWS = examples.error(
    "invalid_data",
    "1 row cannot be used: row 2, messages: a row has one user message",
    "rows.2.messages",
)
NO_FILE = examples.error(
    "not_found", "there is no file 'file-0'; GET /v1/files lists those that exist", "file_id"
)
LINES: dict[str, Any] = {"content": {"application/jsonl": {"schema": {"type": "string"}}}}
UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"model": ErrorView, **NO_FILE}}
CHUNK_BYTES = 1 << 20
router = APIRouter(
    prefix="/v1/files", tags=["openai"], responses={400: {"model": ErrorView, **BAD_ROWS}}
)


@router.post("", responses={200: examples.shown(examples.files.FILE)})
async def upload_file(
    file: UploadFile,
    purpose: Annotated[str, Form(max_length=32)],
    database: DatabaseDep,
    verifier: VerifierDep,
    artifacts: ArtifactsDep,
    rendering: Annotated[Rendering | None, Form()] = None,
) -> FileView:
    """Stores JSON lines for fine-tuning, and proves every answer.

    Rows have `messages`, `prompt` and `completion`, or are reinforcement items; they are trained on
    as they are given. `rendering`, which is not OpenAI's, may say otherwise.
    """
    # Whole in memory: the body limit has ended uploads of over 50 MB before.
    body = await file.read()
    # Every answer is proven: the event loop must not wait for it.
    return await run_in_threadpool(
        files.add, database, verifier, artifacts, body, file.filename or "", purpose, rendering
    )


@router.get("", responses={200: examples.shown(examples.page(examples.files.FILE))})
def list_files(
    database: DatabaseDep,
    page: PageDep,
    # OpenAI's own default: https://platform.openai.com/docs/api-reference/files/list
    order: Literal["asc", "desc"] = "desc",
    purpose: Annotated[str | None, Query(max_length=32)] = None,
) -> Page[FileView]:
    """Lists the uploaded files, newest first."""
    return files.list_files(database, page, order, purpose)


@router.get("/{file_id}", responses={200: examples.shown(examples.files.FILE), **UNKNOWN})
def get_file(file_id: str, database: DatabaseDep) -> FileView:
    """Gives an uploaded file's description, without its content."""
    return files.find(database, file_id)


@router.get(
    "/{file_id}/content", response_class=StreamingResponse, responses={200: LINES, **UNKNOWN}
)
def get_content(file_id: str, database: DatabaseDep, artifacts: ArtifactsDep) -> StreamingResponse:
    """The bytes that were uploaded."""
    # An open file, not a path: what a path names may be deleted before it is read.
    opened = files.content(database, artifacts, file_id)
    size = os.fstat(opened.fileno()).st_size
    # Without it the answer is chunked, and a client cannot tell how much is to come.
    headers = {"Content-Length": str(size)}
    return StreamingResponse(_pieces(opened), media_type="application/jsonl", headers=headers)


def _pieces(opened: BinaryIO) -> Iterator[bytes]:
    with opened:
        yield from iter(partial(opened.read, CHUNK_BYTES), b"")


@router.delete(
    "/{file_id}",
    responses={
        200: examples.shown({"id": examples.files.FILE_ID, "object": "file", "deleted": True}),
        **UNKNOWN,
    },
)
def delete_file(file_id: str, database: DatabaseDep, artifacts: ArtifactsDep) -> DeletedFile:
    """Forgets a file. Jobs and datasets that came of it stay."""
    return files.delete(database, artifacts, file_id)
