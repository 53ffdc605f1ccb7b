"""GitLab CI: what is merged, what is inherited, and which jobs no pipeline ever has."""

from typing import Any

import pytest

from inframind.categories import category
from inframind.categories.base import Configuration
from inframind.categories.gitlab_ci.expressions import ExpressionError, constant
from inframind.categories.gitlab_ci.jobs import is_duration
from inframind.types import VerifyRequest
from inframind.verifier.ladder import score

CATEGORY = category("gitlab-ci")


def effective(text: str) -> Configuration:
    document = CATEGORY.parse(text)
    assert not CATEGORY.schema(document) and not CATEGORY.references(document)
    return CATEGORY.effective(document)


def jobs(text: str) -> dict[str, Any]:
    return {
        resource.name: resource.fields
        for resource in effective(text).resources
        if resource.kind == "job"
    }


def rules(text: str) -> set[str]:
    return {
        finding.rule
        for finding in score(VerifyRequest(text=text, category="gitlab-ci", format="file")).findings
    }


def test_extends_merges_mappings_and_replaces_lists() -> None:
    text = """
.one: {variables: {A: one, B: one}, tags: [one]}
.two: {extends: .one, variables: {B: two}, script: [make two]}
test: {extends: [.two, .three], variables: {C: 3}, retry: null}
.three: {tags: [three], retry: 2}
"""
    assert jobs(text)["test"] | {"when": ""} == {
        "stage": "test",
        "when": "",
        "tags": ["three"],
        "script": ["make two"],
        "variables": {"A": "one", "B": "two", "C": "3"},
    }


def test_references_and_anchors_are_flattened() -> None:
    text = """
.setup: {script: [one, two]}
.more: {script: [!reference [.setup, script], three]}
test:
  script:
    - !reference [.more, script]
    - four
  variables: !reference [.vars, variables]
.vars: {variables: {MODE: fast}}
"""
    assert jobs(text)["test"]["script"] == ["one", "two", "three", "four"]
    assert jobs(text)["test"]["variables"] == {"MODE": "fast"}


def test_defaults_are_inherited_unless_the_job_says_no() -> None:
    text = """
default: {image: "alpine:3.20", tags: [docker], before_script: [setup]}
variables: {A: 1, B: true}
all: {script: x, before_script: []}
none: {script: x, inherit: {default: false, variables: [B]}}
some: {script: x, inherit: {default: [image]}}
child: {trigger: group/project}
"""
    pipeline_jobs = jobs(text)
    assert (
        pipeline_jobs["all"]["image"] == {"name": "alpine:3.20"}
        and pipeline_jobs["all"]["before_script"] == []
    )
    assert "image" not in pipeline_jobs["none"] and pipeline_jobs["none"]["variables"] == {
        "B": "true"
    }
    assert (
        "tags" not in pipeline_jobs["some"]
        and pipeline_jobs["some"]["image"]["name"] == "alpine:3.20"
    )
    assert "image" not in pipeline_jobs["child"] and pipeline_jobs["child"]["trigger"] == {
        "project": "group/project"
    }


@pytest.mark.parametrize(
    "rule",
    [
        "[{when: never}]",
        "[]",
        '[{if: \'"a" == "b"\'}]',
        "[{if: $A, when: never}, {when: never}, {if: $B}]",
        "[{if: 'null && $A'}]",
        '[{if: \'"a" == "a"\', when: never}, {if: $A}]',
    ],
)
def test_a_job_that_no_rule_adds_is_not_there(rule: str) -> None:
    assert set(jobs(f"test: {{script: x, rules: {rule}}}\nother: {{script: y}}")) == {"other"}


@pytest.mark.parametrize(
    "rule",
    [
        "[{if: $A, when: never}, {when: manual}]",
        "[{if: $A}]",
        "[{changes: [a], when: never}, {if: $B}]",
    ],
)
def test_a_job_that_some_pipeline_has_is_there(rule: str) -> None:
    assert set(jobs(f"test: {{script: x, rules: {rule}}}")) == {"test"}


def test_pre_and_post_alone_make_no_pipeline() -> None:
    assert jobs("one: {stage: .pre, script: x}") == {}
    assert set(jobs("one: {stage: .pre, script: x}\ntwo: {script: y}")) == {"one", "two"}


def test_a_need_that_never_runs_is_an_error_unless_optional() -> None:
    text = "a: {script: x, rules: [{when: never}]}\nb: {script: y, needs: [{job: a, optional: %s}]}"
    assert "undefined" in rules(text % "false")
    assert "undefined" not in rules(text % "true")


def test_what_an_include_may_hold_is_unsupported_where_it_is_needed() -> None:
    assert rules("include: {local: a.yml}\ntest: {script: x, stage: test}") == set()
    assert "not-verified" in rules("include: {local: a.yml}\ntest: {script: x, needs: [other]}")
    assert rules("include: {local: a.yml}\ntest: {script: [!reference [.a, script]]}") == {
        "not-verified"
    }
    assert "not-verified" in rules("include: {local: a.yml}\ntest: {script: x, stage: special}")
    assert "undefined" in rules(
        "include: {local: a.yml}\nstages: [build]\ntest: {script: x, stage: special}"
    )


def test_inputs_take_their_default() -> None:
    header = "spec: {inputs: {n: {type: number, default: 3}, i: {}}}\n---\n"
    pipeline_jobs = jobs(
        header + "test: {script: x, parallel: '$[[ inputs.n ]]', image: '$[[ inputs.i ]]'}"
    )
    assert pipeline_jobs["test"]["parallel"] == 3 and pipeline_jobs["test"]["image"] == {
        "name": "$[[ inputs.i ]]"
    }


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("$A", None),
        ('"a" == "a"', True),
        ('"a" != "a" || $A', None),
        ('"a" != "a" && $A', False),
        ("null", False),
        ('($A =~ /^v\\d+$/ && $B == null) || "x"', True),
        ("${A} == 'x'", None),
    ],
)
def test_conditions(expression: str, value: bool | None) -> None:
    assert constant(expression) is value


@pytest.mark.parametrize(
    "expression", ["", "$A = 1", "main", "($A", "$A &&", "$A =~ 'x'", "$A)", "$A $B"]
)
def test_broken_conditions(expression: str) -> None:
    with pytest.raises(ExpressionError):
        constant(expression)


def test_durations() -> None:
    assert all(
        map(
            is_duration,
            (
                "1 week",
                "3 mins 4 sec",
                "2h20min",
                "42",
                "never",
                "6 mos 1 day",
                "3 weeks and 2 days",
                "$X",
            ),
        )
    )
    assert not any(map(is_duration, ("soon", "one day", "1 fortnight", "")))


def test_references_that_grow_without_end_are_stopped() -> None:
    levels = "\n".join(
        f".l{n}: {{script: [{', '.join([f'!reference [.l{n + 1}, script]'] * 9)}]}}"
        for n in range(9)
    )
    assert "undefined" in rules(
        f"{levels}\n.l9: {{script: [x]}}\ntest: {{script: [!reference [.l0, script]]}}"
    )
