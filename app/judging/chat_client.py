"""The client of the judge model: any server with OpenAI's chat completions.

One place speaks to it; its address is a setting.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx
from pydantic import BaseModel, Field, ValidationError

from app.settings import Settings
from inframind.judge.llm import SilentError
from inframind.judge.prompt import Message, Schema

MAX_REPLY_BYTES = 262_144
REFUSED_KEY = "the judge model's server refused the key: set INFRAMIND_JUDGE_API_KEY"


class _Message(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    message: _Message


class _Reply(BaseModel):
    choices: list[_Choice] = Field(min_length=1)


class _Refused(Exception):  # noqa: N818 - control flow between two attempts, seen by nobody
    """The server answered 400 or 422."""


class ChatServer:
    """Asks for replies in a JSON schema, and for less from a server that does not know how."""

    def __init__(self, settings: Settings) -> None:
        self._model, self._timeout = settings.judge_model, settings.judge_timeout_seconds
        self._max_tokens = settings.judge_max_tokens
        key = settings.judge_api_key.get_secret_value()
        # No redirects and no proxy: the key goes to this server and nowhere else.
        self._http = httpx.AsyncClient(
            base_url=settings.judge_url.rstrip("/"),
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(self._timeout, connect=5.0),
            follow_redirects=False,
            trust_env=False,
        )
        self._slots = asyncio.Semaphore(settings.judge_concurrency)
        self._formats_left = 3
        """Formats that may be tried: once a lesser one worked where a better one was refused, the
        better one is not tried again."""

    async def close(self) -> None:
        """Closes the connections to the judge model."""
        await self._http.aclose()

    async def ask(self, messages: Sequence[Message], schema: Schema) -> str:
        """The reply's text. Raises SilentError."""
        async with self._slots:
            try:
                async with asyncio.timeout(self._timeout):
                    return await self._in_the_best_format(messages, schema)
            except (TimeoutError, httpx.TimeoutException):
                raise SilentError(
                    "timeout", f"the judge model did not answer within {self._timeout:g} s"
                ) from None
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise SilentError(
                    "unavailable", f"the judge model does not answer: {type(error).__name__}"
                ) from None

    async def _in_the_best_format(self, messages: Sequence[Message], schema: Schema) -> str:
        named = {"type": "json_schema", "json_schema": {"name": "reply", "schema": schema}}
        formats: list[dict[str, Any]] = [
            {"response_format": named},
            {"response_format": {"type": "json_object"}},
            {},
        ]
        refusal = ""
        for left in range(self._formats_left, 0, -1):
            try:
                reply = await self._send(messages, formats[-left])
            except _Refused as error:
                refusal = refusal or str(error)
            else:
                self._formats_left = left
                return reply
        raise SilentError("refused", f"the judge model's server refused the request: {refusal}")

    async def _send(self, messages: Sequence[Message], response_format: dict[str, Any]) -> str:
        body = {
            "model": self._model,
            "messages": list(messages),
            "temperature": 0,
            "max_tokens": self._max_tokens,
            **response_format,
        }
        async with self._http.stream("POST", "/chat/completions", json=body) as response:
            data = bytearray()
            async for chunk in response.aiter_bytes():
                data += chunk
                if len(data) > MAX_REPLY_BYTES:
                    raise SilentError(
                        "unparsable",
                        f"the judge model's reply has more than {MAX_REPLY_BYTES} bytes",
                    )
        if response.status_code in (400, 422):
            raise _Refused(data.decode(errors="replace")[:300])
        if response.status_code in (401, 403):
            raise SilentError("refused", REFUSED_KEY)
        if response.status_code != 200:
            raise SilentError(
                "unavailable", f"the judge model's server answered {response.status_code}"
            )
        try:
            return _Reply.model_validate_json(bytes(data)).choices[0].message.content or ""
        except ValidationError:
            raise SilentError(
                "unparsable", "the judge model's server does not answer in OpenAI's form"
            ) from None
