"""Judging: the request, the answer with the verifier's verdict beside it, and how far the judge can be trusted."""

import asyncio
from collections.abc import Sequence
from typing import Literal

from fastapi.concurrency import run_in_threadpool
from pydantic import Field, model_validator
from sqlalchemy import Engine

from app.errors import InvalidError
from app.judging.calibrations import Judge, Kind, known
from app.judging.chat_client import ChatServer
from app.settings import NO_JUDGE, Settings
from app.slots import Queue
from app.views import View
from inframind.categories import category
from inframind.errors import SandboxError
from inframind.judge import rules
from inframind.judge.judgement import Criterion, Judgement, Preference, Reason, Scores, Winner
from inframind.judge.llm import LlmJudge
from inframind.judge.prompt import Case
from inframind.types import Check, Contract, Outcome, Verdict, VerifyRequest
from inframind.verifier.checks import validate_checks
from inframind.verifier.verifier import Verifier

MAX_ANSWER = 200_000


class JudgeRequest(Contract):
    """One answer to judge, or two to compare: exactly one of `answer` and `answers`."""

    kind: Kind = "rules"
    """`rules`: scores from the verifier's verdict alone; `llm`: the judge model of the settings, the verdict beside it."""
    category: str = Field(max_length=64)
    instruction: str = Field(max_length=20_000)
    input: str = Field(default="", max_length=24_000)
    """What the instruction is about, such as a file to change."""
    answer: str | None = Field(default=None, max_length=MAX_ANSWER)
    answers: tuple[str, str] | None = None
    reference: str | None = Field(default=None, max_length=24_000)
    """A right answer: the judge model compares with it."""
    checks: tuple[Check, ...] = Field(default=(), max_length=64)

    @model_validator(mode="after")
    def _one_source(self) -> "JudgeRequest":
        if (self.answer is None) == (self.answers is None):
            raise ValueError("give exactly one of `answer` and `answers`")
        if any(len(text) > MAX_ANSWER for text in self.answers or ()):
            raise ValueError(f"an answer may have {MAX_ANSWER} characters")
        return self


class JudgementView(View):
    """A judgement of one answer."""

    object: Literal["judgement"] = "judgement"
    judge: Judge
    abstained: Reason | None
    """Why the judge says nothing; then its scores are null, never zero."""
    scores: Scores | None
    overall: float | None
    would_work: bool | None
    criteria: dict[str, Criterion]
    feedback: str
    verdict: Verdict
    """The verifier's. No judge changes it."""
    agrees: bool | None
    """Whether `would_work` is what the verdict says; null where one of them says nothing."""


class PreferenceView(View):
    """A comparison of two answers."""

    object: Literal["preference"] = "preference"
    judge: Judge
    abstained: Reason | None
    winner: Winner | None
    orders: tuple[Winner | None, ...]
    """What the judge said with the first answer first, and with it last. Two that disagree make a tie."""
    feedback: str
    verdicts: tuple[Verdict, Verdict]
    """The verifier's, of both. No judge changes them."""
    verifier_winner: Winner | None
    """The better one by the verdicts alone; null if one is unscorable."""


class Judges:
    """The judges of this process."""

    def __init__(self, settings: Settings, engine: Engine, verifier: Verifier) -> None:
        self._engine, self._verifier = engine, verifier
        self._server = ChatServer(settings) if settings.has_judge else None
        self._llm = LlmJudge(settings.judge_model, self._server.ask) if self._server else None
        self._queue = Queue("the judge", settings.judge_queue)

    async def close(self) -> None:
        """Closes the connections."""
        if self._server:
            await self._server.close()

    @property
    def llm(self) -> LlmJudge:
        """The judge model. Raises InvalidError when none is configured."""
        if self._llm is None:
            raise InvalidError(NO_JUDGE, param="kind")
        return self._llm

    async def judge(self, request: JudgeRequest) -> JudgementView | PreferenceView:
        """Asks verifier and judge at once. Raises InvalidError, ConfigError, TooManyRequestsError; SandboxError from `rules`."""
        category(request.category)
        validate_checks(request.checks)
        texts = [request.answer] if request.answer is not None else list(request.answers or ())
        if request.kind == "rules":
            verdicts = await self._verdicts(request, texts)
            return _view(Judge(kind="rules", trusted=True), _by_rules(verdicts), verdicts)
        llm = self.llm
        case = Case(**{name: getattr(request, name) for name in Case.model_fields})
        with self._queue.place():
            found, verdicts, judge = await asyncio.gather(
                _by_model(llm, case, texts),
                self._verdicts(request, texts),
                run_in_threadpool(known, self._engine, llm.model),
            )
        return _view(judge, found, verdicts)

    async def _verdicts(self, request: JudgeRequest, texts: Sequence[str]) -> list[Verdict]:
        asked = [
            VerifyRequest(text=text, category=request.category, checks=request.checks)
            for text in texts
        ]
        return await run_in_threadpool(self._verifier.verify_many, asked)


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


def _view(
    judge: Judge, found: Judgement | Preference, verdicts: Sequence[Verdict]
) -> JudgementView | PreferenceView:
    if isinstance(found, Judgement):
        fields = {name: getattr(found, name) for name in Judgement.model_fields}
        known = found.would_work is not None and verdicts[0].verdict is not Outcome.UNSCORABLE
        agrees = found.would_work == (verdicts[0].verdict is Outcome.PASS) if known else None
        return JudgementView(judge=judge, verdict=verdicts[0], agrees=agrees, **fields)
    try:
        verifier_winner = rules.compare(verdicts[0], verdicts[1]).winner
    except SandboxError:
        verifier_winner = None
    fields = {name: getattr(found, name) for name in Preference.model_fields}
    return PreferenceView(
        judge=judge, verdicts=(verdicts[0], verdicts[1]), verifier_winner=verifier_winner, **fields
    )
