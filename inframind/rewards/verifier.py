"""The verifier as everybody uses it: the ladder, in guarded warm worker processes."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from inframind.errors import SandboxError
from inframind.rewards.score import crashed, unscorable
from inframind.sandbox.guards import refusal
from inframind.sandbox.pool import CallFailedError, Pool
from inframind.types import Verdict, VerifyRequest

DEADLINE_SECONDS = 2.0
REASONS = {
    "deadline": f"checking did not end within {DEADLINE_SECONDS:g} s, twice",
    "crash": "the text crashed the checker, twice",
}


class Verifier:
    """Judges texts. Thread-safe; the worker processes start when first needed. Use it as a context manager."""

    def __init__(self, workers: int = 2) -> None:
        self._pool = Pool("inframind.rewards.score:score_json", workers, DEADLINE_SECONDS)

    def verify(self, request: VerifyRequest) -> Verdict:
        """The verdict; an environment that fails gives `unscorable`, never an exception."""
        return self.verify_many([request])[0]

    def verify_many(self, requests: Sequence[VerifyRequest]) -> list[Verdict]:
        """The verdicts in order, from all workers at once."""
        # A refused text need not travel, and a lone surrogate cannot be written as JSON.
        payloads = [
            (request.model_copy(update={"text": ""}) if refusal(request.text) else request).model_dump_json()
            for request in requests
        ]
        answers = self._pool.map(payloads)
        return [_verdict(request, answer) for request, answer in zip(requests, answers, strict=True)]

    def close(self) -> None:
        """Ends the workers."""
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _verdict(request: VerifyRequest, answer: str | CallFailedError | SandboxError) -> Verdict:
    if isinstance(answer, CallFailedError):
        return crashed(request, f"checker-{answer.reason}", REASONS.get(answer.reason, answer.reason))
    if isinstance(answer, SandboxError):
        return unscorable(request, str(answer))
    refused = refusal(request.text)
    if refused:
        return crashed(request, refused.rule, refused.message)
    return Verdict.model_validate_json(answer)
