"""The client of the inference server (docs/contracts/inference.md): completions, and the adapters they name."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, aclosing, suppress
from functools import partial
from pathlib import Path
from typing import Any

from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ValidationError
from sqlalchemy import Engine

from app.artifacts import Artifacts
from app.catalog import names
from app.catalog import service as catalog
from app.catalog.names import ADAPTER
from app.errors import InvalidError, TooManyRequestsError, UnavailableError
from app.inference.transport import Reply, Transport
from app.settings import Settings
from app.slots import RETRY_AFTER_SECONDS, Queue
from inframind.errors import EngineError
from inframind.generation.encoding import encode
from inframind.models.adapter import verify_adapter
from inframind.models.probe import PROMPTS, TOP, Likeliest, Probe, fault
from inframind.models.registry import BASE_MODELS

LONG_PROMPT = 4000
"""Characters; under a millisecond of work."""
BUSY = "the inference server has too many requests; try again in a moment"


class Usage(BaseModel):
    """Tokens."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0


class CompletionChoice(BaseModel):
    """One completion, or a piece of it."""

    index: int
    text: str
    finish_reason: str | None = None
    logprobs: dict[str, Any] | None = None


class Completion(BaseModel):
    """The inference server's answer, or one event of its stream. Fields that are not named here are passed over."""

    choices: list[CompletionChoice]
    usage: Usage | None = None


def collect(pieces: Sequence[Completion], n: int) -> Completion:
    """The whole completion of a stream's pieces."""
    choices = [CompletionChoice(index=index, text="") for index in range(n)]
    for piece in pieces:
        for choice in piece.choices:
            whole = choices[choice.index]
            whole.text += choice.text
            whole.finish_reason = choice.finish_reason or whole.finish_reason
    return Completion(
        choices=choices,
        usage=next((piece.usage for piece in reversed(pieces) if piece.usage), None),
    )


