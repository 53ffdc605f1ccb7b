"""The judges over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Body, Request

from app.api import examples
from app.judging.request import JudgeRequest
from app.judging.views import JudgementView, PreferenceView
from app.settings import NO_JUDGE
from app.views import ErrorView
from app.web.deps import JudgesDep
from app.web.disconnect import unless_gone

BUSY = examples.error(
    "too_many_requests", "the judge has 64 requests in hand; try again in a moment"
)
UNKNOWN = examples.error("invalid_request", NO_JUDGE, "kind")
UNSCORABLE = examples.error("verifier_unavailable", "the answer could not be verified: no workers")
router = APIRouter(
    tags=["verifier"],
    responses={
        422: {"model": ErrorView, **UNKNOWN},
        429: {"model": ErrorView, **BUSY},
        503: {"model": ErrorView, **UNSCORABLE},
    },
)
SINGLE = {
    "category": "kubernetes",
    "instruction": "Create a ConfigMap demo with MODE set to fast.",
    "answer": f"```yaml\n{examples.verification.FILE}```",
    "checks": examples.verification.CHECKS,
}
PAIR = {
    "kind": "llm",
    "category": "kubernetes",
    "instruction": "Create a ConfigMap demo with MODE set to fast.",
    "answers": [f"```yaml\n{examples.verification.FILE}```", "```yaml\nkind: ConfigMap\n```"],
    "reference": examples.verification.FILE,
}


@router.post("/judge", responses={200: examples.shown(examples.verification.JUDGEMENT)})
async def judge(
    request: Annotated[JudgeRequest, Body(examples=[SINGLE, PAIR])],
    judges: JudgesDep,
    http: Request,
) -> JudgementView | PreferenceView:
    """Scores one answer or compares two.

    The verifier's verdict stands beside the judge's words and is never overridden.
    """
    return await unless_gone(http, judges.judge(request))
