"""OpenAI's completions and chat completions, as far as the inference server's engine has them.

Source: https://platform.openai.com/docs/api-reference (completions, chat, models). Unknown fields
are refused and not passed on: an engine has fields of its own that the world must not reach.
"""

import time
import uuid
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from app.errors import InvalidError
from app.fields import MetadataKey, MetadataValue, ModelName, Seed64
from app.inference.completion import CompletionChoice, ServerCompletion, Usage
from inframind.bench.prompt import as_trained
from inframind.generation.template import render
from inframind.types import Rendering

MAX_TEXT = 200_000
Stop = Annotated[str, Field(min_length=1, max_length=256)]


def OrDefault(default: Any) -> BeforeValidator:  # noqa: N802 - it reads as a type
    """OpenAI takes null for what is left out."""
    return BeforeValidator(lambda value: default if value is None else value)


class StreamOptions(BaseModel):
    """Options of a stream: whether its end tells the usage."""

    model_config = ConfigDict(extra="forbid")

    include_usage: bool = False


class Sampling(BaseModel):
    """Fields that both kinds of completion share."""

    model_config = ConfigDict(extra="forbid")

    model: Annotated[ModelName, Field(min_length=1)]
    temperature: Annotated[float, Field(ge=0.0, le=2.0), OrDefault(1.0)] = 1.0
    top_p: Annotated[float, Field(gt=0.0, le=1.0), OrDefault(1.0)] = 1.0
    # OpenAI takes 128; the embedded server's batch has 64 rows for all clients together.
    n: Annotated[int, Field(ge=1, le=16), OrDefault(1)] = 1
    # Four, as OpenAI.
    stop: Stop | Annotated[list[Stop], Field(max_length=4)] | None = None
    seed: Seed64 | None = None
    stream: Annotated[bool, OrDefault(default=False)] = False
    stream_options: StreamOptions | None = None
    presence_penalty: float | None = Field(default=None, ge=-2.0, le=2.0)
    frequency_penalty: float | None = Field(default=None, ge=-2.0, le=2.0)
    user: str | None = Field(default=None, max_length=256)
    """Passed over, as `store` and `metadata`: nothing is kept."""
    store: bool | None = None
    metadata: dict[MetadataKey, MetadataValue] | None = Field(default=None, max_length=16)

    def sampling(self) -> dict[str, Any]:
        """The fields that the engine gets."""
        body = {
            "model": self.model,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "n": self.n,
        }
        optional = {
            "stop": self.stop,
            "seed": self.seed,
            "presence_penalty": self.presence_penalty or None,
            "frequency_penalty": self.frequency_penalty or None,
        }
        return body | {name: value for name, value in optional.items() if value is not None}


class TextCompletionRequest(Sampling):
    """Body of `POST /v1/completions`."""

    prompt: (
        Annotated[str, Field(max_length=MAX_TEXT)]
        | Annotated[
            list[Annotated[str, Field(max_length=MAX_TEXT)]], Field(min_length=1, max_length=16)
        ]
    )
    max_tokens: int = Field(default=16, ge=1, le=32_768)
    # OpenAI's limits: five here, and twenty in a chat.
    logprobs: int | None = Field(default=None, ge=0, le=5)

    def body(self) -> dict[str, Any]:
        """Gives the body of the request to the inference server."""
        fields = {**self.sampling(), "prompt": self.prompt, "max_tokens": self.max_tokens}
        return fields if self.logprobs is None else {**fields, "logprobs": self.logprobs}


class ChatText(BaseModel):
    """A part of a message."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["text"]
    text: str = Field(max_length=MAX_TEXT)


class ChatMessage(BaseModel):
    """One message; text only."""

    # Clients send an answer back as they got it, with `refusal`, `annotations` and the like.
    model_config = ConfigDict(extra="ignore")

    role: Literal["system", "developer", "user", "assistant"]
    content: (
        Annotated[str, Field(max_length=MAX_TEXT)] | Annotated[list[ChatText], Field(max_length=64)]
    )

    def plain(self) -> dict[str, str]:
        """Role and text. `developer` is the newer name of `system`."""
        text = (
            self.content
            if isinstance(self.content, str)
            else "".join(part.text for part in self.content)
        )
        return {"role": "system" if self.role == "developer" else self.role, "content": text}


class JsonSchema(BaseModel):
    """JSON schema that an answer has to follow."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=64)
    description: str | None = Field(default=None, max_length=MAX_TEXT)
    schema_: dict[str, Any] = Field(alias="schema")
    strict: bool | None = None
    """Passed over: an engine that knows schemas keeps to them."""


