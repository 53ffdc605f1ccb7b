"""Climbs the ladder: extract, parse, schema, references, intent, policy, each gating the next.

The meaning of rungs and scores is docs/contracts/verdict.md. This runs in a worker process
(inframind/verifier/verifier.py); nothing here knows of processes.
"""

import json
from collections.abc import Sequence
from typing import Any

from inframind import __version__
from inframind.categories import category, detect
from inframind.categories.base import Category, ParseError
from inframind.errors import ConfigError, DataError
from inframind.installation import extra_of, missing_packages
from inframind.sandbox.guards import refusal
from inframind.types import (
    RUNGS,
    CheckResult,
    Finding,
    Outcome,
    Rung,
    RungStatus,
    Verdict,
    VerifyRequest,
)
from inframind.verifier.checks import evaluate, intent_share, validate_checks
from inframind.verifier.extract import extract
from inframind.verifier.rules import validate_policies

PARSED, SCHEMA, VALID, INTENT = 0.05, 0.10, 0.20, 0.80
"""The score up to each rung, and the share of it that intent adds."""
VERIFIER = f"inframind {__version__}"


class _Ladder:
    """Collects the findings of one climb, and keeps the score so far."""

    def __init__(self, request: VerifyRequest, name: str | None) -> None:
        self.request = request
        self.name = name
        self.rungs: dict[Rung, RungStatus] = dict.fromkeys(RUNGS, "skipped")
        self.findings: list[Finding] = []
        self.checks: list[CheckResult] = []
        self.score = 0.0

    def stands(self, rung: Rung, findings: Sequence[Finding], score: float) -> bool:
        """Records a rung; tells whether the climb goes on."""
        self.findings += findings
        severities = {finding.severity for finding in findings}
        status: RungStatus = (
            "fail"
            if "error" in severities
            else "unsupported"
            if "unsupported" in severities
            else "pass"
        )
        self.rungs[rung] = status
        if status == "pass":
            self.score = score
        return status == "pass"

    def verdict(self, outcome: Outcome) -> Verdict:
        """Ends the climb with the verdict on the rungs so far."""
        return Verdict(
            id=self.request.id,
            category=self.name,
            verdict=outcome,
            score=round(min(self.score, 1.0), 6),
            rungs=self.rungs,
            checks=tuple(self.checks),
            findings=tuple(self.findings),
            verifier=VERIFIER,
        )


def score(request: VerifyRequest) -> Verdict:
    """Judges one text in this process.

    Raises ConfigError or DataError if the request itself has no meaning. What a category raises
    passes through: whether the text is at fault is for the pool to find out.
    """
    validate_checks(request.checks)
    validate_policies(request.policies)
    expected = category(request.category) if request.category else None
    # Before any parser: the guards bound what a parser may be given.
    refused = guarded(request)
    if refused:
        return refused
    extracted = extract(request.text, expected.languages if expected else (), request.format)
    if extracted.rule:
        return fail(
            _Ladder(request, request.category), "extract", extracted.rule, extracted.message
        )
    name = request.category or detect(extracted.text, request.filename)
    ladder = _Ladder(request, name)
    if name is None:
        return fail(
            ladder, "extract", "unknown-category", "the category is not recognised: name it"
        )
    ladder.rungs["extract"] = "pass"
    return climb(ladder, category(name), extracted.text)


def guarded(request: VerifyRequest) -> Verdict | None:
    """Judges a text that a guard refuses, without looking further; None if no guard does."""
    refused = refusal(request.text)
    return (
        fail(_Ladder(request, request.category), "extract", refused.rule, refused.message)
        if refused
        else None
    )


def fail(ladder: _Ladder, rung: Rung, rule: str, message: str) -> Verdict:
    """Judges a text that does not hold at `rung`."""
    ladder.stands(rung, [Finding(rung=rung, rule=rule, message=message)], 0.0)
    return ladder.verdict(Outcome.FAIL)


