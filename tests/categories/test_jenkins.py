"""Jenkins: how Groovy is read, what runs, and what the declarative parser refuses."""

from typing import Any

import pytest

from inframind.categories import category
from inframind.categories.jenkins.cron import cron_error
from inframind.categories.jenkins.syntax import Source, Statement
from inframind.categories.jenkins.tokens import GroovyError, read, value_of
from inframind.types import VerifyRequest
from inframind.verifier.ladder import score

CATEGORY = category("jenkins")


def only(text: str) -> Statement:
    source = Source(text)
    (statement,) = source.statements(0, len(source.tokens))
    return statement


def pipeline(stages: str, more: str = "agent any") -> str:
    return f"pipeline {{\n{more}\nstages {{\n{stages}\n}}\n}}"


def objects(text: str, kind: str) -> list[tuple[str, Any]]:
    document = CATEGORY.parse(text)
    assert not CATEGORY.schema(document) and not CATEGORY.references(document)
    return [
        (resource.name, resource.fields)
        for resource in CATEGORY.effective(document).resources
        if resource.kind == kind
    ]


def rules(text: str) -> set[str]:
    return {
        finding.rule
        for finding in score(VerifyRequest(text=text, category="jenkins", format="file")).findings
    }


@pytest.mark.parametrize(
    ("text", "args", "named"),
    [
        ("sh 'make'", ("make",), {}),
        ("sh('make')", ("make",), {}),
        ("sh script: 'make', returnStdout: true", (), {"script": "make", "returnStdout": True}),
        ("sh(\n  script: 'make',\n  label: \"x\"\n)", (), {"script": "make", "label": "x"}),
        ("values 'a', 'b'", ("a", "b"), {}),
        ("f([a: 1, b: [2, -3.5]])", ({"a": 1, "b": [2, -3.5]},), {}),
        ("f([:], [], null)", ({}, [], None), {}),
        ("f(g('x', y: 1))", ({"$call": "g", "args": ["x"], "y": 1},), {}),
        ("f(a + b)", ({"$expr": "a + b"},), {}),
        ("mail to: 'a',\n     body: 'b'", (), {"to": "a", "body": "b"}),
    ],
)
def test_calls(text: str, args: tuple[Any, ...], named: dict[str, Any]) -> None:
    statement = only(text)
    assert statement.name and statement.args == args and statement.named == named


def test_blocks_may_begin_on_the_next_line() -> None:
    statement = only("stage('a')\n{\n  steps\n  {\n    sh 'x'\n  }\n}")
    assert statement.args == ("a",) and statement.inner[0].inner[0].args == ("x",)


@pytest.mark.parametrize(
    "text", ["def x = 1", "if (a) { b }", "a.b('c')", "x += 1", "return 1", "@NonCPS", "f(a).b()"]
)
def test_code_is_no_call(text: str) -> None:
    assert only(text).name == ""


def test_texts() -> None:
    tokens = read("""'a\\'b' "c${d('}')}e" '''f
g''' = /h\\/i/ // j 'k\n"\\$l" """)
    assert [value_of(token) for token in tokens if token.kind in ("text", "gstring")] == [
        "a'b",
        "c${d('}')}e",
        "f\ng",
        "h/i",
        "$l",
    ]


@pytest.mark.parametrize("text", ["'a", '"a\n"', "'''a'", "/* a", "{", "(]", "}", '"${a"', "`"])
def test_what_is_not_closed_is_refused(text: str) -> None:
    with pytest.raises(GroovyError):
        Source(text)


@pytest.mark.parametrize(
    "condition",
    [
        "expression { false }",
        "expression { return !true }",
        "expression { 1 == 2 }",
        "expression { 'a' == 'b' && params.X }",
        "not { expression { true } }",
        "anyOf { expression { false }; equals expected: 1, actual: 2 }",
        "branch 'main'\nexpression { echo 'x'\nreturn false }",
        "equals expected: 'a', actual: 'b'",
    ],
)
def test_a_stage_that_never_runs_is_not_there(condition: str) -> None:
    assert (
        objects(pipeline(f"stage('a') {{ when {{ {condition} }}\nsteps {{ sh 'x' }} }}"), "stage")
        == []
    )


