"""The embedded inference server: docs/contracts/inference.md around the engine that evaluation uses.

Requests that come within a few milliseconds run as one batch, adapters mixed. Thin on purpose: transformers generates.
"""

import argparse
import asyncio
import contextlib
import json
import os
import time
import uuid
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from inframind.errors import EngineError, InfraMindError, ModelNotFoundError
from inframind.generation.engine import Completion, Engine
from inframind.generation.engine import Request as Order
from workers.process import die_with_parent

COLLECT_SECONDS = 0.005
MAX_BATCH = 64
MAX_WAITING = 256


class CompletionRequest(BaseModel):
    """`POST /v1/completions`; fields of OpenAI's API that mean nothing here are passed over."""

    model_config = ConfigDict(extra="ignore")

    model: str
    prompt: Annotated[str, Field(max_length=200_000)] | Annotated[list[str], Field(min_length=1, max_length=64)]
    max_tokens: int = Field(default=16, ge=1, le=8192)
    temperature: float = Field(default=1.0, ge=0.0, le=2.0)
    top_p: float = Field(default=1.0, gt=0.0, le=1.0)
    n: int = Field(default=1, ge=1, le=16)
    seed: int | None = None
    stop: str | list[str] | None = None
    stream: bool = False

    def orders(self, base_model: str) -> list[Order]:
        """One order per answer; each answer of a prompt has a seed of its own."""
        prompts = [self.prompt] if isinstance(self.prompt, str) else self.prompt
        stop = (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())
        model = None if self.model == base_model else self.model
        return [
            Order(
                prompt,
                model,
                self.max_tokens,
                self.temperature,
                self.top_p,
                None if self.seed is None else self.seed + number,
                stop,
            )
            for prompt in prompts
            for number in range(self.n)
        ]


class LoadRequest(BaseModel):
    """`POST /v1/load_lora_adapter`."""

    lora_name: str
    lora_path: str


class UnloadRequest(BaseModel):
    """`POST /v1/unload_lora_adapter`."""

    lora_name: str


class BusyError(EngineError):
    """Too many requests wait; try again in a moment."""


class Batcher:
    """Collects requests and runs them on the engine's one thread."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="engine")
        self._waiting: asyncio.Queue[tuple[Order, asyncio.Future[Completion]]] = asyncio.Queue(MAX_WAITING)

    async def on_engine(self, function: Any, *arguments: Any) -> Any:
        """Runs a function where nothing else touches the engine."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)

    async def complete(self, orders: list[Order]) -> list[Completion]:
        """The completions, once their batches have run. Raises BusyError."""
        loop = asyncio.get_running_loop()
        futures = [loop.create_future() for _ in orders]
        if self._waiting.qsize() + len(orders) > MAX_WAITING:
            raise BusyError()
        for order, future in zip(orders, futures, strict=True):
            self._waiting.put_nowait((order, future))
        try:
            return await asyncio.gather(*futures)
        except asyncio.CancelledError:
            for future in futures:
                future.cancel()
            raise

    async def serve(self) -> None:
        """Runs batches for ever."""
        while True:
            batch = [await self._waiting.get()]
            await asyncio.sleep(COLLECT_SECONDS)
            while len(batch) < MAX_BATCH and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            await self._run([(order, future) for order, future in batch if not future.cancelled()])

    async def _run(self, batch: list[tuple[Order, asyncio.Future[Completion]]]) -> None:
        known = []
        for order, future in batch:
            if order.model is not None and order.model not in self.engine.adapters:
                future.set_exception(ModelNotFoundError(f"the model {order.model!r} is not loaded", param="model"))
            else:
                known.append((order, future))
        if not known:
            return
        futures = [future for _, future in known]
        try:
            found = await self.on_engine(
                self.engine.generate, [order for order, _ in known], lambda: all(f.cancelled() for f in futures)
            )
        except (RuntimeError, ValueError, InfraMindError) as error:
            for future in futures:
                if not future.done():
                    future.set_exception(EngineError(f"generation failed: {type(error).__name__}"))
            return
        for future, completion in zip(futures, found, strict=True):
            if not future.done():
                future.set_result(completion)


def choice_of(index: int, completion: Completion) -> dict[str, Any]:
    """A completion in OpenAI's form."""
    return {"index": index, "text": completion.text, "finish_reason": completion.finish_reason, "logprobs": None}


