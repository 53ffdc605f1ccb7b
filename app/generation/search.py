"""Verified generation.

More answers until one passes, and rounds that hand the findings back to the model.
"""

from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

from fastapi.concurrency import run_in_threadpool

from app.generation.answer import Candidate, Generation, generation_of, with_verdicts
from app.generation.request import GenerateRequest, server_request
from app.inference.client import Inference
from app.inference.completion import CompletionChoice, Usage
from inframind.generation.template import render
from inframind.types import Outcome, Verdict
from inframind.verifier.verifier import Verifier

ROUND = 4
"""Answers that are asked for together: when one passes, at most three others were begun for
nothing."""
MAX_FINDINGS = 8


class Search:
    """One request's answers so far."""

    def __init__(self, request: GenerateRequest, serving: Inference, verifier: Verifier) -> None:
        self._request, self._serving, self._verifier = request, serving, verifier
        self._candidates: list[Candidate] = []
        self._usage = Usage()

    async def run(self) -> Generation:
        """The `n` best answers.

        Those that pass first, then by score, then in the order in which they came.
        """
        request = self._request
        while (
            len(self._candidates) < max(request.best_of, request.n) and self._passing() < request.n
        ):
            await self._sample(
                min(max(ROUND, request.n), max(request.best_of, request.n) - len(self._candidates))
            )
        for _ in range(request.repair):
            if self._passing() >= request.n:
                break
            await self._repair(self.ranked()[0])
        return generation_of(
            request,
            request.model or self._serving.base_model,
            self.ranked(),
            self._usage,
            len(self._candidates),
        )

    def ranked(self) -> list[Candidate]:
        """Orders candidates, the best first."""
        return sorted(self._candidates, key=_merit, reverse=True)

    def _passing(self) -> int:
        return sum(
            verdict is not None and verdict.verdict is Outcome.PASS
            for _, verdict in self._candidates
        )

    async def _sample(self, count: int) -> None:
        body = server_request(self._request, self._serving.base_model) | {"n": count}
        if "seed" in body:
            # The k-th answer of a seed is the same however many are asked for together.
            body["seed"] += len(self._candidates)
        await self._complete(body)

    async def _repair(self, candidate: Candidate) -> None:
        choice, verdict = candidate
        talk = [
            *self._request.conversation,
            {"role": "assistant", "content": choice.text},
            {"role": "user", "content": complaint(verdict)},
        ]
        base_model = self._serving.base_model
        body = server_request(self._request, base_model) | {
            "prompt": render(base_model, talk),
            "n": 1,
        }
        await self._complete(body)

    async def _complete(self, body: dict[str, Any]) -> None:
        """Verifies each answer as soon as it ends.

        Once enough pass, the stream is closed: the engine stops writing the others.
        """
        growing = [CompletionChoice(index=index, text="") for index in range(body["n"])]
        spent = [Usage() for _ in growing]
        async with aclosing(self._serving.stream(body, counted=True)) as pieces:
            async for piece in pieces:
                for choice in piece.choices:
                    spent[choice.index] = piece.usage or spent[choice.index]
                    growing[choice.index].text += choice.text
                    if choice.finish_reason:
                        growing[choice.index].finish_reason = choice.finish_reason
                        self._candidates += await run_in_threadpool(
                            with_verdicts, self._request, [growing[choice.index]], self._verifier
                        )
                # The last piece has the usage of all; a stream that is closed early has none.
                if piece.usage and not piece.choices:
                    spent = [piece.usage]
                elif self._passing() >= self._request.n:
                    break
        prompt = max(usage.prompt_tokens for usage in spent)
        completed = sum(usage.completion_tokens for usage in spent)
        self._usage = added(
            self._usage,
            Usage(
                prompt_tokens=prompt, completion_tokens=completed, total_tokens=prompt + completed
            ),
        )


def _merit(candidate: Candidate) -> tuple[bool, float]:
    verdict = candidate[1]
    return (False, 0.0) if verdict is None else (verdict.verdict is Outcome.PASS, verdict.score)


def complaint(verdict: Verdict | None) -> str:
    """Puts the verifier's findings into the user's next message."""
    lines: Sequence[str] = ()
    if verdict is not None:
        errors = [
            finding for finding in verdict.findings if finding.severity in ("error", "unsupported")
        ]
        places = [
            f"line {finding.line}: {finding.message}" if finding.line else finding.message
            for finding in errors
        ]
        lines = [
            *places,
            *(check.message for check in verdict.checks if not check.passed and check.message),
        ]
    listed = "\n".join(f"- {line}" for line in lines[:MAX_FINDINGS])
    return f"The file is not right yet:\n{listed}\nWrite the whole file again."


def added(usage: Usage, other: Usage) -> Usage:
    """Adds two usages, token by token."""
    return Usage(
        **{name: getattr(usage, name) + getattr(other, name) for name in Usage.model_fields}
    )
