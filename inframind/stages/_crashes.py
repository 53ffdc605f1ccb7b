"""Keeps the answers on which a checker crashed, and warns when they are many."""

from collections.abc import Sequence

from inframind.stages.base import StageContext
from inframind.types import Outcome, Verdict, VerifyRequest

CRASH = "checker-crash"
MAX_KEPT = 20
"""Answers of a stage that are kept whole; the others are only counted."""
MAX_TEXT = 20_000
"""Characters of an answer that are kept. 2,048 tokens, the most a stage may ask for by default, are
fewer."""
MANY = 0.01
"""Share of a stage's answers from which on its rewards may be missing a kind of text."""


class CrashLog:
    """Counts a stage's answers and the crashes among them, and tells the job of both.

    Such an answer is no fault of the model: it is left out like all that is unscorable. Its text is
    in the event, so that whoever mends the checker has it.
    """

    def __init__(self, context: StageContext) -> None:
        self._context = context
        self._answers = self._crashes = 0
        self._has_warned = False

    def add(self, requests: Sequence[VerifyRequest], verdicts: Sequence[Verdict]) -> None:
        """Takes note of judged answers."""
        self._answers += len(verdicts)
        for request, verdict in zip(requests, verdicts, strict=True):
            if verdict.verdict is Outcome.UNSCORABLE and verdict.findings[-1].rule == CRASH:
                self._crashes += 1
                if self._crashes <= MAX_KEPT:
                    self._keep(request, verdict.findings[-1].message)
        if self._crashes > MANY * self._answers and not self._has_warned:
            self._has_warned = True
            self._context.event(
                "warn",
                "checker_crashes",
                f"a checker crashed on {self._crashes} of {self._answers} answers, more than one "
                "in a hundred: they are left out, and the model does not learn from such texts",
                {"crashes": self._crashes, "answers": self._answers},
            )

    def _keep(self, request: VerifyRequest, message: str) -> None:
        self._context.event(
            "warn",
            "checker_crash",
            f"an answer to {request.id} is left out: {message}",
            {"task": request.id, "category": request.category, "text": request.text[:MAX_TEXT]},
        )
