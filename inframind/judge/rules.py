"""The rules judge: the verifier's verdict in the shape of a judge's answer. Deterministic; it reads no instruction."""

from pydantic import Field

from inframind.types import RUNGS, Contract, Outcome, Rung, Verdict

ORDER = {rung: place for place, rung in enumerate(RUNGS)}


class Scores(Contract):
    """0 to 10 each."""

    syntax: float = Field(ge=0, le=10)
    """10 if the text parses."""
    correctness: float = Field(ge=0, le=10)
    """5 for the schema, 5 for the references."""
    completeness: float = Field(ge=0, le=10)
    """Share of the checks that hold; without checks, 10 for a valid text."""
    best_practices: float = Field(ge=0, le=10)
    """10, less 1 per piece of advice; 0 for a text that is not valid."""
    security: float = Field(ge=0, le=10)
    """10, less 3 per warning of the policy rung; 0 for a text that is not valid."""


class Judgement(Contract):
    """What a judge says."""

    judge: str = "rules"
    scores: Scores
    overall: float = Field(ge=0, le=10)
    """Mean of the scores; at most 4 for a text that does not pass."""
    would_work: bool
    """The text is valid and every check holds."""
    feedback: str
    verdict: Verdict


def judge(verdict: Verdict) -> Judgement:
    """The verdict as scores."""
    scores = scores_of(verdict)
    values = list(scores.model_dump().values())
    overall = sum(values) / len(values)
    works = verdict.verdict is Outcome.PASS
    return Judgement(
        scores=scores,
        overall=round(overall if works else min(4.0, overall), 2),
        would_work=works,
        feedback=feedback(verdict),
        verdict=verdict,
    )


def scores_of(verdict: Verdict) -> Scores:
    """The five scores."""

    def holds(rung: Rung) -> bool:
        return verdict.rungs[rung] == "pass"

    valid = holds("references")
    share = sum(check.passed for check in verdict.checks) / len(verdict.checks) if verdict.checks else float(valid)
    advice = [finding for finding in verdict.findings if finding.rung == "policy"]
    warnings = sum(finding.severity == "warning" for finding in advice)
    return Scores(
        syntax=10.0 * holds("parse"),
        correctness=5.0 * holds("schema") + 5.0 * valid,
        completeness=round(10.0 * share * valid, 2),
        best_practices=max(0.0, 10.0 - (len(advice) - warnings)) * valid,
        security=max(0.0, 10.0 - 3.0 * warnings) * valid,
    )


def feedback(verdict: Verdict) -> str:
    """The findings in words, those that gate first."""
    if verdict.verdict is Outcome.UNSCORABLE:
        return "The verifier's environment failed; the answer was not judged."
    ordered = sorted(verdict.findings, key=lambda f: (f.severity not in ("error", "unsupported"), ORDER[f.rung]))
    if not ordered:
        return "Nothing to object to."
    return "\n".join(f"{f.rung}: {f.message}" + (f" (line {f.line})" if f.line else "") for f in ordered[:10])
