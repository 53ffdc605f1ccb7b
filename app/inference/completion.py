"""Completions as the inference server sends them, whole or in pieces.

The contract: docs/contracts/inference.md.
"""

import json
from collections.abc import Sequence
from typing import Any, NoReturn

from pydantic import BaseModel, ValidationError

from app.errors import InvalidError, TooManyRequestsError, UnavailableError
from app.inference.transport import Reply
from app.slots import RETRY_AFTER_SECONDS

BUSY = "the inference server has too many requests; try again in a moment"


class Usage(BaseModel):
    """Number of tokens that a completion took and made."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0


class CompletionChoice(BaseModel):
    """One completion, or a piece of it."""

    index: int
    text: str
    finish_reason: str | None = None
    logprobs: dict[str, Any] | None = None


class ServerCompletion(BaseModel):
    """The inference server's answer, or one event of its stream.

    Fields that are not named here are passed over.
    """

    choices: list[CompletionChoice]
    usage: Usage | None = None


def collect(pieces: Sequence[ServerCompletion], n: int) -> ServerCompletion:
    """The whole completion of a stream's pieces."""
    choices = [CompletionChoice(index=index, text="") for index in range(n)]
    for piece in pieces:
        for choice in piece.choices:
            whole = choices[choice.index]
            whole.text += choice.text
            whole.finish_reason = choice.finish_reason or whole.finish_reason
    return ServerCompletion(
        choices=choices,
        usage=next((piece.usage for piece in reversed(pieces) if piece.usage), None),
    )


def parse_completion(data: str | bytes) -> ServerCompletion:
    """Reads an answer or an event.

    Raises what an error in its place means, UnavailableError for what is neither.
    """
    try:
        return ServerCompletion.model_validate_json(data)
    except ValidationError:
        # In the middle of a stream, a server that fails sends its error as an event, the status in
        # it: ours and vLLM's do.
        _refuse(data, None, "the inference server failed; try again in a moment")


def check_reply(reply: Reply) -> None:
    """Translates the server's refusal."""
    if reply.status != 200:
        _refuse(reply.body, reply.status, f"the inference server answered {reply.status}")


def _refuse(body: str | bytes, status: int | None, otherwise: str) -> NoReturn:
    """Raises our error for the server's, which says what happened, or what stands for it."""
    param = None
    try:
        error = json.loads(body)["error"]
        message, param = str(error["message"])[:500], error.get("param")
        status = status or error.get("code")
    except (ValueError, KeyError, TypeError, AttributeError):
        message = otherwise
    # A model's name is all that the server looks up (docs/contracts/inference.md).
    if status == 404:
        raise InvalidError(message, param="model")
    if status in (400, 422):
        raise InvalidError(message, param=param)
    if status == 429:
        raise TooManyRequestsError(BUSY, RETRY_AFTER_SECONDS)
    raise UnavailableError(message)


def greedy_once(body: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """A greedy request for one answer, and how often it was wanted.

    All would be the same, and vLLM refuses more than one.
    """
    return ({**body, "n": 1}, body.get("n", 1)) if body.get("temperature", 1.0) == 0 else (body, 1)


def repeat_choices(completion: ServerCompletion, copies: int) -> ServerCompletion:
    """Each choice `copies` times, those of a prompt together."""
    if copies == 1:
        return completion
    choices = [
        choice.model_copy(update={"index": choice.index * copies + copy})
        for choice in completion.choices
        for copy in range(copies)
    ]
    return completion.model_copy(update={"choices": choices})
