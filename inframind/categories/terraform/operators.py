"""Operators on values.

https://developer.hashicorp.com/terraform/language/expressions/operators
"""

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
# Terraform counts with 512 bits, Python's floats are exact up to 2**53, about 9e15.
MAX_NUMBER = 1e15
FAMILY: tuple[tuple[Any, Any], ...] = (
    ("string", str),
    ("number", (int, float)),
    (["tuple", []], list),
    (["map", "dynamic"], dict),
)
"""Type of a value that is one of two, by the Python type of both."""


def result_type(operator: str) -> str:
    """Names the type of every result of the operator."""
    return "number" if operator in ARITHMETIC else "bool"


def apply(operator: str, values: list[Value]) -> Value:
    """Applies an operator to one or two values; TypedUnknown where one of them is unknown.

    Raises CallError for operands of a wrong type.
    """
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
    """Decides what one side decides alone: `false && x` is false, `true || x` true."""
    decided = {str(value).lower() for value in values if isinstance(value, bool | str)}
    if operator == "&&" and "false" in decided:
        return False
    return True if operator == "||" and "true" in decided else TypedUnknown("")


def _same(left: Value, right: Value) -> bool:
    # In Python True == 1; in Terraform values of different types are never equal.
    return isinstance(left, bool) is isinstance(right, bool) and bool(left == right)


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
