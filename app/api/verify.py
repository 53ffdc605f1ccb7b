"""The verifier and the rules judge over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import Field

from app.api import _examples as examples
from app.deps import Verifying
from app.jobs.views import ErrorView
from inframind.judge.rules import Judgement, judge
from inframind.types import Check, Contract, Verdict, VerifyRequest

UNKNOWN = examples.error("invalid_config", "unknown category 'cobol'; known: terraform, kubernetes, dockerfile", "category")
router = APIRouter(tags=["verifier"], responses={422: {"model": ErrorView, **UNKNOWN}})
EXAMPLE = {"category": "kubernetes", "text": examples.FILE, "checks": examples.CHECKS}
JUDGE_EXAMPLE = {
    "category": "kubernetes",
    "instruction": "Create a ConfigMap demo with MODE set to fast.",
    "answer": f"```yaml\n{examples.FILE}```",
    "checks": examples.CHECKS,
}


class JudgeRequest(Contract):
    """An answer to judge."""

    category: str
    instruction: str = Field(max_length=20_000)
    answer: str
    checks: tuple[Check, ...] = ()


@router.post("/verify", responses={200: examples.shown(examples.VERDICT)})
def verify_text(request: Annotated[VerifyRequest, Body(examples=[EXAMPLE])], verifier: Verifying) -> Verdict:
    """Judges a file's content or a model's answer by the ladder that rewards training."""
    return verifier.verify(request)


@router.post("/judge", responses={200: examples.shown(examples.JUDGEMENT)})
def judge_answer(request: Annotated[JudgeRequest, Body(examples=[JUDGE_EXAMPLE])], verifier: Verifying) -> Judgement:
    """The rules judge: five scores, an overall score and feedback, from the verdict alone."""
    verdict = verifier.verify(VerifyRequest(text=request.answer, category=request.category, checks=request.checks))
    return judge(verdict)
