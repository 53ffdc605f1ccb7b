"""Ids that tie the OpenAPI document's examples together, and the forms of its answers."""

from collections.abc import Sequence
from typing import Any

from app.errors import kind_of_code

JOB_ID = "0198f3c2-a7b4-7c31-9f00-3d2a5b6c7d8e"
ADAPTER_ID = "im-0198f3c2a7b47c319f00-0-sft"
CREATED_AT = 1764000000.0


def shown(example: Any) -> dict[str, Any]:
    """An answer's content with an example."""
    return {"content": {"application/json": {"example": example}}}


def event_stream(example: str) -> dict[str, Any]:
    """An answer's content as server-sent events."""
    return {"text/event-stream": {"schema": {"type": "string"}, "example": example}}


def error(code: str, message: str, param: str | None = None) -> dict[str, Any]:
    """An answer's content with an error."""
    return shown(
        {
            "error": {
                "code": code,
                "message": message,
                "param": param,
                "type": kind_of_code(code),
            }
        }
    )


def page(*rows: dict[str, Any], ids: Sequence[str] = ()) -> dict[str, Any]:
    """A list; `ids` where the rows have no field for theirs."""
    ids = ids or [row["id"] if "id" in row else row["name"] for row in rows]
    ends = {"first_id": ids[0], "last_id": ids[-1]}
    return {"object": "list", "data": list(rows), **ends, "has_more": False}
