"""The rules judge: five scores from a verdict alone.

Deterministic, so it can be a baseline for any model that judges.

| score | 0 to 10 |
|---|---|
| syntax | 10 when the schema rung holds, 5 when the text only parses, else 0 |
| correctness | ten times the verdict's score; without checks ten times score / 0.2, its validity |
| completeness | ten times the share of checks that hold; without checks 10 if references hold |
| best_practices | 10 - 2 per policy rule of severity `info` that fired - 1 per higher one |
| security | 10 - 3 per policy rule of severity `warning` or `error` that fired |
| overall | correctness x (0.8 + 0.2 x mean of best_practices and security / 10) |

best_practices and security are 0 for a text that is not valid: good habits never lift a wrong
answer.
"""

from collections.abc import Sequence

from inframind.errors import SandboxError
from inframind.judge.judgement import Judgement, Preference, Scores, Winner
from inframind.types import Finding, Outcome, Verdict

VALID_SCORE = 0.2
MAX_NOTES = 12


def judge(verdict: Verdict) -> Judgement:
    """Scores a verdict by the table above.

    Raises SandboxError for an unscorable one: nothing is known of the text then.
    """
    if verdict.verdict is Outcome.UNSCORABLE:
        notes = "; ".join(finding.message for finding in verdict.findings)
        raise SandboxError(f"the answer could not be verified: {notes}")
    scores = _scores(verdict)
    would_work = verdict.verdict is Outcome.PASS
    return Judgement(
        scores=scores, overall=scores.overall, would_work=would_work, feedback=feedback(verdict)
    )


def compare(first: Verdict, second: Verdict) -> Preference:
    """Prefers the verdict that passes, then the one of higher score, then of higher `overall`.

    Raises SandboxError as `judge` does.
    """
    sides = [
        (verdict.verdict is Outcome.PASS, verdict.score, judge(verdict).overall or 0.0)
        for verdict in (first, second)
    ]
    winner: Winner = "tie" if sides[0] == sides[1] else "first" if sides[0] > sides[1] else "second"
    heads = [_headline(verdict) for verdict in (first, second)]
    return Preference(
        winner=winner, orders=(winner, winner), feedback=f"first: {heads[0]} second: {heads[1]}"
    )


def _scores(verdict: Verdict) -> Scores:
    valid = verdict.rungs["references"] == "pass"
    # Formats weigh some duties otherwise, so one rule may fire with two severities: twice then.
    fired = {
        (finding.rule, finding.severity) for finding in verdict.findings if finding.rung == "policy"
    }
    advice = sum(severity == "info" for _, severity in fired)
    risks = len(fired) - advice
    parses, fits = (verdict.rungs[rung] == "pass" for rung in ("parse", "schema"))
    syntax = 10.0 if fits else 5.0 if parses else 0.0
    if verdict.checks:
        correctness = 10 * verdict.score
        completeness = 10 * sum(check.passed for check in verdict.checks) / len(verdict.checks)
    else:
        # Checks that could not be asked leave no trace in a verdict; it is not valid either then.
        correctness = 10 * min(1.0, verdict.score / VALID_SCORE) if valid else 10 * verdict.score
        completeness = 10.0 if valid else 0.0
    return Scores(
        syntax=syntax,
        correctness=round(correctness, 1),
        completeness=round(completeness, 1),
        best_practices=max(0.0, 10.0 - 2 * advice - risks) if valid else 0.0,
        security=max(0.0, 10.0 - 3 * risks) if valid else 0.0,
    )


def mean_scores(judgements: Sequence[Judgement]) -> dict[str, float]:
    """Averages the five scores, the overall score and what would work; empty without judgements."""
    rows = [
        {
            **judged.scores.model_dump(),
            "overall": judged.overall or 0.0,
            "would_work": bool(judged.would_work),
        }
        for judged in judgements
        if judged.scores is not None
    ]
    return (
        {name: round(sum(row[name] for row in rows) / len(rows), 4) for name in rows[0]}
        if rows
        else {}
    )


def feedback(verdict: Verdict) -> str:
    """Writes what is wrong, most important first, one note a line."""
    gating = [
        finding for finding in verdict.findings if finding.severity in ("error", "unsupported")
    ]
    advice = [finding for finding in verdict.findings if finding.severity in ("warning", "info")]
    lines = [_headline(verdict)] + [_note(finding) for finding in (*gating, *advice)[:MAX_NOTES]]
    left = len(gating) + len(advice) - MAX_NOTES
    return "\n".join([*lines, f"- and {left} more"] if left > 0 else lines)


def _headline(verdict: Verdict) -> str:
    if verdict.verdict is Outcome.PASS:
        held = len(verdict.checks)
        return (
            f"Valid, and all {held} checks hold."
            if held
            else "Valid. Nothing was asked for, so nothing more was checked."
        )
    failed = next(
        (rung for rung, status in verdict.rungs.items() if status in ("fail", "unsupported")),
        "policy",
    )
    return (
        f"Stopped at the {failed} rung."
        if failed != "intent"
        else f"Valid, but {_missed(verdict)} hold."
    )


def _missed(verdict: Verdict) -> str:
    held: Sequence[bool] = [check.passed for check in verdict.checks]
    return f"only {sum(held)} of {len(held)} checks"


def _note(finding: Finding) -> str:
    where = f"line {finding.line}: " if finding.line else ""
    return f"- {where}{finding.message} [{finding.rule}]"