class Inference:
    """Sends completions, and sees to it that the adapter they name is loaded."""

    def __init__(self, settings: Settings, engine: Engine, artifacts: Artifacts) -> None:
        self._engine, self._artifacts = engine, artifacts
        self.base_model = settings.inference_base_model
        self._server = Transport(settings.inference_url, settings.inference_timeout_seconds)
        self.queue = Queue("the inference server", settings.inference_queue)
        self._tolerance = settings.adapter_tolerance
        self._loading: dict[str, asyncio.Lock] = {}
        self._loaded: set[str] = set()

    async def close(self) -> None:
        """Closes the connections."""
        await self._server.close()

    async def is_healthy(self) -> bool:
        """Whether the server answers."""
        return await self._server.answers("/health", within_seconds=2.0)

    async def resolve(self, name: str | None) -> str:
        """The base model or adapter that a name means; no name: the base model that is served. Raises NotFoundError."""
        if name is None or name in BASE_MODELS or name.startswith(ADAPTER):
            return name or self.base_model
        return await run_in_threadpool(names.resolve, self._engine, name)

    async def forget(self, model: str) -> None:
        """Unloads an adapter that was deleted; a server that does not answer has lost it anyway."""
        self._loaded.discard(model)
        self._loading.pop(model, None)
        with suppress(UnavailableError):
            await self._server.post("/v1/unload_lora_adapter", {"lora_name": model})

    async def complete(self, body: dict[str, Any]) -> Completion:
        """A whole completion. Cancel it to give the generation up. Raises TooManyRequestsError when the queue is full."""
        body, copies = _greedy_once(await self._encoded(body))
        with self.queue.place():
            return _repeated(await self._complete(body), copies)

    async def _encoded(self, body: dict[str, Any]) -> dict[str, Any]:
        """The body with tokens for its prompts. A long prompt is split in a thread: others must not wait for it."""
        texts = [body["prompt"]] if isinstance(body["prompt"], str) else body["prompt"]
        encode_all = partial(_tokens, self.base_model, texts)
        return {
            **body,
            "prompt": encode_all()
            if sum(map(len, texts)) < LONG_PROMPT
            else await run_in_threadpool(encode_all),
        }

    async def _complete(self, body: dict[str, Any]) -> Completion:
        await self._ensure_loaded(body["model"])
        reply = await self._server.post("/v1/completions", body)
        if self._was_forgotten(reply.status, body["model"]):
            await self._ensure_loaded(body["model"])
            reply = await self._server.post("/v1/completions", body)
        _check(reply)
        return _parsed(reply.body)

    async def stream(
        self, body: dict[str, Any], *, counted: bool = False
    ) -> AsyncGenerator[Completion]:
        """The pieces of a completion as they come. Close it to give the generation up. Raises TooManyRequestsError.

        `counted`: each piece carries the tokens of its choice so far; the last one has no choice and the usage of all.
        """
        body, copies = _greedy_once(await self._encoded(body))
        body = {
            **body,
            "stream": True,
            "stream_options": {"include_usage": True, "continuous_usage_stats": counted},
        }
        with self.queue.place():
            async with aclosing(self._stream(body)) as pieces:
                async for piece in pieces:
                    yield _repeated(piece, copies)

    async def _stream(self, body: dict[str, Any]) -> AsyncGenerator[Completion]:
        await self._ensure_loaded(body["model"])
        async with AsyncExitStack() as opened:
            stream = await opened.enter_async_context(self._server.open("/v1/completions", body))
            if self._was_forgotten(stream.status, body["model"]):
                await self._ensure_loaded(body["model"])
                stream = await opened.enter_async_context(
                    self._server.open("/v1/completions", body)
                )
            if stream.status != 200:
                _check(await stream.reply())
            async with aclosing(stream.events()) as events:
                async for event in events:
                    yield _parsed(event)

    def _was_forgotten(self, status: int, model: str) -> bool:
        """Whether the server was restarted and has lost the adapter."""
        forgotten = status == 404 and model in self._loaded
        if forgotten:
            self._loaded.discard(model)
        return forgotten

    async def _ensure_loaded(self, model: str) -> None:
        if model in BASE_MODELS:
            if model != self.base_model:
                raise InvalidError(
                    f"the inference server serves {self.base_model}, not {model}", param="model"
                )
            return
        # Asked of the database every time: that another caller's adapter is loaded makes it nobody else's.
        row = await run_in_threadpool(catalog.adapter, self._engine, model)
        async with self._loading.setdefault(model, asyncio.Lock()):
            if model in self._loaded:
                return
            if row.base_model != self.base_model:
                raise InvalidError(
                    f"{model} belongs to {row.base_model}; the server serves {self.base_model}",
                    param="model",
                )
            await run_in_threadpool(self._artifacts.pull, Path(row.path))
            await run_in_threadpool(verify_adapter, Path(row.path))
            reply = await self._server.post(
                "/v1/load_lora_adapter", {"lora_name": model, "lora_path": row.path}
            )
            if not (reply.status == 400 and b"already" in reply.body):
                _check(reply)
            await self._smoke_test(model, row.manifest)
            self._loaded.add(model)

    async def _smoke_test(self, model: str, manifest: dict[str, Any]) -> None:
        """An adapter that the server loaded must answer as PEFT said when it was published. Raises EngineError, and unloads it."""
        if manifest.get("probe") is None:
            return
        base, adapter = [await self._likeliest(name) for name in (self.base_model, model)]
        reason = fault(
            Probe.model_validate(manifest["probe"]),
            Probe(base=base, adapter=adapter),
            self._tolerance,
        )
        if reason is not None:
            await self._server.post("/v1/unload_lora_adapter", {"lora_name": model})
            raise EngineError(
                f"the inference server does not serve {model} as it was trained: {reason}"
            )

    async def _likeliest(self, model: str) -> Likeliest:
        prompts = _tokens(self.base_model, PROMPTS)
        body = {
            "model": model,
            "prompt": prompts,
            "max_tokens": 1,
            "temperature": 0,
            "logprobs": TOP,
        }
        reply = await self._server.post("/v1/completions", body)
        _check(reply)
        choices = sorted(_parsed(reply.body).choices, key=lambda choice: choice.index)
        found = [
            top
            for choice in choices
            for top in (choice.logprobs or {}).get("top_logprobs", ())[:1]
            if top
        ]
        if len(found) != len(PROMPTS):
            raise EngineError(
                "the inference server gives no log-probabilities: an adapter cannot be checked"
            )
        return tuple(found)


def _check(reply: Reply) -> None:
    """Translates the server's refusal."""
    if reply.status == 200:
        return
    try:
        error = json.loads(reply.body)["error"]
        message, param = str(error["message"])[:500], error.get("param")
    except (ValueError, KeyError, TypeError):
        message, param = f"the inference server answered {reply.status}", None
    if reply.status == 404:
        raise InvalidError(message, param="model")
    if reply.status in (400, 422):
        raise InvalidError(message, param=param)
    if reply.status == 429:
        raise TooManyRequestsError(BUSY, RETRY_AFTER_SECONDS)
    raise UnavailableError(message)


def _tokens(base_model: str, texts: Sequence[str]) -> list[list[int]]:
    return [encode(base_model, text) for text in texts]


def _parsed(data: str | bytes) -> Completion:
    try:
        return Completion.model_validate_json(data)
    except ValidationError:
        # In the middle of a stream, a server that fails sends its error as an event.
        raise UnavailableError("the inference server failed; try again in a moment") from None


def _greedy_once(body: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """A greedy request for one answer, and how often it was wanted: all would be the same, and vLLM refuses more than one."""
    return ({**body, "n": 1}, body.get("n", 1)) if body.get("temperature", 1.0) == 0 else (body, 1)


def _repeated(completion: Completion, copies: int) -> Completion:
    """Each choice `copies` times, those of a prompt together."""
    if copies == 1:
        return completion
    choices = [
        choice.model_copy(update={"index": choice.index * copies + copy})
        for choice in completion.choices
        for copy in range(copies)
    ]
    return completion.model_copy(update={"choices": choices})
