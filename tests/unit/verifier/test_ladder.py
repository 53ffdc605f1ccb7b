"""The ladder's scores and statuses, rung by rung, as docs/contracts/verdict.md has them."""

import json
from typing import Any

import pytest

from inframind.categories import CATEGORIES, CategoryPackage
from inframind.errors import ConfigError, DataError
from inframind.types import RUNGS, Outcome, Verdict, VerifyRequest
from inframind.verifier.ladder import score, score_json
from tests.support.toy import TOY

THING = {"kind": "thing", "name": "a", "size": 3}
CHECKS = (
    {"op": "exists", "kind": "thing", "name": "a", "gate": True},
    {"op": "equals", "kind": "thing", "name": "a", "path": "size", "value": 3},
    {"op": "equals", "kind": "thing", "name": "a", "path": "colour", "value": "red"},
    {"op": "absent", "kind": "other"},
)


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CATEGORIES, "toy", TOY)


def judged(*things: dict[str, Any], checks: Any = CHECKS, **fields: Any) -> Verdict:
    return score(
        VerifyRequest.model_validate(
            {"text": json.dumps(things), "category": "toy", "checks": checks, **fields}
        )
    )


def statuses(verdict: Verdict) -> list[str]:
    return [verdict.rungs[rung] for rung in RUNGS]


def test_everything_that_was_asked_for_is_one() -> None:
    verdict = judged({**THING, "colour": "red"}, id="task-1")
    assert (verdict.verdict, verdict.score, verdict.id) == (Outcome.PASS, 1.0, "task-1")
    assert statuses(verdict) == ["pass"] * 6
    assert verdict.findings == ()


def test_a_missed_check_is_a_share_of_intent() -> None:
    verdict = judged(THING)
    assert (verdict.verdict, verdict.score) == (Outcome.FAIL, pytest.approx(0.2 + 0.8 * 3 / 4))
    assert [check.passed for check in verdict.checks] == [True, True, False, True]
    assert statuses(verdict)[4:] == ["fail", "pass"]
    assert [finding.rule for finding in verdict.findings] == ["check-failed"]


def test_a_failed_gate_earns_nothing() -> None:
    assert judged({**THING, "name": "b"}).score == 0.2
    assert judged({**THING, "off": True}).score == 0.2, "what never exists is not there"


def test_absence_alone_earns_nothing() -> None:
    verdict = judged(THING, checks=({"op": "absent", "kind": "other"},))
    assert (verdict.verdict, verdict.score) == (Outcome.PASS, 0.2)


@pytest.mark.parametrize(
    ("text", "expected", "score_", "rule"),
    [
        ("[", ["pass", "fail"], 0.0, "toy-json"),
        ('[{"kind": "thin", "name": "a"}]', ["pass", "pass", "fail"], 0.05, "toy-kind"),
        (
            '[{"kind": "foreign", "name": "a"}]',
            ["pass", "pass", "unsupported"],
            0.05,
            "toy-foreign",
        ),
        (
            '[{"kind": "thing", "name": "a", "to": "b"}]',
            ["pass", "pass", "pass", "fail"],
            0.10,
            "toy-dangling",
        ),
        ("```json\n[]\n", ["fail"], 0.0, "fence-unclosed"),
        ("```yaml\n[]\n```", ["fail"], 0.0, "wrong-language"),
        ("[\x00]", ["fail"], 0.0, "guard-nul"),
    ],
)
def test_each_rung_gates_the_next(text: str, expected: list[str], score_: float, rule: str) -> None:
    verdict = score(
        VerifyRequest.model_validate({"text": text, "category": "toy", "checks": CHECKS})
    )
    assert statuses(verdict) == expected + ["skipped"] * (6 - len(expected))
    assert (verdict.verdict, verdict.score) == (Outcome.FAIL, score_)
    assert verdict.findings[0].rule == rule


def test_without_checks_the_verdict_speaks_of_validity_alone() -> None:
    verdict = judged(THING, checks=())
    assert (verdict.verdict, verdict.score) == (Outcome.PASS, 0.2)
    assert verdict.rungs["intent"] == "skipped"


def test_policy_counts_only_when_it_is_listed() -> None:
    secret = {**THING, "colour": "red", "secret": "x"}
    informed = judged(secret)
    assert (informed.verdict, informed.score, informed.rungs["policy"]) == (
        Outcome.PASS,
        1.0,
        "fail",
    )
    assert [finding.rule for finding in informed.findings] == ["toy-secret"]
    listed = judged(secret, policies=("toy-secret",))
    assert (listed.verdict, listed.score) == (Outcome.FAIL, 0.2)
    assert judged({**THING, "colour": "red"}, policies=("toy-secret",)).verdict is Outcome.PASS


def test_a_request_without_meaning_is_an_error_of_the_caller() -> None:
    with pytest.raises(ConfigError):
        score(VerifyRequest(text="[]", category="no-such"))
    with pytest.raises(DataError):
        judged(THING, policies=("no-such",))
    with pytest.raises(DataError):
        judged(THING, checks=({"op": "exists"},))
    reply = score_json(VerifyRequest(text="[]", category="no-such").model_dump_json())
    assert json.loads(reply)["error"]["param"] == "category"


def test_a_broken_installation_is_not_the_texts_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CATEGORIES, "broken", CategoryPackage("broken", "no_such_module"))
    verdict = Verdict.model_validate_json(
        score_json(VerifyRequest(text="[]", category="broken").model_dump_json())
    )
    assert verdict.verdict is Outcome.UNSCORABLE
    assert "no_such_module" in verdict.findings[0].message


def test_a_bug_in_a_checker_reaches_the_pool() -> None:
    with pytest.raises(RuntimeError):
        judged({**THING, "kind": "bug"})


def test_the_category_is_detected() -> None:
    assert score(VerifyRequest(text="[]", filename="toy.json")).category == "toy"
    unknown = score(VerifyRequest(text="hello"))
    assert (unknown.category, unknown.verdict, unknown.findings[0].rule) == (
        None,
        Outcome.FAIL,
        "unknown-category",
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("terraform", 'resource "aws_s3_bucket" "b" {\n  bucket = "x"\n}\n'),
        ("kubernetes", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"),
        ("dockerfile", "FROM python:3.12-slim\nUSER app\n"),
        ("compose", "services:\n  web:\n    image: nginx:1.27\n"),
        (
            "github-actions",
            "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: make\n",
        ),
    ],
)
def test_real_categories_are_told_apart(name: str, text: str) -> None:
    verdict = score(VerifyRequest(text=text))
    assert (verdict.category, verdict.verdict, verdict.score) == (name, Outcome.PASS, 0.2)
    assert score(VerifyRequest(text=f"<think>\nx\n</think>\n```\n{text}```")).category == name
