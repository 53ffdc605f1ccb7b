"""The verifier over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Body, Request

from app.api import examples
from app.views import ErrorView
from app.web.deps import VerificationDep
from app.web.disconnect import unless_gone
from inframind.types import Verdict, VerifyRequest

UNKNOWN = examples.error(
    "invalid_config",
    "unknown category 'cobol'; known: terraform, kubernetes, dockerfile",
    "category",
)
BUSY = examples.error(
    "too_many_requests", "the verifier has 64 requests in hand; try again in a moment"
)
router = APIRouter(
    tags=["verifier"],
    responses={422: {"model": ErrorView, **UNKNOWN}, 429: {"model": ErrorView, **BUSY}},
)
EXAMPLE = {
    "category": "kubernetes",
    "text": examples.verification.FILE,
    "checks": examples.verification.CHECKS,
}


@router.post("/verify", responses={200: examples.shown(examples.verification.VERDICT)})
async def verify_text(
    request: Annotated[VerifyRequest, Body(examples=[EXAMPLE])],
    verification: VerificationDep,
    http: Request,
) -> Verdict:
    """Judges a file's content or a model's answer by the ladder that rewards training."""
    # One text a request: a batch would keep its key's place for as long as its slowest.
    verdicts = await unless_gone(http, verification.verify_many([request]))
    return verdicts[0]
