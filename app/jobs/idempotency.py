"""`Idempotency-Key`: a request that is sent again is answered with the job that the first one made.

Semantics of draft-ietf-httpapi-idempotency-key-header-07: the same key with another body is 422,
one that is being answered at this moment is 409. Keys are an owner's own, and are kept for a day at
least (`app.catalog.retention`).
"""

import hashlib
import json

from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.db.ownership import as_key
from app.db.tables import IdempotencyKey
from app.errors import InFlightError, InvalidError

HEADER = "Idempotency-Key"


def digest(request: BaseModel) -> str:
    """Hashes a request so that equal ones are equal, however their JSON is written."""
    return hashlib.sha256(
        json.dumps(request.model_dump(mode="json"), sort_keys=True).encode()
    ).hexdigest()


def find(session: Session, owner: str | None, key: str, request: BaseModel) -> str | None:
    """Finds the job that this request made before. Raises InvalidError if the body was another."""
    row = session.get(IdempotencyKey, (as_key(owner), key))
    if row is None:
        return None
    if row.request_sha256 != digest(request):
        raise InvalidError(
            "this key was used for another request: send a new key with a new body", param=HEADER
        )
    return row.job_id


def hold(session: Session, owner: str | None, key: str) -> None:
    """Keeps the key for this transaction. Raises InFlightError if another one has it."""
    # On SQLite a writing transaction is alone: the second waits, and finds the first one's job.
    if session.get_bind().dialect.name == "postgresql":
        # As JSON, for two pairs that only differ in where one part ends are two names.
        name = json.dumps([as_key(owner), key])
        if not session.scalar(
            text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name}
        ):
            raise InFlightError(
                "a request with this key is being answered: send it again in a moment", param=HEADER
            )


def keep(
    session: Session, owner: str | None, key: str, request: BaseModel, job_id: str, now: float
) -> None:
    """Remembers which job the request made: in the transaction that makes it."""
    session.add(
        IdempotencyKey(
            owner=as_key(owner),
            key=key,
            request_sha256=digest(request),
            job_id=job_id,
            created_at=now,
        )
    )
