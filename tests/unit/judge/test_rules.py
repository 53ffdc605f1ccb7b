"""The rules judge: its table of scores, and that it never lifts a wrong answer."""

import pytest

from inframind.errors import SandboxError
from inframind.judge.judgement import Judgement
from inframind.judge.rules import compare, judge
from inframind.types import VerifyRequest
from inframind.verifier.ladder import fail_to_check, score, unscorable

GOOD = 'FROM python:3.12-slim\nWORKDIR /app\nUSER app\nCMD ["python"]\n'
CHECKS = (
    {"op": "equals", "kind": "image", "path": "user", "value": "app"},
    {"op": "equals", "kind": "image", "path": "workdir", "value": "/app"},
)


def judged(text: str, checks: tuple[dict[str, str], ...] = CHECKS) -> Judgement:
    return judge(
        score(
            VerifyRequest.model_validate({"text": text, "category": "dockerfile", "checks": checks})
        )
    )


def test_a_right_answer_with_good_habits_has_full_marks() -> None:
    judgement = judged(GOOD)
    assert judgement.would_work
    assert judgement.overall == 10.0
    assert set(judgement.scores.model_dump().values()) == {10.0}
    assert judgement.feedback == "Valid, and all 2 checks hold."


def test_bad_habits_cost_a_right_answer_something() -> None:
    judgement = judged(GOOD.replace(":3.12-slim", ":latest"))
    assert judgement.would_work
    assert 8.0 <= judgement.overall < 10.0
    assert judgement.scores.security < 10.0
    assert judgement.scores.correctness == 10.0
    assert "[unpinned]" in judgement.feedback


def test_a_missed_check_is_named_with_what_was_found() -> None:
    judgement = judged(GOOD.replace("USER app", "USER web"))
    assert not judgement.would_work
    assert judgement.scores.completeness == 5.0
    assert judgement.scores.correctness == 6.0
    assert "only 1 of 2 checks hold" in judgement.feedback
    assert "user of image is web, asked for app" in judgement.feedback


def test_an_answer_that_does_not_parse_has_nothing() -> None:
    judgement = judged("Sorry, I cannot do that.")
    assert set(judgement.scores.model_dump().values()) == {0.0}
    assert judgement.overall == 0.0
    assert not judgement.would_work


def test_a_valid_text_that_does_something_else_stays_low() -> None:
    assert judged("FROM alpine:3.20\nUSER nobody\n").overall <= 2.0


def test_without_checks_it_speaks_of_validity() -> None:
    judgement = judged(GOOD, ())
    assert (judgement.overall, judgement.would_work) == (10.0, True)
    assert judged("FROM python:3.12\nRUNN x\n", ()).overall <= 1.0


def test_a_text_that_hangs_the_checker_is_judged_and_an_absent_environment_is_not() -> None:
    request = VerifyRequest(text="x", category="dockerfile")
    assert judge(fail_to_check(request, "checker-deadline", "twice")).overall == 0.0
    with pytest.raises(SandboxError, match="no workers"):
        judge(unscorable(request, "no workers"))


def test_of_two_the_one_that_passes_wins_whatever_its_habits() -> None:
    passing, failing, broken = (
        score(
            VerifyRequest.model_validate({"text": text, "category": "dockerfile", "checks": CHECKS})
        )
        for text in (
            GOOD.replace(":3.12-slim", ":latest"),
            GOOD.replace("USER app", "USER web"),
            "no",
        )
    )
    assert compare(passing, failing).winner == "first"
    assert compare(broken, failing).winner == "second"
    assert compare(failing, failing).winner == "tie"
