"""Judges texts as everybody asks for it: by the ladder, in guarded warm worker processes."""

import atexit
import hashlib
import json
import logging
import os
from collections.abc import Mapping, Sequence
from functools import cache
from types import TracebackType
from typing import Self

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from inframind.errors import ConfigError, DataError, SandboxError
from inframind.sandbox.pool import CallFailedError, Pool
from inframind.types import AnswerFormat, Check, Json, Outcome, Verdict, VerifyRequest
from inframind.validation import first_fault
from inframind.verifier.checks import has_rego
from inframind.verifier.ladder import fail_to_check, guarded, undecided_intent, unscorable

log = logging.getLogger(__name__)

DEADLINE_SECONDS = 2.0
TARGET = "inframind.verifier.ladder:score_json"

RequestError = ConfigError | DataError
ERRORS: dict[str, type[RequestError]] = {ConfigError.code: ConfigError, DataError.code: DataError}


def verify(
    text: str | VerifyRequest,
    *,
    category: str | None = None,
    checks: Sequence[Check | Mapping[str, Json]] = (),
    policies: Sequence[str] = (),
    format: AnswerFormat = "auto",
    filename: str | None = None,
) -> Verdict:
    """Judges one text, or a whole request, which then says the rest itself (docs/python.md).

    The worker processes start with the first call, serve all later ones and end with this process;
    a `Verifier` of one's own ends them earlier. Raises ConfigError for an unknown category,
    DataError for a check, a policy or another field that cannot be: `param` names it.
    """
    if isinstance(text, VerifyRequest):
        return _shared().verify(text)
    fields = {
        "text": text,
        "category": category,
        "checks": checks,
        "policies": policies,
        "format": format,
        "filename": filename,
    }
    try:
        request = VerifyRequest.model_validate(fields)
    except ValidationError as error:
        fault = first_fault(error.errors(), fields)
        raise DataError(str(fault), param=fault.field) from None
    return _shared().verify(request)


def report_id(text: str) -> str:
    """Names the text of a crash in messages and logs, which never hold the text itself."""
    return f"crash-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"


@cache
def _shared() -> "Verifier":
    """The verifier of `verify`, one for the process."""
    verifier = Verifier()
    atexit.register(verifier.close)
    return verifier


# A forked child has neither the threads nor the workers of its parent: it starts its own.
os.register_at_fork(after_in_child=_shared.cache_clear)


class Verifier:
    """Judges texts in `workers` processes, which start when they are first needed.

    Thread-safe; use it as a context manager. `deadline_seconds` is the processor time that judging
    one text may take.
    """

    def __init__(self, workers: int = 2, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        self._deadline = deadline_seconds
        self._pool = Pool(TARGET, workers, deadline_seconds)
        # Rego's interpreter reserves more address space than any limit that would bound memory.
        self._rego_pool = Pool(TARGET, workers, deadline_seconds, "resident")

    def verify(self, request: VerifyRequest) -> Verdict:
        """Judges one text; where the environment fails, the verdict is `unscorable`.

        Raises ConfigError or DataError for a request that has no meaning.
        """
        return self.verify_many([request])[0]

    def verify_many(self, requests: Sequence[VerifyRequest]) -> list[Verdict]:
        """Judges texts with all workers at once; the verdicts are in the requests' order.

        Raises ConfigError or DataError for the first request that has no meaning.
        """
        verdicts = []
        for index, answer in enumerate(self.try_many(requests)):
            if isinstance(answer, ConfigError | DataError):
                place = f"request {index}: " if len(requests) > 1 else ""
                raise type(answer)(f"{place}{answer}", param=answer.param)
            verdicts.append(answer)
        return verdicts

    def try_many(self, requests: Sequence[VerifyRequest]) -> list[Verdict | RequestError]:
        """Judges texts; a request that has no meaning gets its error in the verdict's place."""
        answers: dict[int, Verdict | RequestError] = {}
        calls: dict[Pool, list[tuple[int, str]]] = {self._pool: [], self._rego_pool: []}
        for index, request in enumerate(requests):
            refused = guarded(request)
            # A refused text does not travel: it may be large, or not even be UTF-8.
            payload = _payload(request, refused=refused is not None)
            if isinstance(payload, DataError):
                answers[index] = payload
            elif refused:
                answers[index] = refused
            else:
                pool = self._rego_pool if has_rego(request.checks) else self._pool
                calls[pool].append((index, payload))
        for pool, waiting in calls.items():
            replies = self._replies(pool, [payload for _, payload in waiting])
            for (index, _), reply in zip(waiting, replies, strict=True):
                answers[index] = self._answer(requests[index], reply)
        return [answers[index] for index in range(len(requests))]

    @staticmethod
    def _replies(
        pool: Pool, payloads: Sequence[str]
    ) -> Sequence[str | CallFailedError | SandboxError]:
        """The workers' replies; where no worker can be had, that error for each."""
        try:
            return pool.map(payloads)
        except SandboxError as error:
            return [error] * len(payloads)

    def _answer(
        self, request: VerifyRequest, reply: str | CallFailedError | SandboxError
    ) -> Verdict | RequestError:
        if isinstance(reply, CallFailedError):
            return self._failed(request, reply)
        if isinstance(reply, SandboxError):
            return unscorable(request, str(reply))
        if not reply.startswith('{"error"'):
            return Verdict.model_validate_json(reply)
        error = json.loads(reply)["error"]
        return ERRORS[error["code"]](error["message"], param=error["param"])

    def _failed(self, request: VerifyRequest, failure: CallFailedError) -> Verdict:
        """Judges a call that two workers could not finish, by whose fault it is."""
        place = f" ({failure.detail})" if failure.detail else ""
        if failure.reason == "crash":
            report = report_id(request.text)
            log.error("a checker crashed%s; its report is %s", place, report)
            return unscorable(
                request,
                f"a checker crashed{place}, which is no fault of the text: report {report}",
                rule="checker-crash",
            )
        limit = (
            f"did not end within {self._deadline:g} s of processor time"
            if failure.reason == "deadline"
            else "took more memory than a check may"
        )
        if has_rego(request.checks):
            # Without the policies: if that ends, they are what does not.
            verdict = self.verify(request.model_copy(update={"checks": ()}))
            if verdict.verdict is not Outcome.PASS:
                return verdict
            return undecided_intent(
                verdict, f"policy-{failure.reason}", f"a Rego policy {limit}, twice{place}"
            )
        return fail_to_check(
            request, f"checker-{failure.reason}", f"checking this text {limit}, twice{place}"
        )

    def process_ids(self) -> list[int]:
        """Lists the workers that wait for work: for measurements."""
        return self._pool.process_ids() + self._rego_pool.process_ids()

    def close(self) -> None:
        """Ends the processes of the pool."""
        self._pool.close()
        self._rego_pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _payload(request: VerifyRequest, *, refused: bool) -> str | DataError:
    """Writes the request for a worker, without a text that is refused; or says why it cannot."""
    try:
        return (request.model_copy(update={"text": ""}) if refused else request).model_dump_json()
    except PydanticSerializationError:
        return DataError(
            "the request is not valid UTF-8: its id or a check has a lone surrogate", param="checks"
        )
