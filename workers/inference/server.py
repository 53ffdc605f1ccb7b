"""The embedded inference server: docs/contracts/inference.md around the engine of evaluations.

`python -m workers.inference.server --base-model M --port N`. Thin on purpose: transformers
generates, `workers.inference.batching` collects.
"""

import argparse
import asyncio
import contextlib
import functools
import json
import os
import time
import uuid
from collections.abc import AsyncIterator
from itertools import accumulate
from pathlib import Path
from typing import Annotated, Any

import torch
import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.middleware.trustedhost import TrustedHostMiddleware

from app import logs
from app.settings import settings
from app.web.disconnect import unless_gone
from inframind.errors import ConfigError, EngineError, InfraMindError, ModelNotFoundError
from inframind.generation.engine import Completion, Engine
from inframind.generation.engine import Request as Row
from inframind.models.adapter import NAME, read_manifest
from workers.inference.batching import Batcher, BusyError, GenerationFailedError, Piece
from workers.process import die_with_parent

LOOPBACK = ("127.0.0.1", "localhost")
"""The names by which the api calls; the server listens nowhere else."""
RETRY_AFTER_SECONDS = 1
KINDS = {
    400: "BadRequestError",
    404: "NotFoundError",
    429: "TooManyRequestsError",
    503: "ServiceUnavailableError",
}
STATUSES: dict[type[InfraMindError], int] = {
    ModelNotFoundError: 404,
    BusyError: 429,
    GenerationFailedError: 503,
}


Text = Annotated[str, Field(max_length=200_000)]
Tokens = Annotated[list[Annotated[int, Field(ge=0)]], Field(max_length=200_000)]
Prompts = list[tuple[int, ...]]
"""The tokens of each prompt."""


class StreamOptions(BaseModel):
    """Chooses what events carry beside text."""

    continuous_usage_stats: bool = False
    """Each event has the tokens of its choice so far, for a client that leaves early; as vLLM."""


class CompletionRequest(BaseModel):
    """`POST /v1/completions`; fields of OpenAI's API that mean nothing here are passed over."""

    model_config = ConfigDict(extra="ignore")

    model: str
    prompt: (
        Text
        | Annotated[Tokens, Field(min_length=1)]
        | Annotated[list[Text] | list[Tokens], Field(min_length=1, max_length=64)]
    )
    max_tokens: int = Field(default=16, ge=1, le=32_768)
    temperature: float = Field(default=1.0, ge=0.0, le=2.0)
    top_p: float = Field(default=1.0, gt=0.0, le=1.0)
    n: int = Field(default=1, ge=1, le=16)
    seed: int | None = None
    stop: (
        Annotated[str, Field(min_length=1)]
        | Annotated[list[Annotated[str, Field(min_length=1)]], Field(max_length=4)]
        | None
    ) = None
    stream: bool = False
    stream_options: StreamOptions | None = None
    logprobs: int | None = Field(default=None, ge=0, le=20)
    response_format: Any = None
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0

    def encoded(self, tokenizer: Any) -> Prompts:
        """Splits the prompts into tokens."""
        several = isinstance(self.prompt, list) and not isinstance(self.prompt[0], int)
        prompts: Any = self.prompt if several else [self.prompt]
        split = functools.partial(tokenizer, add_special_tokens=False)
        return [
            tuple(split(prompt)["input_ids"] if isinstance(prompt, str) else prompt)
            for prompt in prompts
        ]

    def rows(self, prompts: Prompts) -> list[Row]:
        """Makes a row for each answer, the answers of a prompt together."""
        stop = (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())
        seed = self.seed if self.temperature > 0 else None
        row = Row(
            (), self.model, self.max_tokens, self.temperature, self.top_p, seed, stop, self.logprobs
        )
        return [Row(**{**vars(row), "prompt": prompt}) for prompt in prompts for _ in range(self.n)]


class LoadRequest(BaseModel):
    """Body of `POST /v1/load_lora_adapter`."""

    lora_name: str
    lora_path: str


class UnloadRequest(BaseModel):
    """Body of `POST /v1/unload_lora_adapter`."""

    lora_name: str


