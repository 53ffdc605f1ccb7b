"""Terraform's rules for the conversion of a value to a type
(https://developer.hashicorp.com/terraform/language/expressions/types).
"""

import re
from typing import Any

from inframind.categories.terraform.provider import REQUIRED
from inframind.categories.terraform.values import (
    SetValue,
    TypedUnknown,
    Value,
    is_bare,
    shape,
    type_of,
)

NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
PRIMITIVES = ("string", "number", "bool")
SEQUENCES = ("list", "set", "tuple")
MAPPINGS = ("map", "object")


def misfit(value: Value, kind: Any) -> str | None:
    """Says why `value` cannot become the type; None if it can.

    References may become anything, as for `terraform validate`.
    """
    wanted = shape(kind)
    if value is None or wanted == "dynamic":
        return None
    if is_bare(value):
        return type_misfit(value.type, kind) if isinstance(value, TypedUnknown) else None
    if wanted in PRIMITIVES:
        return _primitive_misfit(value, wanted)
    if wanted in ("list", "set"):
        return _sequence_misfit(value, wanted, kind[1])
    if wanted == "map":
        if not isinstance(value, dict):
            return "a map is required: { key = value }"
        return next((why for item in value.values() if (why := misfit(item, kind[1]))), None)
    if wanted == "object":
        return _object_misfit(value, kind)
    if wanted == "nested":
        return _nested_misfit(value, kind)
    return type_misfit(type_of(value), kind)


def _primitive_misfit(value: Value, wanted: str) -> str | None:
    if isinstance(value, list | dict):
        return f"a {wanted} is required"
    if wanted == "number" and (
        isinstance(value, bool) or (isinstance(value, str) and not NUMBER.fullmatch(value))
    ):
        return f"a number is required, not {value!r}"
    # cty converts "1" and "0" to bool beside "true" and "false", and no number.
    if wanted == "bool" and not (
        isinstance(value, bool) or (isinstance(value, str) and value in ("true", "false", "1", "0"))
    ):
        return f"true or false is required, not {value!r}"
    return None


def _sequence_misfit(value: Value, wanted: str, item: Any) -> str | None:
    if not isinstance(value, list):
        return f"a {wanted} is required: [ ... ]"
    return next((why for element in value if (why := misfit(element, item))), None)


def _object_misfit(value: Value, kind: Any) -> str | None:
    if not isinstance(value, dict):
        return "an object is required"
    optional = kind[2] if len(kind) > 2 else []
    # Attributes that the type does not have are discarded: expressions/type-constraints, object.
    missing = [name for name in kind[1] if name not in value and name not in optional]
    if missing:
        return f"attribute {missing[0]!r} is required"
    return next(
        (
            why
            for name, item in value.items()
            if name in kind[1] and (why := misfit(item, kind[1][name]))
        ),
        None,
    )


def _nested_misfit(value: Value, kind: Any) -> str | None:
    mode, attributes = kind[1], kind[2]
    if mode == "single":
        return _member_misfit(value, attributes)
    if mode == "map":
        if not isinstance(value, dict):
            return "a map of objects is required"
        members = list(value.values())
    elif not isinstance(value, list):
        return f"a {mode} of objects is required: [{{ ... }}]"
    else:
        members = list(value)
    return next((why for member in members if (why := _member_misfit(member, attributes))), None)


def _member_misfit(value: Value, attributes: dict[str, Any]) -> str | None:
    """Says why a value is no object of a nested attribute; None if it is.

    Flags of the schema say which of its attributes are required, as in a block.
    """
    if value is None or is_bare(value):
        return None
    if not isinstance(value, dict):
        return "an object is required: { ... }"
    for name, (flags, kind) in attributes.items():
        if name not in value:
            if flags & REQUIRED:
                return f"attribute {name!r} is required"
        elif why := misfit(value[name], kind):
            return f"{name}: {why}"
    return None


def type_misfit(have: Any, kind: Any) -> str | None:
    """Says why no value of the type `have` can become one of `kind`; None if one may."""
    offered, wanted = shape(have), shape(kind)
    if offered == "dynamic" or wanted == "dynamic":
        return None
    if wanted in PRIMITIVES:
        # Numbers and bools convert to texts and back, but not to one another: expressions/types.
        fits = offered in PRIMITIVES and {offered, wanted} != {"bool", "number"}
        return None if fits else f"a {wanted} is required, this is a {offered}"
    if isinstance(have, str):
        return f"a {wanted} is required, this is a {offered}"
    if wanted in ("list", "set"):
        if offered not in SEQUENCES:
            return f"a {wanted} is required, this is a {offered}"
        items = have[1] if offered == "tuple" else [have[1]]
        return next((why for item in items if (why := type_misfit(item, kind[1]))), None)
    if wanted == "map":
        if offered not in MAPPINGS:
            return f"a map is required, this is a {offered}"
        items = have[1].values() if offered == "object" else [have[1]]
        return next((why for item in items if (why := type_misfit(item, kind[1]))), None)
    return _object_type_misfit(have, kind) if wanted == "object" else None


def _object_type_misfit(have: Any, kind: Any) -> str | None:
    if shape(have) not in MAPPINGS:
        return f"an object is required, this is a {shape(have)}"
    # The keys of a map are known only with its value.
    if have[0] == "map":
        return None
    optional = kind[2] if len(kind) > 2 else []
    for name, inner in kind[1].items():
        if name not in have[1]:
            if name not in optional:
                return f"attribute {name!r} is required"
        elif why := type_misfit(have[1][name], inner):
            return why
    return None


def common_type_misfit(left: Value, right: Value) -> str | None:
    """Says why two results of a conditional have no type in common; None if they may."""
    return _unify(type_of(left), type_of(right)) if left is not None and right is not None else None


def _unify(left: Any, right: Any) -> str | None:
    first, second = shape(left), shape(right)
    if "dynamic" in (first, second):
        return None
    if first in PRIMITIVES and second in PRIMITIVES:
        return f"{first} and {second}" if {first, second} == {"bool", "number"} else None
    same_family = any(first in family and second in family for family in (SEQUENCES, MAPPINGS))
    if not same_family:
        return f"{first} and {second}"
    if first == second == "object":
        shared = left[1].keys() & right[1].keys()
        return next(
            (why for name in sorted(shared) if (why := _unify(left[1][name], right[1][name]))), None
        )
    return None


def as_set(value: Value) -> Value:
    """Makes a set of a known list, as `toset` does; any other value stays."""
    if not isinstance(value, list):
        return value
    members = SetValue()
    members.extend(item for index, item in enumerate(value) if item not in value[:index])
    return members
