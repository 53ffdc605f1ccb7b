"""Generation: prompts, instructions or messages to verified answers."""

import json
import time
import uuid
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body
from fastapi.concurrency import run_in_threadpool
from pydantic import Field, model_validator
from sse_starlette import EventSourceResponse, ServerSentEvent

from app.deps import Serving, Verifying
from app.errors import InvalidError
from app.inference import Inference
from app.jobs.views import ErrorView, View
from inframind.bench.prompt import messages as task_messages
from inframind.categories import category
from inframind.generation.template import render
from inframind.rewards.checks import validate_checks
from inframind.rewards.extract import extract
from inframind.rewards.verifier import Verifier
from inframind.types import Check, Contract, Verdict, VerifyRequest

router = APIRouter(tags=["generation"], responses={422: {"model": ErrorView}, 503: {"model": ErrorView}})
MAX_PROMPT = 100_000
EXAMPLES = [
    {
        "model": "inframind-nano",
        "instruction": "Create a ConfigMap demo with MODE set to fast.",
        "verify": True,
        "category": "kubernetes",
    },
    {
        "model": "inframind-nano",
        "messages": [{"role": "user", "content": "service web, type ClusterIP, 8080 -> 9090"}],
        "max_tokens": 256,
    },
]


class Message(Contract):
    """One chat message."""

    role: Literal["system", "user", "assistant"]
    content: str = Field(max_length=MAX_PROMPT)


class GenerateRequest(Contract):
    """Exactly one of `prompt`, `instruction` and `messages`."""

    model: str = Field(default="inframind-nano", max_length=128)
    """A base model or an adapter of GET /models."""
    prompt: str | None = Field(default=None, min_length=1, max_length=MAX_PROMPT)
    """Text to continue as it is; no chat template is applied."""
    instruction: str | None = Field(default=None, min_length=1, max_length=MAX_PROMPT)
    input: str = Field(default="", max_length=MAX_PROMPT)
    messages: tuple[Message, ...] | None = Field(default=None, min_length=1, max_length=64)
    n: int = Field(default=1, ge=1, le=16)
    temperature: float = Field(default=0.0, ge=0.0, le=2.0)
    top_p: float = Field(default=1.0, gt=0.0, le=1.0)
    max_tokens: int = Field(default=512, ge=1, le=2048)
    seed: int | None = Field(default=None, ge=0, le=2**31 - 1)
    stop: tuple[Annotated[str, Field(min_length=1, max_length=64)], ...] = Field(default=(), max_length=4)
    stream: bool = False
    verify: bool = False
    category: str | None = None
    """What the answer is; detected if it is left out."""
    checks: tuple[Check, ...] = ()

    @model_validator(mode="after")
    def _one_source(self) -> "GenerateRequest":
        given = [name for name in ("prompt", "instruction", "messages") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("give exactly one of `prompt`, `instruction` and `messages`")
        if self.input and self.instruction is None:
            raise ValueError("`input` goes with `instruction`")
        return self


class Choice(View):
    """One answer."""

    index: int
    text: str
    file: str | None
    """The one fenced file of the answer, if there is exactly one."""
    finish_reason: str
    verdict: Verdict | None


class Usage(View):
    """Tokens."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Generation(View):
    """The answers."""

    id: str
    object: Literal["generation"] = "generation"
    model: str
    choices: list[Choice]
    usage: Usage
    created_at: float


def prompt_of(request: GenerateRequest, base_model: str) -> str:
    """The text that the inference server continues."""
    if request.prompt is not None:
        return request.prompt
    if request.messages is not None:
        return render(base_model, [message.model_dump() for message in request.messages])
    return render(base_model, task_messages(request.instruction or "", request.input))


def body_of(request: GenerateRequest, base_model: str) -> dict[str, Any]:
    """The request to the inference server."""
    body: dict[str, Any] = {
        "model": request.model, "prompt": prompt_of(request, base_model), "max_tokens": request.max_tokens,
        "temperature": request.temperature, "top_p": request.top_p, "n": request.n, "skip_special_tokens": False,
    }  # fmt: skip
    if request.seed is not None:
        body["seed"] = request.seed
    if request.stop:
        body["stop"] = list(request.stop)
    return body


@router.post("/generate", response_model=Generation, responses={200: {"content": {"text/event-stream": {}}}})
async def generate(
    request: Annotated[GenerateRequest, Body(examples=EXAMPLES)], serving: Serving, verifier: Verifying
) -> Generation | EventSourceResponse:
    """Answers of a base model or an adapter; with `verify`, each with the verdict that training would have given it."""
    if request.category is not None:
        category(request.category)
    validate_checks(request.checks)
    if request.stream and (request.verify or request.n > 1):
        raise InvalidError("a stream carries one answer, unverified: leave out `verify` and `n`", param="stream")
    if request.stream:
        return EventSourceResponse(pieces(request, serving))
    completion = await serving.complete(body_of(request, serving.base_model))
    texts = [choice["text"] for choice in completion["choices"]]
    verdicts = await run_in_threadpool(judged, request, texts, verifier)
    choices = [
        Choice(index=i, text=choice["text"], file=file_of(choice["text"]), finish_reason=choice["finish_reason"], verdict=verdict)
        for i, (choice, verdict) in enumerate(zip(completion["choices"], verdicts, strict=True))
    ]
    used = {name: completion["usage"][name] for name in Usage.model_fields}
    return Generation(
        id=f"gen-{uuid.uuid4().hex}", model=request.model, choices=choices, created_at=time.time(),
        usage=Usage(**used),
    )  # fmt: skip


def judged(request: GenerateRequest, texts: list[str], verifier: Verifier) -> list[Verdict] | list[None]:
    """A verdict per text, if they were asked for."""
    if not (request.verify or request.checks):
        return [None] * len(texts)
    return verifier.verify_many(
        [VerifyRequest(text=text, category=request.category, checks=request.checks, format="answer") for text in texts]
    )


def file_of(text: str) -> str | None:
    """The fenced file of an answer."""
    extracted = extract(text, (), "answer")
    return None if extracted.rule else extracted.text


async def pieces(request: GenerateRequest, serving: Inference) -> AsyncIterator[ServerSentEvent]:
    """The answer as server-sent events: `{"text"}` pieces, then `{"finish_reason"}`."""
    async for piece in serving.stream(body_of(request, serving.base_model)):
        choice = piece["choices"][0]
        if choice.get("text"):
            yield ServerSentEvent(data=json.dumps({"text": choice["text"]}))
        if choice.get("finish_reason"):
            yield ServerSentEvent(event="done", data=json.dumps({"finish_reason": choice["finish_reason"]}))
