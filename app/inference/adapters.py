"""The adapters that the inference server has loaded: each is checked before it is asked."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Engine

from app.artifacts import Artifacts
from app.catalog import service as catalog
from app.errors import InvalidError, UnavailableError
from app.inference.completion import check_reply, parse_completion
from app.inference.transport import Transport
from app.settings import Settings
from inframind.errors import EngineError, InfraMindError
from inframind.generation.encoding import encode
from inframind.models.adapter import verify_adapter
from inframind.models.probe import PROMPTS, TOP, Likeliest, Probe, fault
from inframind.models.registry import BASE_MODELS


def encode_all(base_model: str, texts: Sequence[str]) -> list[list[int]]:
    """Splits texts into a base model's tokens."""
    return [encode(base_model, text) for text in texts]


TOLERANCE_NATS = 0.25
"""What a loaded adapter's log-probabilities may differ by from PEFT's: bfloat16 is within 0.1."""


class AdapterLoader:
    """Loads adapters into the server, one at a time each, and remembers which it has."""

    def __init__(
        self, server: Transport, engine: Engine, artifacts: Artifacts, settings: Settings
    ) -> None:
        self._server, self._engine, self._artifacts = server, engine, artifacts
        self._base_model = settings.inference_base_model
        self._loading: dict[str, asyncio.Lock] = {}
        self._loaded: set[str] = set()

    async def forget(self, model: str) -> None:
        """Unloads an adapter that was deleted; a server that does not answer has lost it anyway."""
        self._loaded.discard(model)
        self._loading.pop(model, None)
        with suppress(UnavailableError):
            await self._server.post("/v1/unload_lora_adapter", {"lora_name": model})

    def was_forgotten(self, status: int, model: str) -> bool:
        """Tells whether the server was restarted and has lost the adapter."""
        forgotten = status == 404 and model in self._loaded
        if forgotten:
            self._loaded.discard(model)
        return forgotten

    async def load(self, model: str) -> None:
        """Sees to it that the server has the adapter, and serves it as it was trained.

        Raises InvalidError, NotFoundError, StoreError, EngineError, UnavailableError.
        """
        if model in BASE_MODELS:
            if model != self._base_model:
                raise InvalidError(
                    f"the inference server serves {self._base_model}, not {model}", param="model"
                )
            return
        # Asked of the database every time: that another caller's adapter is loaded makes it nobody
        # else's.
        row = await run_in_threadpool(catalog.adapter, self._engine, model)
        async with self._loading.setdefault(model, asyncio.Lock()):
            if model in self._loaded:
                return
            if row.base_model != self._base_model:
                raise InvalidError(
                    f"{model} belongs to {row.base_model}; the server serves {self._base_model}",
                    param="model",
                )
            # The server reads it by this very path: another host of it has the same data folder.
            folder = self._artifacts.locate(row.whereabouts)
            await run_in_threadpool(self._artifacts.pull, folder)
            await run_in_threadpool(verify_adapter, folder)
            reply = await self._server.post(
                "/v1/load_lora_adapter", {"lora_name": model, "lora_path": str(folder)}
            )
            if not (reply.status == 400 and b"already" in reply.body):
                check_reply(reply)
            await self._smoke_test(model, row.manifest)
            self._loaded.add(model)

    async def _smoke_test(self, model: str, manifest: dict[str, Any]) -> None:
        """An adapter that the server loaded must answer as PEFT said when it was published.

        Raises EngineError, and unloads it.
        """
        if manifest.get("probe") is None:
            return
        try:
            base, adapter = [await self._likeliest(name) for name in (self._base_model, model)]
            reason = fault(
                Probe.model_validate(manifest["probe"]),
                Probe(base=base, adapter=adapter),
                TOLERANCE_NATS,
            )
            if reason is not None:
                raise EngineError(
                    f"the inference server does not serve {model} as it was trained: {reason}"
                )
        except InfraMindError:
            # Also where the server refuses to answer with it, or has no numbers to give.
            await self._server.post("/v1/unload_lora_adapter", {"lora_name": model})
            raise

    async def _likeliest(self, model: str) -> Likeliest:
        prompts = encode_all(self._base_model, PROMPTS)
        body = {
            "model": model,
            "prompt": prompts,
            "max_tokens": 1,
            "temperature": 0,
            "logprobs": TOP,
        }
        reply = await self._server.post("/v1/completions", body)
        check_reply(reply)
        choices = sorted(parse_completion(reply.body).choices, key=lambda choice: choice.index)
        likeliest = [
            top
            for choice in choices
            for top in (choice.logprobs or {}).get("top_logprobs", ())[:1]
            if top
        ]
        if len(likeliest) != len(PROMPTS):
            raise EngineError(
                "the inference server gives no log-probabilities: an adapter cannot be checked"
            )
        return tuple(likeliest)
