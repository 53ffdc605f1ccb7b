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
from app.verification import Verification
from app.views import ErrorView
from app.web.deps import InferenceDep, SettingsDep, VerificationDep
from app.web.disconnect import unless_gone
from app.web.event_stream import EventStream, streamed
from inframind.errors import InfraMindError

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
    verification: VerificationDep,
    settings: SettingsDep,
    http: Request,
) -> Generation | EventStream:
    """Answers of a base model or an adapter.

    With `verify`, each with the verdict that training would have given it.
    """
    check_request(request)
    model = await serving.resolve(request.model)
    request = request.asked_of(model, await serving.rendering(model))
    body = server_request(request, serving.base_model)
    # A stream watches its own connection, the others are cancelled when it closes.
    if request.stream:
        return await streamed(events(request, body, serving, verification), http)
    if request.searches:
        search = Search(request, serving, verification, settings.search_seconds)
        return await unless_gone(http, search.run())
    return await unless_gone(http, whole(request, body, serving, verification))


async def whole(
    request: GenerateRequest,
    body: dict[str, Any],
    serving: Inference,
    verification: Verification,
) -> Generation:
    """Gives all answers at once, with their verdicts where they were asked for."""
    completion = await serving.complete(body)
    return await answer(request, body["model"], completion, verification)


async def events(
    request: GenerateRequest,
    body: dict[str, Any],
    serving: Inference,
    verification: Verification,
) -> AsyncGenerator[ServerSentEvent]:
    """Pieces of text as they come, then `done` with the whole answer, or `error`."""
    pieces = []
    try:
        async with aclosing(serving.stream(body)) as stream:
            async for piece in stream:
                # Kept, because verdicts are on whole answers.
                pieces.append(piece)
                for choice in piece.choices:
                    if choice.text:
                        yield ServerSentEvent(
                            data=json.dumps({"index": choice.index, "text": choice.text})
                        )
        together = collect(pieces, request.n)
        generation = await answer(request, body["model"], together, verification)
        yield ServerSentEvent(event="done", data=generation.model_dump_json())
    except InfraMindError as error:
        if not pieces:
            raise
        # The status is sent already, so the refusal has to be an event.
        yield ServerSentEvent(event="error", data=json.dumps({"error": described(error)}))
