"""Conditions of workflows that are false before anything runs."""

import pytest

from inframind.categories.github_actions.workflow import never

FALSE = [
    False,
    0,
    "false",
    "${{ false }}",
    "!true",
    "!!false",
    "${{ null }}",
    "''",
    "0",
    "false && github.ref == 'x'",
    "github.ref == 'x' && false",
    "1 == 2",
    "'a' == 'b'",
    "(true && false) || (1 > 2)",
    "!(always() || true)",
    "'A' != 'a'",
    "contains(github.ref, 'x') && 0",
]
OPEN = [
    True,
    1,
    None,
    "true",
    "always()",
    "github.ref == 'refs/heads/main'",
    "false || success()",
    "${{ false }} || true",
    "'false'",
    "1 == true",
    "!cancelled()",
    "steps.a.outputs['false'] == 'false'",
    "!contains(github.ref, 'false')",
    "not an expression",
    "",
    "'A' == 'a'",
    "((",
]


@pytest.mark.parametrize("condition", FALSE)
def test_never(condition: object) -> None:
    assert never({"if": condition})


@pytest.mark.parametrize("condition", OPEN)
def test_perhaps(condition: object) -> None:
    assert not never({"if": condition})
