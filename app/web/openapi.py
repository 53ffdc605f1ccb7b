"""Corrects FastAPI's OpenAPI document where FastAPI cannot know the truth."""

from typing import Any

from app.web.gate import OPEN_PATHS

MESSAGES = {
    "401": (
        "No valid key",
        "unauthorized",
        "a valid API key is needed: `Authorization: Bearer im_...`",
    ),
    "403": ("The key has not the scope", "forbidden", "this key has not the scope `train`"),
    "429": (
        "A limit is reached; `Retry-After` says for how long",
        "too_many_requests",
        "too many requests",
    ),
}
"""What every route behind the gate may answer: status -> description, code, message."""
KEY = {"type": "http", "scheme": "bearer", "bearerFormat": "im_<id>_<secret>"}


def truthful(document: dict[str, Any]) -> dict[str, Any]:
    """Adds the key and its refusals; has OpenAI's 400 for the 422 that FastAPI adds to bodies."""
    document["components"]["securitySchemes"] = {"key": KEY}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if path.startswith("/v1/"):
                operation["responses"].pop("422", None)
            if path not in OPEN_PATHS:
                operation["security"] = [{"key": []}]
                operation["responses"] |= {
                    status: _refusal(*texts) for status, texts in MESSAGES.items()
                }
    return document


def _refusal(description: str, code: str, message: str) -> dict[str, Any]:
    example = {"error": {"code": code, "message": message, "param": None}}
    schema = {"$ref": "#/components/schemas/ErrorView"}
    return {
        "description": description,
        "content": {"application/json": {"schema": schema, "example": example}},
    }
