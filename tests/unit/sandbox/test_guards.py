"""Each guard refuses what is over its limit, and nothing that is at it."""

import pytest

from inframind.sandbox import guards
from inframind.sandbox.guards import refusal


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("é" * (guards.MAX_BYTES // 2 + 1), "guard-size"),
        ("a\ud800", "guard-encoding"),
        ("a\x00b", "guard-nul"),
        ("\n" * guards.MAX_LINES, "guard-lines"),
        ("x" * (guards.MAX_LINE + 1), "guard-line-length"),
        ("[" * (guards.MAX_DEPTH + 1), "guard-depth"),
        ("{(" * 40, "guard-depth"),
        (" " * guards.MAX_INDENT + "a: 1", "guard-depth"),
        ("a: " + "9" * (guards.MAX_DIGITS + 1), "guard-digits"),
        ("a: " + "1:59" * 200, "guard-digits"),
    ],
)
def test_over_the_limit(text: str, rule: str) -> None:
    refused = refusal(text)
    assert refused is not None
    assert refused.rule == rule


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: 1\n" * 9_999,
        "x" * guards.MAX_LINE,
        "[" * guards.MAX_DEPTH + "]" * guards.MAX_DEPTH,
        "[]" * 1000,
        "a: " + "9" * guards.MAX_DIGITS,
        "# " + "_" * 1000,
        " " * 1000 + "\n",
    ],
)
def test_within_the_limits(text: str) -> None:
    assert refusal(text) is None
