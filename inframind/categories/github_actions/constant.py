"""Expressions before any run: literals and operators folded, the rest unknown.

https://docs.github.com/en/actions/reference/workflows-and-actions/expressions#operators
"""

from __future__ import annotations

import math

from inframind.categories.github_actions.expressions import ExpressionError, Token, tokens
from inframind.categories.shared.values import COMPARISONS, UNKNOWN, Unknown

Value = None | bool | float | str | Unknown
LITERALS: dict[str, Value] = {
    "true": True,
    "false": False,
    "null": None,
    "nan": math.nan,
    "infinity": math.inf,
}
LEVELS = (("||",), ("&&",), ("==", "!="), ("<", "<=", ">", ">="))
"""Operators, the loosest first."""


def fold(expression: str) -> Value:
    """Fold an expression to its value; UNKNOWN if it depends on the run or cannot be read."""
    try:
        folder = _Folder(tokens(expression))
        value = folder.binary(0)
    except (ExpressionError, IndexError):
        return UNKNOWN
    return value if folder.at == len(folder.tokens) else UNKNOWN


def is_truthy(value: Value) -> bool | None:
    """Decide a value's truth as `if` does; None if it is unknown."""
    # NaN is false, and the only value unlike itself.
    return None if isinstance(value, Unknown) else bool(value) and value == value


def _number(value: bool | float | str | None) -> float:
    """Coerce unlike types to numbers as GitHub does: a text that is no number is NaN."""
    try:
        return float(value or 0)
    except ValueError:
        return math.nan


class _Folder:
    """Evaluate tokens by recursive descent; the guards bound how deep parentheses go."""

    def __init__(self, words: list[Token]) -> None:
        self.tokens = words
        self.at = 0

    def _next(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def binary(self, level: int) -> Value:
        if level == len(LEVELS):
            return self._unary()
        left = self.binary(level + 1)
        while self._next() in LEVELS[level]:
            sign = self._next()
            self.at += 1
            left = _applied(sign, left, self.binary(level + 1))
        return left

    def _unary(self) -> Value:
        negations = 0
        while self._next() == "!":
            self.at += 1
            negations += 1
        value = self._primary()
        truth = is_truthy(value)
        if not negations:
            return value
        return UNKNOWN if truth is None else truth != bool(negations % 2)

    def _primary(self) -> Value:
        kind, text = self.tokens[self.at]
        self.at += 1
        if text == "(":
            value = self.binary(0)
            self.at += 1
            return value
        if kind == "string":
            # A quote within a text is written twice.
            return text[1:-1].replace("''", "'")
        if kind == "number":
            return float(int(text, 16)) if "x" in text else float(text)
        if text.lower() in LITERALS:
            return LITERALS[text.lower()]
        self._skip()
        return UNKNOWN

    def _skip(self) -> None:
        """Skip what belongs to a name: `.part`, `[index]`, `(arguments)`."""
        depth = 0
        while self.at < len(self.tokens):
            text = self._next()
            if depth == 0 and text not in (".", "[", "("):
                return
            depth += (text in ("[", "(")) - (text in ("]", ")"))
            self.at += 2 if text == "." and depth == 0 else 1


def _applied(sign: str, left: Value, right: Value) -> Value:
    truth = is_truthy(left)
    if sign == "&&":
        if truth is None:
            return False if is_truthy(right) is False else UNKNOWN
        return right if truth else left
    if sign == "||":
        if truth is None:
            return True if is_truthy(right) else UNKNOWN
        return left if truth else right
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return UNKNOWN
    if isinstance(left, str) and isinstance(right, str) and sign in ("==", "!="):
        # GitHub compares texts without regard to case.
        return (left.lower() == right.lower()) == (sign == "==")
    return COMPARISONS[sign](_number(left), _number(right))
