"""Corrects FastAPI's OpenAPI document where FastAPI cannot know the truth."""

from typing import Any

from app.web.cross_site import SAFE_METHODS
from app.web.gate import NEEDS_KEY, OPEN_PATHS

MESSAGES = {
    "401": (
        "No valid key",
        "unauthorized",
        NEEDS_KEY,
    ),
    "403": (
        "The key has not the scope, or another site's page writes (`cross_site`)",
        "forbidden",
        "this key has not the scope `train`",
    ),
    "429": (
        "A limit is reached; `Retry-After` says for how long",
        "too_many_requests",
        "too many requests",
    ),
}
"""What every route behind the gate may answer: status -> description, code, message."""
OF_WRITES = {
    "415": (
        "The route takes no body of this content type",
        "unsupported_media_type",
        "the header Content-Type is text/plain; /jobs takes application/json:"
        " send `Content-Type: application/json`",
    ),
}
"""Beside them, what a route that changes something may answer."""
KEY = {"type": "http", "scheme": "bearer", "bearerFormat": "im_<id>_<secret>"}


def truthful(document: dict[str, Any]) -> dict[str, Any]:
    """Adds the key and its refusals; has OpenAI's 400 for the 422 that FastAPI adds to bodies."""
    document["components"]["securitySchemes"] = {"key": KEY}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            # FastAPI adds it to every body; these routes answer 400, as OpenAI's do.
            if path.startswith("/v1/"):
                operation["responses"].pop("422", None)
            if path not in OPEN_PATHS:
                # The gate is a layer around the routes, and FastAPI documents routes alone.
                operation["security"] = [{"key": []}]
                texts = MESSAGES if method.upper() in SAFE_METHODS else MESSAGES | OF_WRITES
                operation["responses"] |= {
                    status: _refusal(*words) for status, words in texts.items()
                }
    return document


def _refusal(description: str, code: str, message: str) -> dict[str, Any]:
    example = {"error": {"code": code, "message": message, "param": None}}
    schema = {"$ref": "#/components/schemas/ErrorView"}
    return {
        "description": description,
        "content": {"application/json": {"schema": schema, "example": example}},
    }
