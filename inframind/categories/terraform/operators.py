"""Operators on values (https://developer.hashicorp.com/terraform/language/expressions/operators)."""

from collections.abc import Callable
from typing import Any

from inframind.categories.terraform.fit import misfit
from inframind.categories.terraform.functions import CallError, number
from inframind.categories.terraform.values import TypedUnknown, Value, is_known

ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "%": lambda a, b: a % b,
}
ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}
LOGIC = ("&&", "||", "!")
MAX_NUMBER = 1e15
FAMILY: tuple[tuple[Any, Any], ...] = (
    ("string", str),
    ("number", (int, float)),
    (["tuple", []], list),
    (["map", "dynamic"], dict),
)
"""Type of a value that is one of two: by what both are in Python."""


def result_type(operator: str) -> str:
    """The type of every result of the operator."""
    return "number" if operator in ARITHMETIC else "bool"


def apply(operator: str, values: list[Value]) -> Value:
    """The result, or TypedUnknown. Raises CallError for operands of a wrong type."""
    wanted = "dynamic" if operator in ("==", "!=") else "bool" if operator in LOGIC else "number"
    for value in values:
        if value is None and wanted != "dynamic":
            raise CallError("an operand is null")
        why = misfit(value, wanted)
        if why:
            raise CallError(why)
    if not all(map(is_known, values)) or len(values) not in (1, 2):
        return _partly_known(operator, values)
    if operator in ("==", "!="):
        return _same(*values) is (operator == "==")
    if operator in LOGIC:
        return _logic(
            operator, [value in (True, "true", "1") and value is not False for value in values]
        )
    return _computed(operator, list(map(number, values)))


def _partly_known(operator: str, values: list[Value]) -> Value:
    """`false && x` is false whatever x is; so is `true || x` true."""
    known = {str(value).lower() for value in values if isinstance(value, bool | str)}
    if operator == "&&" and "false" in known:
        return False
    return True if operator == "||" and "true" in known else TypedUnknown("")


def _same(one: Value, other: Value) -> bool:
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)


def _logic(operator: str, values: list[bool]) -> bool:
    if operator == "!":
        return not values[0]
    return all(values) if operator == "&&" else any(values)


def _computed(operator: str, numbers: list[Any]) -> Value:
    if len(numbers) == 1:
        return -numbers[0]
    if operator in ORDER:
        return ORDER[operator](*numbers)
    if operator in ("/", "%") and numbers[1] == 0:
        raise CallError("division by zero")
    result = ARITHMETIC[operator](*numbers)
    if abs(result) > MAX_NUMBER:
        return TypedUnknown("")
    return int(result) if float(result).is_integer() else result
