"""The verifier as everybody uses it: the ladder, in guarded warm worker processes."""

import json
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self

from pydantic_core import PydanticSerializationError

from inframind.errors import ConfigError, DataError, SandboxError
from inframind.sandbox.pool import CallFailedError, Pool
from inframind.types import Verdict, VerifyRequest
from inframind.verifier.checks import has_rego
from inframind.verifier.ladder import crashed, guarded, unscorable

DEADLINE_SECONDS = 2.0
TARGET = "inframind.verifier.ladder:score_json"

RequestError = ConfigError | DataError
ERRORS: dict[str, type[RequestError]] = {ConfigError.code: ConfigError, DataError.code: DataError}


class Verifier:
    """Judges texts, from any thread. Use it as a context manager.

    The worker processes start when first needed.
    `deadline_seconds` is the processor time that one check may use.
    """

    def __init__(self, workers: int = 2, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        self._deadline = deadline_seconds
        self._pool = Pool(TARGET, workers, deadline_seconds)
        # Rego's interpreter reserves more address space than any limit that would bound memory.
        self._rego_pool = Pool(TARGET, workers, deadline_seconds, "resident")

    def verify(self, request: VerifyRequest) -> Verdict:
        """Judges one text; an environment that fails gives `unscorable`.

        Raises ConfigError or DataError for a request without meaning.
        """
        return self.verify_many([request])[0]

    def verify_many(self, requests: Sequence[VerifyRequest]) -> list[Verdict]:
        """Judges in order, with all workers at once.

        Raises ConfigError or DataError for the first request without meaning.
        """
        verdicts = []
        for index, answer in enumerate(self.try_many(requests)):
            if isinstance(answer, ConfigError | DataError):
                where = f"request {index}: " if len(requests) > 1 else ""
                raise type(answer)(f"{where}{answer}", param=answer.param)
            verdicts.append(answer)
        return verdicts

    def try_many(self, requests: Sequence[VerifyRequest]) -> list[Verdict | RequestError]:
        """As `verify_many`, with the error in the place of each request that has no meaning."""
        # A refused text does not travel: it may be large, or not even be UTF-8.
        verdicts = [guarded(request) for request in requests]
        payloads = [
            _payload(request, refused=verdict is not None)
            for request, verdict in zip(requests, verdicts, strict=True)
        ]
        travelling = [
            (request, payload)
            for request, payload, verdict in zip(requests, payloads, verdicts, strict=True)
            if isinstance(payload, str) and verdict is None
        ]
        plain = self._replies(
            self._pool, [payload for request, payload in travelling if not has_rego(request.checks)]
        )
        rego = self._replies(
            self._rego_pool,
            [payload for request, payload in travelling if has_rego(request.checks)],
        )
        return [
            payload
            if isinstance(payload, DataError)
            else verdict or self._answer(request, next(rego if has_rego(request.checks) else plain))
            for request, verdict, payload in zip(requests, verdicts, payloads, strict=True)
        ]

    @staticmethod
    def _replies(
        pool: Pool, payloads: Sequence[str]
    ) -> Iterator[str | CallFailedError | SandboxError]:
        try:
            return iter(pool.map(payloads))
        except SandboxError as error:
            return iter([error] * len(payloads))

    def _answer(
        self, request: VerifyRequest, reply: str | CallFailedError | SandboxError
    ) -> Verdict | RequestError:
        if isinstance(reply, CallFailedError):
            what = (
                "crashed"
                if reply.reason == "crash"
                else f"did not end within {self._deadline:g} s of processor time"
            )
            where = f" ({reply.detail})" if reply.detail else ""
            return crashed(
                request, f"checker-{reply.reason}", f"checking this text {what}, twice{where}"
            )
        if isinstance(reply, SandboxError):
            return unscorable(request, str(reply))
        if not reply.startswith('{"error"'):
            return Verdict.model_validate_json(reply)
        error = json.loads(reply)["error"]
        return ERRORS[error["code"]](error["message"], param=error["param"])

    def process_ids(self) -> list[int]:
        """Of the workers that wait for work: for measurements."""
        return self._pool.process_ids() + self._rego_pool.process_ids()

    def close(self) -> None:
        """Ends the workers."""
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
    try:
        return (request.model_copy(update={"text": ""}) if refused else request).model_dump_json()
    except PydanticSerializationError:
        return DataError(
            "the request is not valid UTF-8: its id or a check has a lone surrogate", param="checks"
        )
