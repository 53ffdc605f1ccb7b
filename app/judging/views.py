"""Judgements as answers show them: the judge's words with the verifier's verdict beside them."""

from typing import Literal

from app.views import View
from inframind.judge.judgement import Criterion, Reason, Scores, Winner
from inframind.types import Verdict

Kind = Literal["rules", "llm"]


class Judge(View):
    """Judge that answered. A judge model is trusted only while its last calibration says so."""

    kind: Kind
    model: str | None = None
    fingerprint: str | None = None
    """Hash of the model's name and the prompt."""
    trusted: bool
    kappa: float | None = None
    """Cohen's kappa with the verifier, of the last calibration."""
    note: str = ""
    """Why it is not trusted."""


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
    """What the judge said with the first answer first, and with it last. Two that disagree make a
    tie."""
    feedback: str
    verdicts: tuple[Verdict, Verdict]
    """The verifier's, of both. No judge changes them."""
    verifier_winner: Winner | None
    """The better one by the verdicts alone; null if one is unscorable."""