def check(body: CompletionRequest, prompts: Prompts, engine: Engine) -> None:
    """Raises ModelNotFoundError, or ConfigError for what this engine cannot do."""
    if body.model != engine.base_model and body.model not in engine.adapters:
        raise ModelNotFoundError(f"the model {body.model!r} is not loaded", param="model")
    for name in ("response_format", "presence_penalty", "frequency_penalty"):
        if getattr(body, name):
            raise ConfigError(
                f"the embedded server has no `{name}`: leave it out, or serve with vLLM", param=name
            )
    # transformers only warns of what is longer, and goes on.
    longest = int(engine.model.config.max_position_embeddings)
    for prompt in prompts:
        if not prompt:
            raise ConfigError("the prompt is empty", param="prompt")
        if max(prompt) >= engine.model.config.vocab_size:
            raise ConfigError(f"the model has no token {max(prompt)}", param="prompt")
        count = len(prompt)
        if count + body.max_tokens > longest:
            message = (
                f"the model's context has {longest} tokens: the prompt's {count} and max_tokens "
                f"{body.max_tokens} do not fit"
            )
            raise ConfigError(message, param="max_tokens" if count < longest else "prompt")


def load(engine: Engine, name: str, path: Path) -> None:
    """Loads an adapter. Raises EngineError for a bad name or files that cannot be used."""
    if not NAME.fullmatch(name):
        raise EngineError(f"{name!r} is no name of an adapter")
    if name == engine.base_model:
        raise EngineError(f"the name {name!r} is taken already")
    base_model = read_manifest(path).base_model
    if base_model != engine.base_model:
        raise EngineError(
            f"the adapter belongs to {base_model}; this server serves {engine.base_model}"
        )
    try:
        engine.add_adapter(name, path)
    except (RuntimeError, ValueError, KeyError, OSError) as error:
        if isinstance(error, InfraMindError):
            raise
        raise EngineError(f"the adapter's files cannot be used: {type(error).__name__}") from error


def create_server(engine: Engine) -> FastAPI:
    """Builds the server around an engine."""
    batcher = Batcher(engine)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        serving = asyncio.create_task(batcher.serve())
        yield
        serving.cancel()

    app = FastAPI(title="InfraMind inference", lifespan=lifespan, docs_url=None, redoc_url=None)
    # A page whose name was rebound to the loopback calls by its own name, and could load adapters.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=LOOPBACK, www_redirect=False)
    app.add_exception_handler(InfraMindError, _known)
    app.add_exception_handler(RequestValidationError, _invalid)

    @app.get("/health")
    async def health() -> Response:
        return Response()

    @app.get("/v1/models")
    async def models() -> dict[str, Any]:
        base = {
            "id": engine.base_model,
            "object": "model",
            "root": engine.base_model,
            "parent": None,
        }
        loaded = [
            {"id": name, "object": "model", "root": name, "parent": engine.base_model}
            for name in engine.adapters
        ]
        return {"object": "list", "data": [base, *loaded]}

    @app.post("/v1/load_lora_adapter")
    async def load_adapter(body: LoadRequest) -> Response:
        path = Path(body.lora_path)
        if not path.is_dir():
            raise ModelNotFoundError(
                f"there is no folder for the adapter {body.lora_name!r}", param="lora_path"
            )
        # In the engine's thread: PEFT changes the very modules that a batch runs through.
        await batcher.on_engine(load, engine, body.lora_name, path)
        return PlainTextResponse(f"Success: LoRA adapter '{body.lora_name}' added successfully.")

    @app.post("/v1/unload_lora_adapter")
    async def unload_adapter(body: UnloadRequest) -> Response:
        await batcher.on_engine(engine.remove_adapter, body.lora_name)
        return PlainTextResponse(f"Success: LoRA adapter '{body.lora_name}' removed successfully.")

    @app.post("/v1/completions", response_model=None)
    async def completions(body: CompletionRequest, request: Request) -> Response:
        prompts = body.encoded(engine.tokenizer)
        check(body, prompts, engine)
        if body.stream:
            return StreamingResponse(stream(body, prompts, batcher), media_type="text/event-stream")
        completions = await unless_gone(request, batcher.submit(body.rows(prompts)).answer)
        choices = [
            choice(
                index,
                completion.text,
                completion.finish_reason,
                logprobs(completion, engine.tokenizer),
            )
            for index, completion in enumerate(completions)
        ]
        return JSONResponse(
            {**head(body.model), "choices": choices, "usage": usage(completions, body.n)}
        )

    return app


