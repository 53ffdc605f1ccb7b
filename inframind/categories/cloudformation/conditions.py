"""Conditions: true, false, or open, over what the parameters allow."""

from itertools import product
from typing import Any

from inframind.categories.cloudformation.template import Template, function

MAX_CASES = 256
MAX_DEPTH = 30
OPEN = object()
"""A value that only a deployment knows."""


def text(value: Any) -> str:
    """Writes a literal as CloudFormation compares it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def can_hold(template: Template, name: str) -> bool:
    """Tells whether some choice of the parameters' allowed values makes the condition true."""
    if name not in template.conditions:
        return True
    choices = {
        key: [text(value) for value in entry["AllowedValues"]]
        for key, entry in template.parameters.items()
        if isinstance(entry.get("AllowedValues"), list) and entry["AllowedValues"]
    }
    # A parameter left out is open, so what hangs on it may still be true.
    while choices and _size(choices) > MAX_CASES:
        choices.pop(max(choices, key=lambda key: len(choices[key])))
    cases = (dict(zip(choices, values, strict=True)) for values in product(*choices.values()))
    return any(holds(template, {"Condition": name}, case) is not False for case in cases)


def _size(choices: dict[str, list[str]]) -> int:
    size = 1
    for values in choices.values():
        size *= len(values)
    return size


def holds(template: Template, value: Any, case: dict[str, str], depth: int = 0) -> bool | None:
    """Decides a condition function for one choice of parameters; None if it is open."""
    call = function(value)
    if call is None or depth > MAX_DEPTH:
        return None
    name, argument = call
    if name == "Condition":
        return (
            holds(template, template.conditions.get(argument), case, depth + 1)
            if isinstance(argument, str)
            else None
        )
    if not isinstance(argument, list):
        return None
    if name == "Fn::Equals" and len(argument) == 2:
        left, right = (literal(template, item, case) for item in argument)
        return None if left is OPEN or right is OPEN else left == right
    inner = [holds(template, item, case, depth + 1) for item in argument]
    if name == "Fn::Not" and len(inner) == 1:
        return None if inner[0] is None else not inner[0]
    if name in ("Fn::And", "Fn::Or"):
        # One side may decide alone: true in Fn::Or, false in Fn::And.
        stops = name == "Fn::Or"
        return stops if stops in inner else None if None in inner else not stops
    return None


def literal(template: Template, value: Any, case: dict[str, str]) -> Any:
    """Resolves a literal, a chosen parameter or a value in a mapping to its text, else OPEN."""
    call = function(value)
    if call is None:
        return OPEN if isinstance(value, dict | list) or value is None else text(value)
    name, argument = call
    if name == "Ref" and isinstance(argument, str):
        return case.get(argument, OPEN)
    if name == "Fn::FindInMap" and isinstance(argument, list) and len(argument) == 3:
        keys = [literal(template, item, case) for item in argument]
        node: Any = template.section("Mappings")
        for key in keys:
            node = node.get(key, OPEN) if isinstance(node, dict) and key is not OPEN else OPEN
        return OPEN if isinstance(node, dict | list) or node is OPEN else text(node)
    return OPEN
