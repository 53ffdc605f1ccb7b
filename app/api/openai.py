"""OpenAI's routes, so that its clients work unmodified."""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from sse_starlette import ServerSentEvent

from app.api import examples
from app.catalog import service as catalog
from app.errors import InvalidError, described
from app.generation.openai import ChatRequest, Head, Sampling, TextCompletionRequest
from app.inference.client import Inference
from app.inference.completion import ServerCompletion
from app.views import ErrorView
from app.web.deps import ArtifactsDep, DatabaseDep, InferenceDep
from app.web.disconnect import unless_gone
from app.web.event_stream import EventStream, streamed
from inframind.errors import InfraMindError

BAD_FIELD = examples.error(
    "invalid_request", "temperature: Input should be less than or equal to 2", "temperature"
)
NO_MODEL = examples.error(
    "model_not_found", "there is no model 'im-x'; GET /models lists those that exist", "model"
)
NO_SERVER = examples.error(
    "unavailable", "the inference server does not answer; try again in a moment"
)
router = APIRouter(
    prefix="/v1",
    tags=["openai"],
    responses={
        400: {"model": ErrorView, **BAD_FIELD},
        404: {"model": ErrorView, **NO_MODEL},
        503: {"model": ErrorView, **NO_SERVER},
    },
)


@router.get("/models", responses={200: examples.shown(examples.openai.MODELS)})
def list_models(database: DatabaseDep, serving: InferenceDep) -> dict[str, Any]:
    """The models that can be asked: the base model that is served, and its adapters."""
    adapters = catalog.served(database, serving.base_model)
    data = [
        _model(serving.base_model, None),
        *(_model(adapter.id, adapter.created_at) for adapter in adapters),
    ]
    return {"object": "list", "data": data}


def _model(name: str, created_at: float | None) -> dict[str, Any]:
    return {
        "id": name,
        "object": "model",
        "created": int(created_at or 0),
        "owned_by": "inframind",
    }


@router.get(
    "/models/{model:path}", responses={200: examples.shown(examples.openai.MODELS["data"][0])}
)
def get_model(model: str, database: DatabaseDep, artifacts: ArtifactsDep) -> dict[str, Any]:
    """Gives a model in OpenAI's form."""
    detail = catalog.detail(database, artifacts, model)
    return _model(detail.id, detail.created_at)


@router.post(
    "/completions", response_model=None, responses={200: examples.shown(examples.openai.COMPLETION)}
)
async def complete(
    request: TextCompletionRequest, serving: InferenceDep, http: Request
) -> JSONResponse | EventStream:
    """Continues a text as it is."""
    request = request.model_copy(update={"model": await serving.resolve(request.model)})
    return await _answer(
        request, request.body(), Head("text_completion", request.model), serving, http
    )


@router.post(
    "/chat/completions", response_model=None, responses={200: examples.shown(examples.openai.CHAT)}
)
async def chat(
    request: ChatRequest, serving: InferenceDep, http: Request
) -> JSONResponse | EventStream:
    """Answers a conversation with one or more messages of the assistant."""
    request = request.model_copy(update={"model": await serving.resolve(request.model)})
    return await _answer(
        request,
        request.body(serving.base_model, await serving.rendering(request.model)),
        Head("chat.completion", request.model),
        serving,
        http,
    )


async def _answer(
    request: Sampling, body: dict[str, Any], head: Head, serving: Inference, http: Request
) -> JSONResponse | EventStream:
    if request.stream:
        return await streamed(_events(request, body, head, serving), http)
    if request.stream_options is not None:
        raise InvalidError("`stream_options` needs `stream`: true", param="stream_options")
    return JSONResponse(head.whole(await unless_gone(http, serving.complete(body))))


async def _events(
    request: Sampling, body: dict[str, Any], head: Head, serving: Inference
) -> AsyncGenerator[ServerSentEvent]:
    """Chunks, the usage if it was asked for, and `[DONE]`."""
    last = ServerCompletion(choices=[])
    begun = False
    try:
        async with aclosing(serving.stream(body)) as pieces:
            async for piece in pieces:
                if not begun:
                    for opening in head.opening(request.n):
                        yield ServerSentEvent(data=json.dumps(opening))
                    begun = True
                last = piece if piece.usage else last
                if piece.choices:
                    yield ServerSentEvent(data=json.dumps(head.piece(piece)))
    except InfraMindError as error:
        if not begun:
            raise
        # The status is sent already, so the refusal has to be an event; OpenAI's clients raise it.
        yield ServerSentEvent(data=json.dumps({"error": described(error)}))
        return
    if request.stream_options and request.stream_options.include_usage:
        yield ServerSentEvent(data=json.dumps(head.usage(last)))
    yield ServerSentEvent(data="[DONE]")
