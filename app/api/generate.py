"""Generation: prompts, instructions or messages to verified answers."""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request
from sse_starlette import ServerSentEvent

from app.api import examples
from app.errors import described
from app.generation.answer import Generation, answer
from app.generation.request import GenerateRequest, check_request, server_request
from app.generation.search import Search
from app.inference.client import Inference
from app.inference.completion import collect
from app.views import ErrorView
from app.web.deps import InferenceDep, VerifierDep
from app.web.disconnect import unless_gone
from app.web.event_stream import EventStream, streamed
from inframind.errors import InfraMindError
from inframind.verifier.verifier import Verifier

NO_MODEL = examples.error(
    "model_not_found", "there is no model 'im-x'; GET /models lists those that exist", "model"
)
NO_SOURCE = examples.error(
    "invalid_request", "give exactly one of `prompt`, `instruction` and `messages`", "prompt"
)
NO_SERVER = examples.error(
    "unavailable", "the inference server does not answer; try again in a moment"
)
router = APIRouter(
    tags=["generation"],
    responses={
        404: {"model": ErrorView, **NO_MODEL},
        422: {"model": ErrorView, **NO_SOURCE},
        503: {"model": ErrorView, **NO_SERVER},
    },
)
REQUESTS = [
    {
        "model": examples.ADAPTER_ID,
        "instruction": "Create a ConfigMap demo with MODE set to fast.",
        "verify": True,
        "category": "kubernetes",
        "checks": examples.verification.CHECKS,
    },
    {
        "messages": [{"role": "user", "content": "service web, type ClusterIP, 8080 -> 9090"}],
        "max_tokens": 256,
        "stream": True,
    },
    {
        "instruction": "An S3 bucket called logs.",
        "best_of": 16,
        "repair": 1,
        "temperature": 0.8,
        "seed": 7,
        "category": "terraform",
    },
]
STREAM = (
    'data: {"index": 0, "text": "<think>"}\n\n'
    f"event: done\ndata: {json.dumps(examples.generation.GENERATION)}\n\n"
)
ANSWER = {
    "content": {
        **examples.shown(examples.generation.GENERATION)["content"],
        **examples.event_stream(STREAM),
    }
}


@router.post("/generate", response_model=Generation, responses={200: ANSWER})
async def generate(
    request: Annotated[GenerateRequest, Body(examples=REQUESTS)],
    serving: InferenceDep,
    verifier: VerifierDep,
    http: Request,
) -> Generation | EventStream:
    """Answers of a base model or an adapter.

    With `verify`, each with the verdict that training would have given it.
    """
    check_request(request)
    model = await serving.resolve(request.model)
    request = request.asked_of(model, await serving.rendering(model))
    body = server_request(request, serving.base_model)
    if request.stream:
        return await streamed(events(request, body, serving, verifier), http)
    if request.searches:
        return await unless_gone(http, Search(request, serving, verifier).run())
    completion = await unless_gone(http, serving.complete(body))
    return await answer(request, body["model"], completion, verifier)


async def events(
    request: GenerateRequest, body: dict[str, Any], serving: Inference, verifier: Verifier
) -> AsyncGenerator[ServerSentEvent]:
    """Pieces of text as they come, then `done` with the whole answer, or `error`."""
    pieces = []
    try:
        async with aclosing(serving.stream(body)) as stream:
            async for piece in stream:
                pieces.append(piece)
                for choice in piece.choices:
                    if choice.text:
                        yield ServerSentEvent(
                            data=json.dumps({"index": choice.index, "text": choice.text})
                        )
        whole = await answer(request, body["model"], collect(pieces, request.n), verifier)
        yield ServerSentEvent(event="done", data=whole.model_dump_json())
    except InfraMindError as error:
        if not pieces:
            raise
        # The status is sent already, so the refusal has to be an event.
        yield ServerSentEvent(event="error", data=json.dumps({"error": described(error)}))
