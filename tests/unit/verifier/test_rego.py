"""Users' own Rego policies as checks."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from inframind.cli import app
from inframind.errors import DataError
from inframind.types import Check, Outcome, Verdict, VerifyRequest
from inframind.verifier.checks import validate_checks
from inframind.verifier.ladder import score
from inframind.verifier.verifier import Verifier

COMPOSE = (
    "services:\n  web:\n    image: nginx:1.27\n    restart: always\n  db:\n"
    "    image: postgres:16\n    depends_on: [web]\n"
)
RESTART = """package main
import rego.v1
deny contains message if {
	some r in input.resources
	r.kind == "service"
	not r.fields.restart
	message := sprintf("service %s has no restart policy", [r.name])
}
"""
LINKS = """package a
import rego.v1
deny contains "db waits for web" if {
	some l in input.links
	l.name == "web"
	input.resources[l.source].name == "db"
}
"""
BOMB = """package a
import rego.v1
xs := numbers.range(1, 40000)
deny contains x if { some x in xs; some y in xs; some z in xs; x + y + z < 0 }
deny contains y if { y := [a | some a in xs; some b in xs] }
"""


def judge(policy: str, text: str = COMPOSE, *more: Check) -> Verdict:
    checks = (Check(op="rego", id="own", value=policy), *more)
    return score(VerifyRequest(text=text, category="compose", checks=checks))


def test_a_denial_is_a_failed_check_with_the_policys_message() -> None:
    verdict = judge(RESTART)
    assert verdict.verdict is Outcome.FAIL
    assert verdict.checks[0].message == "service db has no restart policy"


def test_nothing_denied_passes_and_earns_nothing_alone() -> None:
    text = COMPOSE.replace("    depends_on", "    restart: always\n    depends_on")
    assert (judge(RESTART, text).verdict, judge(RESTART, text).score) == (Outcome.PASS, 0.2)
    assert judge(RESTART, text, Check(op="exists", kind="service", name="db")).score == 1.0


@pytest.mark.parametrize(
    ("policy", "passes"),
    [
        ("package a.b\nimport rego.v1\nallow if { count(input.resources) == 2 }", True),
        (
            (
                "package a.b\nimport rego.v1\ndefault allow := false\n"
                "allow if { count(input.resources) == 3 }"
            ),
            False,
        ),
        ("package a\nimport rego.v1\nallow if { count(input.resources) == 3 }", False),
        ('package a\ndeny["old syntax"] { true }', False),
        (LINKS, False),
        ('package a\nimport rego.v1\ndeny contains "x" if { false }\nallow if { true }', True),
    ],
)
def test_deny_and_allow(policy: str, passes: bool) -> None:
    assert judge(policy).checks[0].passed is passes


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        (None, "as a text"),
        ("deny contains x if { true }", "names no package"),
        ("package main\nviolation := 1", "neither `deny` nor `allow`"),
        ("package main\n" + "#" * 50_000, "at most 50,000"),
    ],
)
def test_a_policy_without_meaning_is_refused_and_named(policy: str | None, says: str) -> None:
    with pytest.raises(DataError, match=says) as caught:
        validate_checks([Check(op="rego", value=policy)])
    assert caught.value.param == "checks.0.value"


def test_a_policy_that_does_not_compile_is_the_requests_fault() -> None:
    with pytest.raises(DataError, match="does not compile: this is unclosed"):
        judge("package main\ndeny [ {")


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (
            'deny["x"] { http.send({"method": "get", "url": "http://x"}).status_code != 200 }',
            "http",
        ),
        ('deny["x"] { not net.cidr_contains("10.0.0.0/8", "11.0.0.1") }', "net.cidr_contains"),
        ('deny["x"] { json.match_schema(input, {})[0] == false }', "json.match_schema"),
        ('deny["x"] { x := $"{http.send({})}"; x != "200" }', "http.send"),
        ('deny["x"] { helper.f(1) }', "helper.f"),
        ('deny["x"] { not data.allowed[input.resources[0].name] }', "data.allowed"),
        ("import data.allowed\ndeny[x] { x := allowed[_] }", "data.allowed"),
    ],
)
def test_what_is_undefined_for_every_text_is_the_policys_fault(body: str, named: str) -> None:
    with pytest.raises(DataError, match=named) as caught:
        judge(f"package main\n{body}")
    assert caught.value.param == "checks.0.value"


def test_the_field_of_a_policy_among_alternatives_is_named() -> None:
    bad = Check(op="rego", value="package main\ndeny[x] { x := http.send({}) }")
    one_of = Check(op="any_of", checks=(Check(op="exists", kind="none"), bad))
    with pytest.raises(DataError) as caught:
        score(VerifyRequest(text=COMPOSE, category="compose", checks=(one_of,)))
    assert caught.value.param == "checks.0.checks.1.value"


def test_names_in_comments_and_texts_are_not_calls() -> None:
    policy = (
        "package main\n# http.send( and data.allowed\n"
        'deny["http.send(1) # data.x"] { count(data.main.wanted) > 5 }\n'
        'wanted := [regex.replace(`net.f("x")`, "a", "b")]'
    )
    assert judge(policy).checks[0].passed


def test_an_unknown_function_fails_and_says_so() -> None:
    (result,) = judge("package main\nimport rego.v1\ndeny contains 1 if nothing_such(1)").checks
    assert not result.passed and "could not be evaluated: " in result.message
    assert "Expecting value" not in result.message


def test_a_policy_sees_neither_the_environment_nor_files() -> None:
    policy = (
        "package main\nimport rego.v1\ndeny contains name if { some name, _ in opa.runtime().env }"
    )
    with Verifier(workers=1) as verifier:
        verdict = verifier.verify(
            VerifyRequest(
                text=COMPOSE, category="compose", checks=(Check(op="rego", value=policy),)
            )
        )
    assert "PATH" in os.environ
    assert verdict.checks[0].message in ("", "LC_ALL")


def test_a_policy_that_never_ends_is_stopped() -> None:
    with Verifier(workers=1, deadline_seconds=0.5) as verifier:
        verdict = verifier.verify(
            VerifyRequest(text=COMPOSE, category="compose", checks=(Check(op="rego", value=BOMB),))
        )
        assert verdict.verdict is Outcome.UNSCORABLE and verdict.category == "compose"
        assert verdict.rungs["references"] == "pass" and verdict.rungs["intent"] == "unscorable"
        assert verdict.findings[-1].rule in ("policy-deadline", "policy-memory")
        invalid = VerifyRequest(
            text=COMPOSE.replace("[web]", "[nobody]"),
            category="compose",
            checks=(Check(op="rego", value=BOMB),),
        )
        assert verifier.verify(invalid).verdict is Outcome.FAIL
        assert (
            verifier.verify(VerifyRequest(text=COMPOSE, category="compose")).verdict is Outcome.PASS
        )


def test_the_command_takes_policy_files(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    (tmp_path / "own.rego").write_text(RESTART)
    result = CliRunner().invoke(
        app, ["verify", "--rego", str(tmp_path / "own.rego"), str(tmp_path / "compose.yaml")]
    )
    assert result.exit_code == 1 and "service db has no restart policy" in result.output
