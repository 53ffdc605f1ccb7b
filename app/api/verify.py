"""The verifier and the rules judge over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import Field

from app.deps import Verifying
from app.jobs.views import ErrorView
from inframind.judge.rules import Judgement, judge
from inframind.types import Check, Contract, Verdict, VerifyRequest

router = APIRouter(tags=["verifier"], responses={422: {"model": ErrorView}})
EXAMPLE = {
    "category": "dockerfile",
    "text": "FROM python:3.12-slim\nUSER app\n",
    "checks": [{"op": "equals", "kind": "image", "path": "user", "value": "app"}],
}
JUDGE_EXAMPLE = {
    "category": "dockerfile",
    "instruction": "A Dockerfile that runs as app.",
    "answer": "```dockerfile\nFROM python:3.12-slim\nUSER app\n```",
}


class JudgeRequest(Contract):
    """An answer to judge."""

    category: str
    instruction: str = Field(max_length=20_000)
    answer: str
    checks: tuple[Check, ...] = ()


@router.post("/verify")
def verify_text(request: Annotated[VerifyRequest, Body(examples=[EXAMPLE])], verifier: Verifying) -> Verdict:
    """Judges a file's content or a model's answer by the ladder that rewards training."""
    return verifier.verify(request)


@router.post("/judge")
def judge_answer(request: Annotated[JudgeRequest, Body(examples=[JUDGE_EXAMPLE])], verifier: Verifying) -> Judgement:
    """The rules judge: five scores, an overall score and feedback, from the verdict alone."""
    verdict = verifier.verify(VerifyRequest(text=request.answer, category=request.category, checks=request.checks))
    return judge(verdict)
