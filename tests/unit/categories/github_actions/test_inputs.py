"""Inputs of well-known actions, and a `with` that is an expression as a whole."""

import pytest

from inframind.types import Finding, Outcome, VerifyRequest
from inframind.verifier.ladder import score

WORKFLOW = """on: pull_request_target
jobs:
  build:
    runs-on: ubuntu-latest
    permissions: {{}}
    steps:
      - uses: actions/checkout@v4
        with: {inputs}
"""


def judged(inputs: str, *policy: str) -> tuple[Outcome, tuple[Finding, ...]]:
    text = WORKFLOW.format(inputs=inputs)
    verdict = score(VerifyRequest(text=text, category="github-actions", policies=policy))
    return verdict.verdict, verdict.findings


@pytest.mark.parametrize(
    "inputs", ["${{ fromJSON(env.ARGS) }}", "{fetch-depth: 0}", "{ref: '${{ inputs.ref }}'}"]
)
def test_inputs_that_github_takes(inputs: str) -> None:
    assert judged(inputs)[0] is Outcome.PASS


def test_an_expression_as_a_whole_is_judged_by_the_policy_too() -> None:
    outcome, findings = judged("${{ fromJSON(env.ARGS) }}", "unpinned")
    assert outcome is Outcome.FAIL
    assert {finding.rule for finding in findings if finding.rung == "policy"} == {"unpinned"}


def test_unknown_inputs_are_reported_in_order() -> None:
    outcome, findings = judged("{zeta: 1, alpha: 2}")
    assert outcome is Outcome.FAIL
    assert [finding.message for finding in findings] == [
        "actions/checkout@v4 has no input 'alpha'",
        "actions/checkout@v4 has no input 'zeta'",
    ]


@pytest.mark.parametrize("inputs", ["everything", "[fetch-depth]", "'${{ fromJSON(env.ARGS) '"])
def test_a_text_that_is_no_expression_and_a_list_are_no_inputs(inputs: str) -> None:
    assert judged(inputs)[0] is Outcome.FAIL