def climb(ladder: _Ladder, kind: Category[Any], text: str) -> Verdict:
    """Climbs from parse to policy."""
    try:
        document = kind.parse(text)
    except ParseError as error:
        ladder.stands("parse", error.findings, 0.0)
        return ladder.verdict(Outcome.FAIL)
    ladder.stands("parse", (), PARSED)
    if not ladder.stands("schema", kind.schema(document), SCHEMA):
        return ladder.verdict(Outcome.FAIL)
    if not ladder.stands("references", kind.references(document), VALID):
        return ladder.verdict(Outcome.FAIL)
    passed = judge_intent(ladder, kind, document)
    # Never short-circuited: policy findings are reported for an answer that misses its intent.
    passed &= judge_policy(ladder, kind, document)
    return ladder.verdict(Outcome.PASS if passed else Outcome.FAIL)


def judge_intent(ladder: _Ladder, kind: Category[Any], document: Any) -> bool:
    """Evaluates the request's checks on the effective configuration; tells that all hold.

    Where all checks are negative and hold, they pass without earning anything: nothing that was
    asked for was shown.
    """
    checks = ladder.request.checks
    if not checks:
        return True
    configuration = kind.effective(document)
    ladder.checks = [
        evaluate(check, configuration, f"checks.{index}") for index, check in enumerate(checks)
    ]
    missed = [
        Finding(
            rung="intent",
            rule="check-failed",
            message=result.message or f"{result.id} does not hold",
        )
        for result in ladder.checks
        if not result.passed
    ]
    share = intent_share(checks, ladder.checks)
    ladder.stands("intent", missed, VALID)
    # Set whether or not all hold: a share of the intent is what reinforcement climbs by.
    ladder.score = VALID + INTENT * share
    return not missed


def judge_policy(ladder: _Ladder, kind: Category[Any], document: Any) -> bool:
    """Records policy findings; only rules that the request lists can make it fail.

    A listed rule that this category does not have counts nowhere here.
    """
    findings = kind.policy(document)
    ladder.findings += findings
    broken = {finding.rule for finding in findings}
    listed = broken & set(ladder.request.policies)
    ladder.rungs["policy"] = "fail" if broken else "pass"
    if listed:
        # An answer that breaks a listed duty earns no more than one that does nothing asked.
        ladder.score = min(ladder.score, VALID)
    return not listed


def score_json(payload: str) -> str:
    """Judges a VerifyRequest in JSON, the calling form of the pool.

    Returns a Verdict in JSON, or `{"error": ...}` for a request that has no meaning.
    """
    request = VerifyRequest.model_validate_json(payload)
    try:
        return score(request).model_dump_json()
    except (ConfigError, DataError) as error:
        return json.dumps(
            {"error": {"code": error.code, "message": str(error), "param": error.param}}
        )
    except ImportError as error:
        # No text makes a module disappear: the installation is broken.
        return unscorable(
            request, missing_packages([str(error.name)], extra_of(error.name) or "rego")
        ).model_dump_json()


def fail_to_check(request: VerifyRequest, rule: str, message: str) -> Verdict:
    """Judges a text that passed a limit of time or memory in two workers: its own fault."""
    return fail(_Ladder(request, request.category), "parse", rule, message)


def unscorable(request: VerifyRequest, message: str, rule: str = "verifier-unavailable") -> Verdict:
    """Makes the verdict for an environment or a checker that failed: neither pass nor fail."""
    ladder = _Ladder(request, request.category)
    ladder.rungs["parse"] = "unscorable"
    ladder.findings.append(Finding(rung="parse", rule=rule, message=message))
    return ladder.verdict(Outcome.UNSCORABLE)


def undecided_intent(valid: Verdict, rule: str, message: str) -> Verdict:
    """Makes the verdict on a valid text whose intent could not be judged; `valid` has no checks."""
    return valid.model_copy(
        update={
            "verdict": Outcome.UNSCORABLE,
            "score": 0.0,
            "rungs": {**valid.rungs, "intent": "unscorable"},
            "findings": (*valid.findings, Finding(rung="intent", rule=rule, message=message)),
        }
    )