def usage_of(completions: list[Completion]) -> dict[str, int]:
    """Tokens of all completions."""
    prompt, made = sum(c.prompt_tokens for c in completions), sum(c.completion_tokens for c in completions)
    return {"prompt_tokens": prompt, "completion_tokens": made, "total_tokens": prompt + made}


def create_server(engine: Engine) -> FastAPI:
    """The server around an engine."""
    batcher = Batcher(engine)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        serving = asyncio.create_task(batcher.serve())
        yield
        serving.cancel()

    app = FastAPI(title="InfraMind inference", lifespan=lifespan, docs_url=None, redoc_url=None)

    @app.exception_handler(InfraMindError)
    async def known(_: Request, error: InfraMindError) -> JSONResponse:
        status = 404 if isinstance(error, ModelNotFoundError) else 503 if isinstance(error, BusyError) else 400
        return _error(status, str(error), error.param)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        return _error(400, f"{'.'.join(map(str, first['loc'][1:]))}: {first['msg']}", str(first["loc"][-1]))

    @app.get("/health")
    async def health() -> Response:
        return Response()

    @app.get("/v1/models")
    async def models() -> dict[str, Any]:
        base = {"id": engine.base_model, "object": "model", "root": engine.base_model, "parent": None}
        loaded = [{"id": name, "object": "model", "root": name, "parent": engine.base_model} for name in engine.adapters]
        return {"object": "list", "data": [base, *loaded]}

    @app.post("/v1/load_lora_adapter")
    async def load(request: LoadRequest) -> Response:
        path = Path(request.lora_path)
        if not path.is_dir():
            raise ModelNotFoundError(f"there is no folder for the adapter {request.lora_name!r}", param="lora_path")
        await batcher.on_engine(engine.add_adapter, request.lora_name, path)
        return PlainTextResponse(f"Success: LoRA adapter '{request.lora_name}' added successfully.")

    @app.post("/v1/unload_lora_adapter")
    async def unload(request: UnloadRequest) -> Response:
        await batcher.on_engine(engine.remove_adapter, request.lora_name)
        return PlainTextResponse(f"Success: LoRA adapter '{request.lora_name}' removed successfully.")

    @app.post("/v1/completions", response_model=None)
    async def completions(body: CompletionRequest, request: Request) -> Response:
        work = asyncio.create_task(batcher.complete(body.orders(engine.base_model)))
        if body.stream:
            return StreamingResponse(_pieces(body.model, await work), media_type="text/event-stream")
        found = await _unless_gone(request, work)
        choices = [choice_of(index, completion) for index, completion in enumerate(found)]
        return JSONResponse({**_head(body.model), "choices": choices, "usage": usage_of(found)})

    return app


async def _unless_gone(request: Request, work: "asyncio.Task[list[Completion]]") -> list[Completion]:
    """The work's result; cancelled when the client has gone."""
    while not work.done():
        await asyncio.wait({work}, timeout=0.25)
        if not work.done() and await request.is_disconnected():
            work.cancel()
    return await work


async def _pieces(model: str, found: list[Completion]) -> AsyncIterator[str]:
    for index, completion in enumerate(found):
        for piece in completion.text.splitlines(keepends=True):
            choice = {"index": index, "text": piece, "finish_reason": None, "logprobs": None}
            yield f"data: {json.dumps({**_head(model), 'choices': [choice]})}\n\n"
        last = {"index": index, "text": "", "finish_reason": completion.finish_reason, "logprobs": None}
        yield f"data: {json.dumps({**_head(model), 'choices': [last], 'usage': usage_of([completion])})}\n\n"
    yield "data: [DONE]\n\n"


def _head(model: str) -> dict[str, Any]:
    return {"id": f"cmpl-{uuid.uuid4().hex}", "object": "text_completion", "created": int(time.time()), "model": model}


def _error(status: int, message: str, param: str | None) -> JSONResponse:
    kinds = {400: "BadRequestError", 404: "NotFoundError", 503: "ServiceUnavailableError"}
    return JSONResponse({"error": {"message": message, "type": kinds[status], "param": param, "code": status}}, status)


def main() -> None:
    """`python -m workers.inference_server --base-model NAME --port N`."""
    die_with_parent()
    parser = argparse.ArgumentParser()
    parser.add_argument("--base-model", default="inframind-nano")
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    # Training on the same machine comes first.
    os.nice(5)
    uvicorn.run(create_server(Engine(given.base_model)), host="127.0.0.1", port=given.port, log_level="warning")


if __name__ == "__main__":
    main()
