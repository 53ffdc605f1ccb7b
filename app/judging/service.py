"""Judging.

The request, the answer with the verifier's verdict beside it, and how far the judge can be trusted.
"""

import asyncio
from collections.abc import Sequence

from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Engine

from app.errors import InvalidError
from app.judging.calibrations import describe_judge
from app.judging.chat_client import ChatServer
from app.judging.request import JudgeRequest
from app.judging.views import Judge, JudgementView, PreferenceView
from app.settings import NO_JUDGE, Settings
from app.slots import Queue
from app.verification import Verification
from inframind.categories import category
from inframind.errors import SandboxError
from inframind.judge import rules
from inframind.judge.judgement import Judgement, Preference
from inframind.judge.llm import LlmJudge
from inframind.judge.prompt import Case
from inframind.types import Outcome, Verdict, VerifyRequest
from inframind.verifier.checks import validate_checks

QUESTIONS_WAITING = 8
"""Questions in hand for each that the judge model gets at once; the next one is refused."""


class Judges:
    """The judges of this process."""

    def __init__(self, settings: Settings, engine: Engine, verification: Verification) -> None:
        self._engine, self._verification = engine, verification
        self._server = ChatServer(settings) if settings.has_judge else None
        self._llm = LlmJudge(settings.judge_model, self._server.ask) if self._server else None
        self._queue = Queue("the judge", QUESTIONS_WAITING * settings.judge_concurrency)

    async def close(self) -> None:
        """Closes the connections of every judge."""
        if self._server:
            await self._server.close()

    @property
    def llm(self) -> LlmJudge:
        """The judge model. Raises InvalidError when none is configured."""
        if self._llm is None:
            raise InvalidError(NO_JUDGE, param="kind")
        return self._llm

    async def judge(self, request: JudgeRequest) -> JudgementView | PreferenceView:
        """Asks verifier and judge at once.

        Raises InvalidError, ConfigError, TooManyRequestsError; SandboxError from `rules`.
        """
        category(request.category)
        validate_checks(request.checks)
        texts = [request.answer] if request.answer is not None else list(request.answers or ())
        if request.kind == "rules":
            # No model is asked, so the place is one of the verifier's.
            verdicts = await self._verification.verify_many(_requests(request, texts))
            return _judged_view(Judge(kind="rules", trusted=True), _by_rules(verdicts), verdicts)
        llm = self.llm
        case = Case(**{name: getattr(request, name) for name in Case.model_fields})
        # Verifier and model at once: what one of them says never waits for the other.
        with self._queue.place():
            reply, verdicts, judge = await asyncio.gather(
                _by_model(llm, case, texts),
                self._verification.judge_answers(_requests(request, texts)),
                run_in_threadpool(describe_judge, self._engine, llm.model),
            )
        return _judged_view(judge, reply, verdicts)


def _requests(request: JudgeRequest, texts: Sequence[str]) -> list[VerifyRequest]:
    return [
        VerifyRequest(text=text, category=request.category, checks=request.checks) for text in texts
    ]


async def _by_model(llm: LlmJudge, case: Case, texts: Sequence[str]) -> Judgement | Preference:
    return (
        await llm.judge(case, texts[0])
        if len(texts) == 1
        else await llm.compare(case, texts[0], texts[1])
    )


def _by_rules(verdicts: Sequence[Verdict]) -> Judgement | Preference:
    return (
        rules.judge(verdicts[0]) if len(verdicts) == 1 else rules.compare(verdicts[0], verdicts[1])
    )


def _judged_view(
    judge: Judge, reply: Judgement | Preference, verdicts: Sequence[Verdict]
) -> JudgementView | PreferenceView:
    if isinstance(reply, Judgement):
        fields = {name: getattr(reply, name) for name in Judgement.model_fields}
        is_comparable = (
            reply.would_work is not None and verdicts[0].verdict is not Outcome.UNSCORABLE
        )
        agrees = (
            reply.would_work == (verdicts[0].verdict is Outcome.PASS) if is_comparable else None
        )
        return JudgementView(judge=judge, verdict=verdicts[0], agrees=agrees, **fields)
    # An unscorable answer is neither better nor worse; the model's word stands alone then.
    try:
        verifier_winner = rules.compare(verdicts[0], verdicts[1]).winner
    except SandboxError:
        verifier_winner = None
    fields = {name: getattr(reply, name) for name in Preference.model_fields}
    return PreferenceView(
        judge=judge, verdicts=(verdicts[0], verdicts[1]), verifier_winner=verifier_winner, **fields
    )
