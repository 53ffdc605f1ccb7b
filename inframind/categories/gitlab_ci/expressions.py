"""Expressions of `rules:if`, read and folded where they are constant.

https://docs.gitlab.com/ci/jobs/job_rules/#cicd-variable-expressions
"""

import re
from dataclasses import dataclass, field

from inframind.categories.shared.values import UNKNOWN, Unknown

TOKEN = re.compile(
    r"""\s*(?:(?P<variable>\$(?:\w+|\{\w+\}))|(?P<text>"[^"]*"|'[^']*')"""
    r"|(?P<pattern>/(?:[^/\\]|\\.)+/[a-z]*)"
    r"|(?P<null>null\b)|(?P<operator>==|!=|=~|!~|&&|\|\||[()]))"
)
COMPARISONS = ("==", "!=", "=~", "!~")
MAX_TOKENS = 200


class ExpressionError(ValueError):
    """An expression cannot be read; the message says why."""


Value = str | bool | None | Unknown


@dataclass
class _Reader:
    tokens: list[tuple[str, str]]
    position: int = field(default=0)

    def peek(self) -> str:
        return self.tokens[self.position][1] if self.position < len(self.tokens) else ""

    def take(self) -> tuple[str, str]:
        if self.position >= len(self.tokens):
            raise ExpressionError("the expression ends too early")
        self.position += 1
        return self.tokens[self.position - 1]


def constant(expression: str) -> bool | None:
    """Decide an expression that is always true or always false; None if it depends on the run.

    Raises ExpressionError.
    """
    reader = _Reader(_tokens(expression))
    value = _any(reader)
    if reader.position < len(reader.tokens):
        raise ExpressionError(f"{reader.peek()!r} is not expected")
    return _truth(value)


def _tokens(expression: str) -> list[tuple[str, str]]:
    read: list[tuple[str, str]] = []
    position, end = 0, len(expression.rstrip())
    while position < end:
        match = TOKEN.match(expression, position)
        if match is None:
            raise ExpressionError(f"cannot read {expression[position:].strip()[:30]!r}")
        kind = match.lastgroup or ""
        read.append((kind, match.group(kind)))
        position = match.end()
        if len(read) > MAX_TOKENS:
            raise ExpressionError(f"it has over {MAX_TOKENS} words")
    if not read:
        raise ExpressionError("the expression is empty")
    return read


def _truth(value: Value) -> bool | None:
    return None if isinstance(value, Unknown) else bool(value)


# `&&` binds stronger than `||` (docs: Join variable expressions together).
def _any(reader: _Reader) -> Value:
    parts = [_all(reader)]
    while reader.peek() == "||":
        reader.take()
        parts.append(_all(reader))
    return _joined(parts, decisive=True)


def _all(reader: _Reader) -> Value:
    parts = [_comparison(reader)]
    while reader.peek() == "&&":
        reader.take()
        parts.append(_comparison(reader))
    return _joined(parts, decisive=False)


def _joined(parts: list[Value], *, decisive: bool) -> Value:
    truths = [_truth(part) for part in parts]
    if len(parts) == 1:
        return parts[0]
    return decisive if decisive in truths else UNKNOWN if None in truths else not decisive


def _comparison(reader: _Reader) -> Value:
    left = _value(reader)
    operator = reader.peek()
    if operator not in COMPARISONS:
        return left
    reader.take()
    if (
        operator in ("=~", "!~")
        and reader.position < len(reader.tokens)
        and reader.tokens[reader.position][0] in ("text", "null")
    ):
        # The right side is a pattern or a variable that holds one.
        raise ExpressionError(f"{operator} takes a pattern such as /^release/")
    right = _value(reader)
    if isinstance(left, Unknown) or isinstance(right, Unknown) or operator in ("=~", "!~"):
        return UNKNOWN
    return (left == right) is (operator == "==")


def _value(reader: _Reader) -> Value:
    kind, token = reader.take()
    if token == "(":  # noqa: S105 - a bracket, not a password
        value = _any(reader)
        if reader.peek() != ")":
            raise ExpressionError("a bracket is not closed")
        reader.take()
        return value
    if kind == "operator":
        raise ExpressionError(f"{token!r} is not expected")
    if kind == "null":
        return None
    # GitLab does not expand variables in texts, but nobody writes one there who does not mean its
    # value.
    return token[1:-1] if kind == "text" and "$" not in token else UNKNOWN
