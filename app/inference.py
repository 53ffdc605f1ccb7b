"""The client of the inference server (docs/contracts/inference.md). One place that speaks to it."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Engine

from app.errors import InvalidError, UnavailableError
from app.jobs import service
from app.settings import Settings
from inframind.models.adapter import verify_adapter
from inframind.models.registry import BASE_MODELS

RETRY_AFTER_SECONDS = 2


class Inference:
    """Sends completions, and sees to it that the adapter they name is loaded."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._engine = engine
        self.base_model = settings.inference_base_model
        limits = httpx.Limits(max_connections=256, max_keepalive_connections=64)
        self._http = httpx.AsyncClient(
            base_url=settings.inference_url,
            timeout=httpx.Timeout(settings.inference_timeout_seconds, connect=2.0),
            limits=limits,
            trust_env=False,
        )
        self._loading: dict[str, asyncio.Lock] = {}
        self._loaded: set[str] = set()

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def is_healthy(self) -> bool:
        """Whether the server answers."""
        try:
            return (await self._http.get("/health", timeout=2.0)).status_code == 200
        except httpx.HTTPError:
            return False

    async def complete(self, body: dict[str, Any]) -> dict[str, Any]:
        """A whole completion."""
        await self._ensure_loaded(body["model"])
        response = await self._send("/v1/completions", body)
        if response.status_code == 404:
            # The server was restarted and has forgotten the adapter.
            self._loaded.discard(body["model"])
            await self._ensure_loaded(body["model"])
            response = await self._send("/v1/completions", body)
        found: dict[str, Any] = self._checked(response).json()
        return found

    async def stream(self, body: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """The pieces of a completion as they come."""
        await self._ensure_loaded(body["model"])
        try:
            async with self._http.stream("POST", "/v1/completions", json={**body, "stream": True}) as response:
                if response.status_code != 200:
                    await response.aread()
                    self._checked(response)
                async for line in response.aiter_lines():
                    if line.startswith("data: ") and line != "data: [DONE]":
                        yield json.loads(line.removeprefix("data: "))
        except httpx.HTTPError:
            raise UnavailableError("the inference server stopped answering; try again in a moment") from None

    async def _ensure_loaded(self, model: str) -> None:
        if model in BASE_MODELS:
            if model != self.base_model:
                raise InvalidError(f"the inference server serves {self.base_model}, not {model}", param="model")
            return
        async with self._loading.setdefault(model, asyncio.Lock()):
            if model in self._loaded:
                return
            row = await run_in_threadpool(service.adapter, self._engine, model)
            if row.base_model != self.base_model:
                raise InvalidError(f"{model} belongs to {row.base_model}; the server serves {self.base_model}", param="model")
            await run_in_threadpool(verify_adapter, Path(row.path))
            response = await self._send("/v1/load_lora_adapter", {"lora_name": model, "lora_path": row.path})
            if not (response.status_code == 400 and "already" in response.text):
                self._checked(response)
            self._loaded.add(model)

    async def _send(self, path: str, body: dict[str, Any]) -> httpx.Response:
        try:
            return await self._http.post(path, json=body)
        except httpx.HTTPError:
            raise UnavailableError("the inference server does not answer; try again in a moment") from None

    @staticmethod
    def _checked(response: httpx.Response) -> httpx.Response:
        if response.status_code == 200:
            return response
        try:
            message = response.json()["error"]["message"]
        except (ValueError, KeyError, TypeError):
            message = f"the inference server answered {response.status_code}"
        if response.status_code in (400, 404, 422):
            raise InvalidError(str(message)[:500], param="model" if response.status_code == 404 else None)
        raise UnavailableError(str(message)[:500])
