"""The client of the inference server (docs/contracts/inference.md).

Completions, and the adapters they name.
"""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from functools import partial
from typing import Any

from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Engine

from app.artifacts import Artifacts
from app.catalog import names
from app.catalog import service as catalog
from app.catalog.names import ADAPTER
from app.inference.adapters import AdapterLoader, encode_all
from app.inference.completion import (
    ServerCompletion,
    check_reply,
    greedy_once,
    parse_completion,
    repeat_choices,
)
from app.inference.transport import Transport
from app.settings import Settings
from app.slots import Queue
from inframind.models.registry import BASE_MODELS
from inframind.types import Rendering

LONG_PROMPT = 4000
"""Characters; under a millisecond of work."""


class Inference:
    """Sends completions, and sees to it that the adapter they name is loaded."""

    def __init__(self, settings: Settings, engine: Engine, artifacts: Artifacts) -> None:
        self._engine = engine
        self.base_model = settings.inference_base_model
        self._server = Transport(settings.inference_url, settings.inference_timeout_seconds)
        self.queue = Queue("the inference server", settings.inference_queue)
        self._adapters = AdapterLoader(self._server, engine, artifacts, settings)

    async def close(self) -> None:
        """Closes the connections to the inference server."""
        await self._server.close()

    async def is_healthy(self) -> bool:
        """Tells whether the server answers."""
        return await self._server.answers("/health", within_seconds=2.0)

    async def resolve(self, name: str | None) -> str:
        """The base model or adapter that a name means; no name: the base model that is served.

        Raises NotFoundError.
        """
        if name is None or name in BASE_MODELS or name.startswith(ADAPTER):
            return name or self.base_model
        return await run_in_threadpool(names.resolve, self._engine, name)

    async def rendering(self, model: str) -> Rendering | None:
        """How the rows were rendered that an adapter was trained on; None for a base model.

        Raises UnknownModelError.
        """
        if model in BASE_MODELS:
            return None
        row = await run_in_threadpool(catalog.adapter, self._engine, model)
        # Manifests of before there was another form do not name theirs.
        rendering: Rendering = row.manifest.get("rendering", "fenced")
        return rendering

    async def forget(self, model: str) -> None:
        """Unloads an adapter that was deleted; a server that does not answer has lost it anyway."""
        await self._adapters.forget(model)

    async def complete(self, body: dict[str, Any]) -> ServerCompletion:
        """A whole completion.

        Cancel it to give the generation up. Raises TooManyRequestsError when the queue is full.
        """
        body, copies = greedy_once(await self._encoded(body))
        with self.queue.place():
            return repeat_choices(await self._complete(body), copies)

    async def _encoded(self, body: dict[str, Any]) -> dict[str, Any]:
        """The body with tokens for its prompts.

        A long prompt is split in a thread: others must not wait for it.
        """
        texts = [body["prompt"]] if isinstance(body["prompt"], str) else body["prompt"]
        prompts = partial(encode_all, self.base_model, texts)
        return {
            **body,
            "prompt": prompts()
            if sum(map(len, texts)) < LONG_PROMPT
            else await run_in_threadpool(prompts),
        }

    async def _complete(self, body: dict[str, Any]) -> ServerCompletion:
        await self._adapters.load(body["model"])
        reply = await self._server.post("/v1/completions", body)
        if self._adapters.was_forgotten(reply.status, body["model"]):
            await self._adapters.load(body["model"])
            reply = await self._server.post("/v1/completions", body)
        check_reply(reply)
        return parse_completion(reply.body)

    async def stream(
        self, body: dict[str, Any], *, counted: bool = False
    ) -> AsyncGenerator[ServerCompletion]:
        """The pieces of a completion as they come.

        Close it to give the generation up. Raises TooManyRequestsError.

        `counted`: each piece carries the tokens of its choice so far; the last one has no choice
        and the usage of all.
        """
        body, copies = greedy_once(await self._encoded(body))
        body = {
            **body,
            "stream": True,
            "stream_options": {"include_usage": True, "continuous_usage_stats": counted},
        }
        with self.queue.place():
            async with aclosing(self._stream(body)) as pieces:
                async for piece in pieces:
                    yield repeat_choices(piece, copies)

    async def _stream(self, body: dict[str, Any]) -> AsyncGenerator[ServerCompletion]:
        await self._adapters.load(body["model"])
        async with AsyncExitStack() as opened:
            stream = await opened.enter_async_context(self._server.open("/v1/completions", body))
            if self._adapters.was_forgotten(stream.status, body["model"]):
                await self._adapters.load(body["model"])
                stream = await opened.enter_async_context(
                    self._server.open("/v1/completions", body)
                )
            if stream.status != 200:
                check_reply(await stream.reply())
            async with aclosing(stream.events()) as events:
                async for event in events:
                    yield parse_completion(event)
