"""Intrinsic functions: the form of their arguments, and the kind of their results."""

from collections.abc import Callable, Iterator
from typing import Any

from inframind.categories.cloudformation import rules
from inframind.categories.cloudformation.loops import LOOP
from inframind.categories.cloudformation.template import (
    EXTENSIONS,
    Path,
    Template,
    function,
    substitutions,
    walk,
)
from inframind.types import Finding

LISTS = frozenset(("Fn::GetAZs", "Fn::Split", "Fn::Cidr"))
TEXTS = frozenset(("Fn::Join", "Fn::Sub", "Fn::Base64", "Fn::ToJsonString"))
CONDITIONS = frozenset(("Fn::And", "Fn::Or", "Fn::Not", "Fn::Equals", "Condition"))
# Lists of 2 to 10 conditions: intrinsic-function-reference-conditions.html.
SIZES = {
    "Fn::FindInMap": (3, 3),
    "Fn::If": (3, 3),
    "Fn::Join": (2, 2),
    "Fn::Select": (2, 2),
    "Fn::Split": (2, 2),
    "Fn::Cidr": (2, 3),
    "Fn::Equals": (2, 2),
    "Fn::Not": (1, 1),
    "Fn::And": (2, 10),
    "Fn::Or": (2, 10),
}
# Functions, and `DefaultValue` of Fn::FindInMap, that AWS::LanguageExtensions adds:
# transform-aws-languageextensions.html.
NEED_EXTENSION = frozenset(("Fn::Length", "Fn::ToJsonString"))
# Rule-specific functions: rules-section-structure.html.
RULE_FUNCTIONS = frozenset(
    f"Fn::{n}"
    for n in ("Contains", "EachMemberEquals", "EachMemberIn", "RefAll", "ValueOf", "ValueOfAll")
)


def form_findings(template: Template, value: Any, path: Path) -> Iterator[Finding]:
    """Reports functions in the value whose arguments do not have their form."""
    for name, argument, inner in walk(value):
        here = (*path, *inner)
        error = form_error(name, argument, is_extended=template.is_extended)
        if error:
            yield rules.FUNCTION.finding(f"{name}: {error}", template.line(*here))


def form_error(name: str, argument: Any, *, is_extended: bool = False) -> str | None:
    """Says why a call's arguments do not have its form; None if they do."""
    if (name in NEED_EXTENSION or name.startswith(LOOP)) and not is_extended:
        return f"needs Transform: {EXTENSIONS}"
    if name.startswith(LOOP) or (
        name == "Fn::FindInMap" and is_extended and _has_default(argument)
    ):
        return None
    if name in RULE_FUNCTIONS:
        return "stands only in the section Rules"
    if name in SIZES:
        low, high = SIZES[name]
        if not isinstance(argument, list) or not low <= len(argument) <= high:
            return f"takes a list of {low if low == high else f'{low} to {high}'} arguments"
    return _argument_error(name, argument)


def is_text(value: Any) -> bool:
    """Tells whether the value is a text, or a function that may give one."""
    return isinstance(value, str) or function(value) is not None


def is_list(value: Any) -> bool:
    """Tells whether the value is a list, or a function that may give one."""
    return isinstance(value, list) or function(value) is not None


def _is_attribute(argument: Any) -> bool:
    return (
        isinstance(argument, list)
        and len(argument) >= 2
        and isinstance(argument[0], str)
        # "For the Fn::GetAtt attribute name, you can use the Ref function."
        and is_text(argument[1])
    )


def _has_default(argument: Any) -> bool:
    last = argument[3] if isinstance(argument, list) and len(argument) == 4 else None
    return isinstance(last, dict) and set(last) == {"DefaultValue"}


def _are_conditions(arguments: list[Any]) -> bool:
    return all((call := function(item)) is not None and call[0] in CONDITIONS for item in arguments)


FORMS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "Ref": (lambda a: isinstance(a, str), "takes a name"),
    "Condition": (lambda a: isinstance(a, str), "takes a name"),
    "Fn::GetAtt": (_is_attribute, "takes a resource and an attribute"),
    "Fn::Sub": (
        lambda a: isinstance(a, str | list),
        "takes a text, or a text and a mapping of variables",
    ),
    "Fn::Join": (
        lambda a: isinstance(a[0], str) and is_list(a[1]),
        "takes a delimiter and a list of texts",
    ),
    "Fn::Select": (lambda a: is_index(a[0]) and is_list(a[1]), "takes an index and a list"),
    "Fn::Split": (
        lambda a: isinstance(a[0], str) and bool(a[0]) and is_text(a[1]),
        "takes a delimiter and a text",
    ),
    "Fn::If": (lambda a: isinstance(a[0], str), "takes the name of a condition first"),
    "Fn::Base64": (is_text, "takes a text"),
    "Fn::ImportValue": (is_text, "takes a text"),
    "Fn::GetAZs": (is_text, "takes a region"),
    "Fn::Cidr": (lambda a: is_text(a[0]), "takes a network, a count and bits"),
    "Fn::FindInMap": (
        lambda a: all(isinstance(i, int) or is_text(i) for i in a),
        "takes the names of a mapping and of two keys",
    ),
    "Fn::Length": (is_list, "takes a list"),
    "Fn::ToJsonString": (lambda a: isinstance(a, dict | list), "takes a mapping or a list"),
    "Fn::And": (_are_conditions, "takes conditions"),
    "Fn::Or": (_are_conditions, "takes conditions"),
    "Fn::Not": (_are_conditions, "takes a condition"),
    "Fn::Equals": (
        lambda a: not any(isinstance(i, dict) and function(i) is None for i in a),
        "compares texts",
    ),
}


def is_index(value: Any) -> bool:
    """Tells whether the value is a number of at most five digits, or a function."""
    literal = isinstance(value, int | str) and not isinstance(value, bool)
    return function(value) is not None or (
        literal and str(value).isdecimal() and len(str(value)) < 6
    )


def _argument_error(name: str, argument: Any) -> str | None:
    if name not in FORMS:
        return "there is no such function"
    fits, error = FORMS[name]
    if not fits(argument):
        return error
    if name == "Fn::Sub":
        return _sub_error(argument)
    if name == "Fn::Join":
        return _join_error(argument[1])
    if name == "Fn::Select" and isinstance(argument[1], list) and not isinstance(argument[0], dict):
        return None if int(argument[0]) < len(argument[1]) else f"there is no element {argument[0]}"
    return None


def _sub_error(argument: Any) -> str | None:
    if isinstance(argument, str):
        return None
    good = (
        isinstance(argument, list)
        and len(argument) == 2
        and isinstance(argument[0], str)
        and isinstance(argument[1], dict)
    )
    if not good:
        return "takes a text, or a text and a mapping of variables"
    _, variables, _ = substitutions(argument)
    wrong = [
        key
        for key, value in variables.items()
        if isinstance(value, dict | list) and function(value) is None
    ]
    return f"the variable {wrong[0]!r} is no text" if wrong else None


def _join_error(values: Any) -> str | None:
    call = function(values)
    if call and call[0] in TEXTS:
        return f"joins a list, not the text that {call[0]} gives"
    wrong = isinstance(values, list) and any(
        isinstance(v, list) or (isinstance(v, dict) and function(v) is None) for v in values
    )
    return "joins texts" if wrong else None
