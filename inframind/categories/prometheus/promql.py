"""PromQL: expressions read into their canonical text, their metrics, and whether they are empty."""

import operator
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import promql_parser as promql

from inframind.categories.shared.values import COMPARISONS

MAX_LENGTH = 5_000
MAX_OPERATORS = 150
"""The parser's objects cost their depth squared."""
OPERATOR = re.compile(r"[-+*/%^<>=!]=?|\b(?:and|or|unless|atan2)\b")
# The comparison read from the other side; `==` and `!=` read the same.
SWAPPED = {">": "<", "<": ">", ">=": "<=", "<=": ">="}


class PromqlError(ValueError):
    """An expression cannot be used in a rule; the message says why."""


@dataclass(frozen=True)
class Expression:
    """Hold a parsed expression."""

    text: str
    """As the parser writes it: `sum(x) by (a)` and `sum by(a)(x)` are one text."""
    metrics: tuple[str, ...]
    comparison: dict[str, Any] | None
    """`{"op": ">", "value": 0.9}` if it compares with a number at the top."""
    labels: frozenset[str] | None
    """The labels of what it gives, if an aggregation says so."""
    never: bool
    """Whether it can give nothing whatever the data are."""


@lru_cache(maxsize=1024)
def read(text: str) -> Expression:
    """Read an expression.

    Raises PromqlError if it does not parse, is too large, or gives a range or a text.
    """
    if len(text) > MAX_LENGTH or len(OPERATOR.findall(text)) > MAX_OPERATORS:
        raise PromqlError(
            f"it is longer than {MAX_LENGTH:,} characters or has over {MAX_OPERATORS} operators"
        )
    try:
        tree = promql.parse(text)
    except ValueError as error:
        raise PromqlError(str(error)) from None
    tree = _bare(tree)
    if isinstance(tree, promql.MatrixSelector | promql.SubqueryExpr | promql.StringLiteral):
        raise PromqlError("a rule needs an instant vector or a number, not a range or a text")
    return Expression(
        _canonical(tree), _metrics(tree), _comparison(tree), _labels(tree), _is_empty(tree)
    )


def is_regex(pattern: str) -> bool:
    """Tell whether Prometheus takes a pattern (linear-time syntax, fully anchored)."""
    # The parser brings the Rust regex syntax, which is as linear as RE2.
    quoted = pattern.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    try:
        promql.parse(f'x{{y=~"{quoted}"}}')
    except ValueError:
        return False
    return True


def _bare(node: Any) -> Any:
    while isinstance(node, promql.ParenExpr):
        node = node.expr
    return node


def _canonical(node: Any) -> str:
    return " ".join(str(node).split()).replace("{}", "")


def _metrics(node: Any) -> tuple[str, ...]:
    metrics: dict[str, None] = {}

    def visit(part: Any) -> None:
        selector = part.vector_selector if isinstance(part, promql.MatrixSelector) else part
        if isinstance(selector, promql.VectorSelector):
            names = [
                m.value
                for m in selector.matchers.matchers
                if m.name == "__name__" and str(m.op) == "MatchOp.Equal"
            ]
            metrics.update(dict.fromkeys([selector.name] if selector.name else names))

    promql.walk(node, visit)
    return tuple(metrics)


def _number(node: Any) -> float | None:
    node = _bare(node)
    if isinstance(node, promql.NumberLiteral):
        return float(node.val)
    if isinstance(node, promql.UnaryExpr):
        value = _number(node.expr)
        return None if value is None else -value
    if isinstance(node, promql.BinaryExpr):
        left, right = _number(node.lhs), _number(node.rhs)
        arithmetic = {
            "+": operator.add,
            "-": operator.sub,
            "*": operator.mul,
            "/": operator.truediv,
        }
        function = arithmetic.get(str(node.op))
        if (
            function
            and left is not None
            and right is not None
            and not (str(node.op) == "/" and right == 0)
        ):
            return float(function(left, right))
    return None


def _comparison(node: Any) -> dict[str, Any] | None:
    if not isinstance(node, promql.BinaryExpr) or str(node.op) not in COMPARISONS:
        return None
    left, right, sign = _number(node.lhs), _number(node.rhs), str(node.op)
    if right is not None and left is None:
        return {"op": sign, "value": right}
    return (
        {"op": SWAPPED.get(sign, sign), "value": left}
        if left is not None and right is None
        else None
    )


def _labels(node: Any) -> frozenset[str] | None:
    """Collect the labels after a top-level aggregation; functions and numbers keep them."""
    node = _bare(node)
    if isinstance(node, promql.AggregateExpr):
        name, modifier = str(node.op), node.modifier
        # These keep the labels of the samples they pick, or add one.
        if name in ("topk", "bottomk", "limitk", "limit_ratio", "count_values"):
            return None
        # An aggregation without `by` or `without` keeps no label.
        by = modifier is None or str(modifier.type).endswith("By")
        return frozenset(modifier.labels if modifier else ()) if by else None
    if isinstance(node, promql.BinaryExpr) and str(node.op) not in ("or",):
        sides = [side for side in (node.lhs, node.rhs) if _number(side) is None]
        return _labels(sides[0]) if len(sides) == 1 or str(node.op) in ("and", "unless") else None
    if isinstance(node, promql.Call) and node.func.name == "histogram_quantile":
        kept = _labels(node.args[1])
        # The quantile uses up the bucket's bound.
        return None if kept is None else kept - {"le"}
    return None


def _is_empty(node: Any) -> bool:
    """Tell whether an expression never gives a sample.

    Constant comparisons that do not hold, `x unless x`, `x < x`, and what contains them.
    """
    node = _bare(node)
    if isinstance(node, promql.BinaryExpr):
        return _is_empty_binary(node)
    if isinstance(node, promql.AggregateExpr | promql.UnaryExpr):
        return _is_empty(node.expr)
    # These give a sample even for nothing: absent gives 1, scalar NaN.
    keeps_nothing = isinstance(node, promql.Call) and node.func.name not in (
        "absent",
        "absent_over_time",
        "vector",
        "scalar",
    )
    return keeps_nothing and any(_is_empty(part) for part in node.args)


def _constant(node: Any) -> float | None:
    """Evaluate a number or `vector(number)`; None for anything else."""
    node = _bare(node)
    if isinstance(node, promql.Call) and node.func.name == "vector":
        return _number(node.args[0])
    return _number(node)


def _is_empty_binary(node: Any) -> bool:
    sign, left, right = str(node.op), _bare(node.lhs), _bare(node.rhs)
    if sign == "or":
        return _is_empty(left) and _is_empty(right)
    if sign == "unless":
        return _is_empty(left) or _canonical(left) == _canonical(right)
    if _is_empty(left) or _is_empty(right):
        return True
    # With `bool` a comparison gives 0 or 1 instead of leaving samples out.
    if sign not in COMPARISONS or (node.modifier and node.modifier.return_bool):
        return False
    values = _constant(left), _constant(right)
    if values[0] is not None and values[1] is not None:
        return not COMPARISONS[sign](values[0], values[1])
    return sign in ("<", ">", "!=") and _canonical(left) == _canonical(right)
