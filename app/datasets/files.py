"""Files of OpenAI's API: uploaded rows, and the dataset that they are."""

import hashlib
import re
import uuid
from contextlib import suppress
from typing import BinaryIO, Literal

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app.artifacts import Artifacts
from app.datasets import service as datasets
from app.datasets.views import DeletedFile, FileView
from app.db.paging import read_page, stored_position
from app.db.session import database_now, reading, writing
from app.db.tables import File
from app.errors import InvalidError, NotFoundError, StoreError
from app.views import Page, PageRequest
from inframind.durable import discard, write_whole
from inframind.types import Rendering
from inframind.verifier.verifier import Verifier

ID = re.compile(r"file-[0-9a-f]{24}")
PURPOSE = "fine-tune"
MAX_NAME = 256


def add(
    engine: Engine,
    verifier: Verifier,
    artifacts: Artifacts,
    body: bytes,
    filename: str,
    purpose: str,
    rendering: Rendering | None = None,
) -> FileView:
    """Stores a file and its rows as a dataset.

    Raises InvalidError, and DataError that lists the rows that cannot be used.
    """
    # OpenAI's other purposes (batch, assistants, vision) belong to routes that are not here.
    if purpose != PURPOSE:
        raise InvalidError(
            f"the purpose {purpose[:64]!r} is not offered; upload with {PURPOSE!r}", param="purpose"
        )
    if len(filename) > MAX_NAME:
        message = f"the file's name has {len(filename)} characters; at most {MAX_NAME} are kept"
        raise InvalidError(message, param="file")
    # Rows are proven now and not at the job, as OpenAI has it: who uploads is who can mend them.
    # A dataset's name has half the room of a file's, which the file itself keeps whole.
    dataset = datasets.add(
        engine, verifier, artifacts, body, None, rendering, filename[:128] or None
    )
    # The form of OpenAI's ids; 96 bits, of which 90 are random. Equal uploads have two, as there.
    identity = f"file-{uuid.uuid4().hex[:24]}"
    path = artifacts.upload(identity)
    write_whole(path, body)
    try:
        artifacts.push(path)
    except OSError:
        # No row names it yet. After the row is sent it stays: an error may hide a commit.
        discard(path)
        raise
    with writing(engine) as session:
        row = File(
            id=identity,
            filename=filename,
            purpose=purpose,
            bytes=len(body),
            sha256=hashlib.sha256(body).hexdigest(),
            dataset=dataset.id,
            created_at=database_now(session),
        )
        session.add(row)
        session.flush()
        return _file_view(row)


def find(engine: Engine, identity: str) -> FileView:
    """One file. Raises NotFoundError."""
    with reading(engine) as session:
        return _file_view(row_of(session, identity))


def content(engine: Engine, artifacts: Artifacts, identity: str) -> BinaryIO:
    """Opens the uploaded bytes. Raises NotFoundError; StoreError if they are nowhere.

    What is open can be read to its end, also while the file is deleted.
    """
    with reading(engine) as session:
        digest = row_of(session, identity).sha256
    # Under the digest lie the bytes of files that a version before took.
    for name in (identity, digest):
        path = artifacts.upload(name)
        artifacts.pull(path)
        with suppress(FileNotFoundError):
            return path.open("rb")
    with reading(engine) as session:
        # Raises if it was deleted meanwhile.
        row_of(session, identity)
    raise StoreError(f"the bytes of {identity} are not with the artifacts: upload the file again")


def list_files(
    engine: Engine,
    page: PageRequest,
    order: Literal["asc", "desc"] = "desc",
    purpose: str | None = None,
) -> Page[FileView]:
    """Lists files by the time of their upload. Raises InvalidError."""
    keys = (File.created_at, File.id)
    query = select(File) if purpose is None else select(File).where(File.purpose == purpose)
    with reading(engine) as session:
        files = read_page(
            session,
            query,
            keys,
            page,
            lambda identity: stored_position(session, keys, File.id == identity),
            descending=order == "desc",
        )
        views = [_file_view(row) for row in files.rows]
    return Page[FileView].of(views, [view.id for view in views], has_more=files.has_more)


def delete(engine: Engine, artifacts: Artifacts, identity: str) -> DeletedFile:
    """Forgets a file. Raises NotFoundError."""
    with writing(engine) as session:
        session.delete(row_of(session, identity))
    # After the commit: a row without bytes would be offered, bytes without a row are only space.
    # Those that lie under a digest may be others' too: `app.catalog.retention` finds out.
    artifacts.remove(artifacts.upload(identity))
    return DeletedFile(id=identity)


def row_of(session: Session, identity: str, param: str = "file_id") -> File:
    """The row of a file. Raises NotFoundError."""
    row = session.get(File, identity) if ID.fullmatch(identity) else None
    if row is None:
        raise NotFoundError(
            f"there is no file {identity[:64]!r}; GET /v1/files lists those that exist", param=param
        )
    return row


def _file_view(row: File) -> FileView:
    return FileView(
        id=row.id,
        bytes=row.bytes,
        created_at=int(row.created_at),
        filename=row.filename,
        purpose=row.purpose,
        dataset=row.dataset,
    )