@pytest.mark.parametrize(
    "condition",
    [
        "branch 'main'",
        "expression { params.X }",
        "expression { if (a) { return true }\nreturn false }",
        "not { expression { false } }",
        'equals expected: "${A}", actual: "b"',
        "anyOf { expression { false }; branch 'x' }",
    ],
)
def test_a_stage_that_may_run_is_there(condition: str) -> None:
    assert (
        len(
            objects(
                pipeline(f"stage('a') {{ when {{ {condition} }}\nsteps {{ sh 'x' }} }}"), "stage"
            )
        )
        == 1
    )


def test_nothing_runs_behind_an_error() -> None:
    steps = objects(pipeline("stage('a') { steps { sh 'x'\nerror 'no'\nsh 'y' } }"), "step")
    assert [name for name, _ in steps] == ["sh", "error"]


def test_steps_in_script_run_unless_code_decides() -> None:
    body = "script { sh 'x'\nif (a) { sh 'y' }\nfor (i in b) { sh 'z' }\nsh 'w'\nreturn\nsh 'v' }"
    steps = objects(pipeline(f"stage('a') {{ steps {{ {body} }} }}"), "step")
    assert [fields.get("script") for name, fields in steps if name == "sh"] == ["x", "w"]


def test_a_long_command_is_dedented_and_knows_its_place() -> None:
    text = pipeline("stage('a') { steps { dir('b') { sh '''\n    one\n    two\n''' } } }")
    (_, fields) = next(resource for resource in objects(text, "step") if resource[0] == "sh")
    assert fields["script"] == "one\ntwo" and fields["inside"] == ["dir"] and fields["stage"] == "a"


@pytest.mark.parametrize(
    "schedule",
    [
        "H * * * *",
        "H/15 0-6,12 * * 1-5",
        "H(0-29)/10 * 1 1 7",
        "@daily",
        "TZ=UTC\nH 4 * * *\n@weekly",
    ],
)
def test_schedules(schedule: str) -> None:
    assert cron_error(schedule) is None


@pytest.mark.parametrize(
    "schedule",
    [
        "",
        "* * * *",
        "60 * * * *",
        "* * * JAN *",
        "5-1 * * * *",
        "H/0 * * * *",
        "@often",
        "H(70-80) * * * *",
    ],
)
def test_broken_schedules(schedule: str) -> None:
    assert cron_error(schedule)


def test_steps_without_a_node() -> None:
    stage = "stage('a') { steps { %s } }"
    assert "no-agent" in rules(pipeline(stage % "sh 'x'", "agent none"))
    assert "no-agent" not in rules(pipeline(stage % "echo 'x'", "agent none"))
    assert "no-agent" not in rules(pipeline(stage % "node('x') { sh 'x' }", "agent none"))
    after = "agent none\npost { always { junit 'x' } }"
    assert "no-agent" in rules(pipeline("stage('a') { agent any\nsteps { sh 'x' } }", after))


def test_parameters_are_those_that_are_declared() -> None:
    declared = "agent any\nparameters { string(name: 'A', defaultValue: '') }"
    stage = "stage('a') { steps { echo \"${params.%s}\" } }"
    assert "undefined" in rules(pipeline(stage % "B", declared))
    assert "undefined" not in rules(pipeline(stage % "A", declared))
    assert "undefined" not in rules(pipeline(stage % "B"))


def test_a_condition_of_ten_thousand_negations_is_left_open() -> None:
    text = pipeline(
        f"stage('a') {{ when {{ expression {{ {'!' * 10_000}true }} }}\nsteps {{ sh 'x' }} }}"
    )
    assert len(objects(text, "stage")) == 1
