"""A scripted server with OpenAI's chat completions: a real server whose every reply a test decides.
No model is in it."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response

from inframind.judge.prompt import PAIR_SCHEMA
from tests.support.http import listening

MARKS = re.compile(r"<<<CANDIDATE(?: [AB])? ([0-9a-f]{16})\n")
Script = Callable[[dict[str, Any]], Any]
"""The request's body -> the reply's text, or a whole response."""


@contextmanager
def scripted(script: Script) -> Iterator[str]:
    """A server that follows the script; its base URL."""
    app = FastAPI()

    @app.post("/v1/chat/completions")
    def complete(body: dict[str, Any], request: Request) -> Any:
        reply = script({**body, "authorization": request.headers.get("authorization")})
        if isinstance(reply, Response):
            return reply
        return {
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": reply},
                    "finish_reason": "stop",
                }
            ]
        }

    with listening(app) as url:
        yield f"{url}/v1"


def marks(body: dict[str, Any]) -> list[str]:
    """The marks of the candidates that a request shows, in order: each is the beginning of its
    SHA-256."""
    return MARKS.findall(body["messages"][-1]["content"])


def is_pair(body: dict[str, Any]) -> bool:
    """Whether two answers are compared."""
    return schema_of(body) == PAIR_SCHEMA


def schema_of(body: dict[str, Any]) -> Any:
    """The schema that the reply should have."""
    return body["response_format"]["json_schema"]["schema"]


def single_reply(body: dict[str, Any], would_work: bool) -> str:
    """A reply in the form."""
    criteria = schema_of(body)["properties"]["criteria"]["required"]
    points = 9 if would_work else 2
    scores = dict.fromkeys(
        ("syntax", "correctness", "completeness", "best_practices", "security"), points
    )
    answered = {name: {"evidence": "", "met": would_work} for name in criteria}
    return json.dumps(
        {
            "criteria": answered,
            "scores": scores,
            "would_work": would_work,
            "feedback": "as the script says",
        }
    )


def pair_reply(better: str) -> str:
    """A reply to a comparison."""
    return json.dumps({"comparison": "as the script says", "better": better})