class ResponseFormat(BaseModel):
    """OpenAI's forms of an answer, and none of an engine's own."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None

    @model_validator(mode="after")
    def _with_its_schema(self) -> "ResponseFormat":
        if (self.type == "json_schema") != (self.json_schema is not None):
            raise ValueError("`json_schema` goes with the type `json_schema`, and with no other")
        return self


class ChatRequest(Sampling):
    """Body of `POST /v1/chat/completions`."""

    messages: list[ChatMessage] = Field(min_length=1, max_length=256)
    max_tokens: int | None = Field(default=None, ge=1, le=32_768)
    max_completion_tokens: int | None = Field(default=None, ge=1, le=32_768)
    """The newer name of `max_tokens`."""
    logprobs: Annotated[bool, OrDefault(default=False)] = False
    top_logprobs: int | None = Field(default=None, ge=0, le=20)
    response_format: ResponseFormat | None = None

    def body(self, base_model: str, rendering: Rendering | None = None) -> dict[str, Any]:
        """Gives the body of the request to the inference server.

        The api applies the chat template, so every engine sees the same tokens; an adapter is asked
        in the form that it was trained on.
        """
        if self.top_logprobs is not None and not self.logprobs:
            raise InvalidError("`top_logprobs` needs `logprobs`: true", param="top_logprobs")
        conversation = as_trained([message.plain() for message in self.messages], rendering)
        fields: dict[str, Any] = {
            **self.sampling(),
            "prompt": render(base_model, conversation),
            "max_tokens": self.max_completion_tokens or self.max_tokens or 512,
            "skip_special_tokens": False,
        }
        if self.logprobs:
            fields["logprobs"] = self.top_logprobs or 0
        if self.response_format is not None and self.response_format.type != "text":
            fields["response_format"] = self.response_format.model_dump(
                by_alias=True, exclude_none=True
            )
        return fields


class Head:
    """Fields that every object of one answer begins with."""

    def __init__(self, kind: Literal["text_completion", "chat.completion"], model: str) -> None:
        self.kind, self.model = kind, model
        self.id = f"{'cmpl' if kind == 'text_completion' else 'chatcmpl'}-{uuid.uuid4().hex}"
        self.created = int(time.time())

    @property
    def is_chat(self) -> bool:
        """Tells whether the answer's choices are messages."""
        return self.kind == "chat.completion"

    def whole(self, completion: ServerCompletion) -> dict[str, Any]:
        """The answer in one piece."""
        choices = [
            self._message(choice) if self.is_chat else choice.model_dump()
            for choice in completion.choices
        ]
        return {
            **self._fields(self.kind),
            "choices": choices,
            "usage": (completion.usage or Usage()).model_dump(),
        }

    def piece(self, completion: ServerCompletion) -> dict[str, Any]:
        """One event of a stream."""
        choices = [
            self._delta(choice) if self.is_chat else choice.model_dump()
            for choice in completion.choices
        ]
        return {
            **self._fields("chat.completion.chunk" if self.is_chat else self.kind),
            "choices": choices,
        }

    def opening(self, n: int) -> list[dict[str, Any]]:
        """A chat's stream begins with the role."""
        if not self.is_chat:
            return []
        choices = [
            {"index": i, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}
            for i in range(n)
        ]
        return [{**self._fields("chat.completion.chunk"), "choices": choices}]

    def usage(self, completion: ServerCompletion) -> dict[str, Any]:
        """The last event of a stream that asked for it."""
        return {
            **self.piece(ServerCompletion(choices=[])),
            "usage": (completion.usage or Usage()).model_dump(),
        }

    def _fields(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}

    def _message(self, choice: CompletionChoice) -> dict[str, Any]:
        message = {"role": "assistant", "content": choice.text, "refusal": None}
        return {
            "index": choice.index,
            "message": message,
            "finish_reason": choice.finish_reason,
            "logprobs": _content(choice),
        }

    def _delta(self, choice: CompletionChoice) -> dict[str, Any]:
        delta = {"content": choice.text} if choice.text else {}
        return {
            "index": choice.index,
            "delta": delta,
            "finish_reason": choice.finish_reason,
            "logprobs": _content(choice),
        }


def _content(choice: CompletionChoice) -> dict[str, Any] | None:
    """The completions' form of log-probabilities -> the chat's."""
    if choice.logprobs is None:
        return None
    tokens, values = choice.logprobs["tokens"], choice.logprobs["token_logprobs"]
    tops = choice.logprobs.get("top_logprobs") or [{}] * len(tokens)
    rows = zip(tokens, values, tops, strict=True)
    return {
        "content": [
            {
                **_token(token, value),
                "top_logprobs": [_token(*pair) for pair in (top or {}).items()],
            }
            for token, value, top in rows
        ]
    }


def _token(token: str, logprob: float | None) -> dict[str, Any]:
    return {
        "token": token,
        # OpenAI's own number for a token that is very unlikely.
        "logprob": logprob if logprob is not None else -9999.0,
        "bytes": list(token.encode()),
    }
