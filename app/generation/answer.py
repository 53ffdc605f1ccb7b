"""The answers of a generation, with their files and verdicts."""

import time
import uuid
from collections.abc import Sequence
from typing import Literal

from fastapi.concurrency import run_in_threadpool

from app.generation.request import GenerateRequest
from app.inference.completion import CompletionChoice, ServerCompletion, Usage
from app.views import View
from inframind.types import AnswerFormat, Verdict, VerifyRequest
from inframind.verifier.extract import extract
from inframind.verifier.verifier import Verifier

Candidate = tuple[CompletionChoice, Verdict | None]
"""An answer and what the verifier says of it."""


class Choice(View):
    """Answer of the model, with its verdict where one was asked for."""

    index: int
    text: str
    file: str | None
    """The one fenced file of the answer, if there is exactly one; of an adapter that was trained on
    rows as given the whole answer, if it has no fence."""
    finish_reason: str
    """`stop` or `length`."""
    verdict: Verdict | None


class Generation(View):
    """Answers to one request, best first where they were ranked."""

    id: str
    object: Literal["generation"] = "generation"
    model: str
    choices: list[Choice]
    attempts: int
    """Answers that were finished, repairs included; the usage also counts those that were given up
    when one passed."""
    usage: Usage
    created_at: float


async def answer(
    request: GenerateRequest, model: str, completion: ServerCompletion, verifier: Verifier
) -> Generation:
    """The answers with their files and, if they were asked for, their verdicts."""
    candidates: list[Candidate] = [(choice, None) for choice in completion.choices]
    if request.wants_verdicts:
        candidates = await run_in_threadpool(with_verdicts, request, completion.choices, verifier)
    return generation_of(request, model, candidates, completion.usage or Usage(), len(candidates))


def with_verdicts(
    request: GenerateRequest, choices: Sequence[CompletionChoice], verifier: Verifier
) -> list[Candidate]:
    """Each answer with its verdict. Waits for the verifier."""
    # Read as training reads it: what a reward would refuse is no pass here.
    checks = tuple(request.checks)
    requests = [
        VerifyRequest(
            text=choice.text,
            category=request.category,
            checks=checks,
            format=request.answer_format,
        )
        for choice in choices
    ]
    return list(zip(choices, verifier.verify_many(requests), strict=True))


def generation_of(
    request: GenerateRequest,
    model: str,
    candidates: Sequence[Candidate],
    usage: Usage,
    attempts: int,
) -> Generation:
    """The first `n` of the answers."""
    # A search may have more than was asked for; the order is already the caller's.
    choices = [
        Choice(
            index=i,
            text=choice.text,
            file=_file(choice.text, request.answer_format),
            finish_reason=choice.finish_reason or "stop",
            verdict=verdict,
        )
        for i, (choice, verdict) in enumerate(candidates[: request.n])
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


def _file(text: str, form: AnswerFormat) -> str | None:
    extracted = extract(text, (), form)
    return None if extracted.rule else extracted.text