def stream(body: CompletionRequest, prompts: Prompts, batcher: Batcher) -> AsyncIterator[str]:
    """Sends the texts as events while they grow.

    Raises BusyError before the first, so that it is an answer and not an event.
    """
    pieces: asyncio.Queue[Piece | None] = asyncio.Queue()
    work = batcher.submit(body.rows(prompts), pieces.put_nowait)
    work.answer.add_done_callback(lambda _: pieces.put_nowait(None))
    counted = body.stream_options is not None and body.stream_options.continuous_usage_stats

    async def events() -> AsyncIterator[str]:
        identity = head(body.model)
        try:
            while (piece := await pieces.get()) is not None:
                spent = (
                    {"usage": tokens(len(prompts[piece.row // body.n]), piece.tokens)}
                    if counted
                    else {}
                )
                yield event(
                    {
                        **identity,
                        "choices": [choice(piece.row, piece.text, piece.finish_reason)],
                        **spent,
                    }
                )
            try:
                completions = work.answer.result()
            except InfraMindError as error:
                yield event(problem(status_of(error), str(error), error.param))
            else:
                # A piece of text is no whole number of tokens: log-probabilities come at the end.
                rows = enumerate(completions) if body.logprobs is not None else ()
                noted = [
                    choice(index, "", None, logprobs(completion, batcher.engine.tokenizer))
                    for index, completion in rows
                ]
                yield event({**identity, "choices": noted, "usage": usage(completions, body.n)})
            yield "data: [DONE]\n\n"
        finally:
            # Also when the client has left: nobody reads the rest, and the engine stops at the next
            # token.
            work.answer.cancel()

    return events()


def event(data: dict[str, Any]) -> str:
    """Writes a server-sent event."""
    return f"data: {json.dumps(data)}\n\n"


def head(model: str) -> dict[str, Any]:
    """Makes the beginning of every answer."""
    return {
        "id": f"cmpl-{uuid.uuid4().hex}",
        "object": "text_completion",
        "created": int(time.time()),
        "model": model,
    }


def choice(
    index: int, text: str, finish_reason: str | None, logprobs: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Makes a completion, or a piece of one, in OpenAI's form."""
    return {"index": index, "text": text, "finish_reason": finish_reason, "logprobs": logprobs}


def logprobs(completion: Completion, tokenizer: Any) -> dict[str, Any] | None:
    """Makes OpenAI's form of log-probabilities."""
    if completion.logprobs is None:
        return None
    tokens = [_text(tokenizer, step.token) for step in completion.logprobs]
    offsets = [0, *accumulate(len(token) for token in tokens)][: len(tokens)]
    tops = [
        {_text(tokenizer, token): value for token, value in step.top.items()}
        for step in completion.logprobs
    ]
    values = [step.logprob for step in completion.logprobs]
    return {
        "tokens": tokens,
        "token_logprobs": values,
        "top_logprobs": tops,
        "text_offset": offsets,
    }


def _text(tokenizer: Any, token: int) -> str:
    text: str = tokenizer.decode([token], skip_special_tokens=False)
    return text


def usage(completions: list[Completion], n: int) -> dict[str, int]:
    """Counts the tokens of all completions; the `n` answers to a prompt share it."""
    return tokens(
        sum(c.prompt_tokens for c in completions[::n]),
        sum(c.completion_tokens for c in completions),
    )


def tokens(prompt: int, completed: int) -> dict[str, int]:
    """Makes OpenAI's form of usage."""
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completed,
        "total_tokens": prompt + completed,
    }


def problem(status: int, message: str, param: str | None) -> dict[str, Any]:
    """Makes OpenAI's form of an error."""
    return {"error": {"message": message, "type": KINDS[status], "param": param, "code": status}}


def status_of(error: InfraMindError) -> int:
    """Gives the status of an error, the same for an answer and for an event of a stream."""
    return next((status for kind, status in STATUSES.items() if isinstance(error, kind)), 400)


async def _known(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, InfraMindError)
    status = status_of(error)
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if status in (429, 503) else None
    return JSONResponse(problem(status, str(error), error.param), status, headers)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    # vLLM's status for a bad body is 400, not FastAPI's 422.
    first = error.errors()[0]
    field = str(first["loc"][1]) if len(first["loc"]) > 1 else "body"
    return JSONResponse(problem(400, f"{field}: {first['msg']}", field), 400)


def main() -> None:
    """Serves the model until a signal."""
    die_with_parent()
    parser = argparse.ArgumentParser(prog="workers.inference.server", description=__doc__)
    parser.add_argument("--base-model", default="inframind-nano")
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    logs.configure(settings().log_format, settings().log_level)
    # Training on the same machine comes first.
    os.nice(5)
    torch.set_num_threads(max(1, len(os.sched_getaffinity(0)) // 2))
    server = create_server(Engine(arguments.base_model))
    uvicorn.run(
        server,
        host="127.0.0.1",
        port=arguments.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=2,
    )


if __name__ == "__main__":
    main()
