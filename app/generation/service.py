"""What a generation is: the request, the prompt that the inference server gets, and the answer with its verdicts."""

import time
import uuid
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi.concurrency import run_in_threadpool
from pydantic import ConfigDict, Field

from app.errors import InvalidError
from app.inference.client import Completion, CompletionChoice, Usage
from app.views import View
from inframind.bench.prompt import messages as task_messages
from inframind.categories import category
from inframind.generation.template import render
from inframind.types import Check, Contract, Verdict, VerifyRequest
from inframind.verifier.checks import validate_checks
from inframind.verifier.extract import extract
from inframind.verifier.verifier import Verifier

MAX_PROMPT = 100_000
Candidate = tuple[CompletionChoice, Verdict | None]
"""An answer and what the verifier says of it."""


class Message(Contract):
    """One chat message."""

    model_config = ConfigDict(strict=True)

    role: Literal["system", "user", "assistant"]
    content: str = Field(max_length=MAX_PROMPT)


class GenerateRequest(Contract):
    """Exactly one of `prompt`, `instruction` and `messages`."""

    model_config = ConfigDict(strict=True)

    model: str | None = Field(default=None, max_length=128)
    """A base model or an adapter of GET /models; null: the base model that is served."""
    prompt: str | None = Field(default=None, min_length=1, max_length=MAX_PROMPT)
    """Text to continue as it is; no chat template is applied."""
    instruction: str | None = Field(default=None, min_length=1, max_length=MAX_PROMPT)
    """What to write, in the form that training uses."""
    input: str = Field(default="", max_length=MAX_PROMPT)
    """What the instruction is about, such as a file to change."""
    messages: list[Message] | None = Field(default=None, min_length=1, max_length=64)
    n: int = Field(default=1, ge=1, le=16)
    """Answers. Give a temperature: greedy answers are all the same."""
    temperature: float = Field(default=0.0, ge=0.0, le=2.0)
    """0 is greedy."""
    top_p: float = Field(default=1.0, gt=0.0, le=1.0)
    max_tokens: int = Field(default=512, ge=1, le=2048)
    seed: int | None = Field(default=None, ge=0, le=2**31 - 1)
    stop: list[Annotated[str, Field(min_length=1, max_length=64)]] = Field(default=[], max_length=4)
    stream: bool = False
    """Server-sent events: `{"index", "text"}` pieces, then the whole answer as `event: done`."""
    verify: bool = False
    """Give each answer the verdict that training would have given it. `checks` ask for it too."""
    best_of: int = Field(default=1, ge=1, le=64)
    """Verified generation: up to so many answers are sampled until `n` pass; the best come first."""
    repair: int = Field(default=0, ge=0, le=4)
    """Verified generation: up to so many rounds in which the model gets the findings of its best answer and writes it again."""
    category: str | None = Field(default=None, max_length=64)
    """What the answer is; null: detected."""
    checks: list[Check] = Field(default=[], max_length=64)

    @property
    def wants_verdicts(self) -> bool:
        """Whether the answers are verified."""
        return self.verify or bool(self.checks) or self.searches

    @property
    def searches(self) -> bool:
        """Whether more answers may be made than are given back."""
        return self.best_of > 1 or self.repair > 0


class Choice(View):
    """One answer."""

    index: int
    text: str
    file: str | None
    """The one fenced file of the answer, if there is exactly one."""
    finish_reason: str
    """`stop` or `length`."""
    verdict: Verdict | None


class Generation(View):
    """The answers."""

    id: str
    object: Literal["generation"] = "generation"
    model: str
    choices: list[Choice]
    attempts: int
    """Answers that were finished, repairs included; the usage also counts those that were given up when one passed."""
    usage: Usage
    created_at: float


def check(request: GenerateRequest) -> None:
    """Raises InvalidError, ConfigError or DataError for what a schema cannot say, naming the field."""
    sources = [
        name for name in ("prompt", "instruction", "messages") if getattr(request, name) is not None
    ]
    if len(sources) != 1:
        raise InvalidError(
            "give exactly one of `prompt`, `instruction` and `messages`",
            param=sources[1] if sources else "prompt",
        )
    if request.input and request.instruction is None:
        raise InvalidError("`input` goes with `instruction`", param="input")
    if request.searches and request.stream:
        raise InvalidError(
            "a stream cannot be ranked: leave out `best_of` and `repair`, or `stream`",
            param="stream",
        )
    if request.best_of > 1 and request.temperature == 0:
        raise InvalidError(
            "`best_of` needs a `temperature`: greedy answers are all the same", param="temperature"
        )
    if request.repair and request.prompt is not None:
        raise InvalidError(
            "`repair` needs a conversation: give `instruction` or `messages`", param="repair"
        )
    if request.category is not None:
        category(request.category)
    validate_checks(request.checks)


def body_of(request: GenerateRequest, base_model: str) -> dict[str, Any]:
    """The request to the inference server."""
    body: dict[str, Any] = {
        "model": request.model or base_model, "prompt": _prompt(request, base_model), "max_tokens": request.max_tokens,
        "temperature": request.temperature, "top_p": request.top_p, "n": request.n, "skip_special_tokens": False,
    }  # fmt: skip
    if request.seed is not None:
        body["seed"] = request.seed
    if request.stop:
        body["stop"] = request.stop
    return body


def _prompt(request: GenerateRequest, base_model: str) -> str:
    return (
        request.prompt if request.prompt is not None else render(base_model, messages_of(request))
    )


def messages_of(request: GenerateRequest) -> list[dict[str, str]]:
    """The conversation so far."""
    if request.messages is not None:
        return [message.model_dump() for message in request.messages]
    return task_messages(request.instruction or "", request.input)


async def answer(
    request: GenerateRequest, model: str, completion: Completion, verifier: Verifier
) -> Generation:
    """The answers with their files and, if they were asked for, their verdicts."""
    found: list[Candidate] = [(choice, None) for choice in completion.choices]
    if request.wants_verdicts:
        found = await run_in_threadpool(judged, request, completion.choices, verifier)
    return assembled(request, model, found, completion.usage or Usage(), len(found))


def judged(
    request: GenerateRequest, choices: Sequence[CompletionChoice], verifier: Verifier
) -> list[Candidate]:
    """Each answer with its verdict. Waits for the verifier."""
    checks = tuple(request.checks)
    requests = [
        VerifyRequest(text=choice.text, category=request.category, checks=checks, format="answer")
        for choice in choices
    ]
    return list(zip(choices, verifier.verify_many(requests), strict=True))


def assembled(
    request: GenerateRequest, model: str, found: Sequence[Candidate], usage: Usage, attempts: int
) -> Generation:
    """The first `n` of the answers."""
    choices = [
        Choice(
            index=i,
            text=choice.text,
            file=_file(choice.text),
            finish_reason=choice.finish_reason or "stop",
            verdict=verdict,
        )
        for i, (choice, verdict) in enumerate(found[: request.n])
    ]
    identity = f"gen-{uuid.uuid4().hex}"
    return Generation(
        id=identity,
        model=model,
        choices=choices,
        attempts=attempts,
        usage=usage,
        created_at=time.time(),
    )


def _file(text: str) -> str | None:
    extracted = extract(text, (), "answer")
    return None if extracted.rule else extracted.text
