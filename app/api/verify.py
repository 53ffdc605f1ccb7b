"""The verifier over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Body

from app.api import examples
from app.views import ErrorView
from app.web.deps import VerifierDep
from inframind.types import Verdict, VerifyRequest

UNKNOWN = examples.error(
    "invalid_config",
    "unknown category 'cobol'; known: terraform, kubernetes, dockerfile",
    "category",
)
router = APIRouter(tags=["verifier"], responses={422: {"model": ErrorView, **UNKNOWN}})
EXAMPLE = {
    "category": "kubernetes",
    "text": examples.verification.FILE,
    "checks": examples.verification.CHECKS,
}


@router.post("/verify", responses={200: examples.shown(examples.verification.VERDICT)})
def verify_text(
    request: Annotated[VerifyRequest, Body(examples=[EXAMPLE])], verifier: VerifierDep
) -> Verdict:
    """Judges a file's content or a model's answer by the ladder that rewards training."""
    return verifier.verify(request)
