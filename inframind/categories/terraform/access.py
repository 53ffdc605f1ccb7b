"""Attribute access, indexing and splats on values: `.name`, `[0]`, `["key"]`, `[*]`."""

from typing import Any

from inframind.categories.terraform.fit import NUMBER, PRIMITIVES
from inframind.categories.terraform.values import (
    Reference,
    SetValue,
    TypedUnknown,
    Value,
    as_text,
    is_bare,
    shape,
)


class AccessError(Exception):
    """There is nothing at that attribute or index."""


def access(value: Value, steps: list[tuple[str, Any]], text: str) -> Value:
    """Follows the steps from a value to what stands at their end.

    Raises AccessError where Terraform's evaluation fails.
    """
    for position, (step, name) in enumerate(steps):
        # A step into cty's DynamicVal gives DynamicVal again, whatever the step.
        if isinstance(value, Reference) or (
            isinstance(value, TypedUnknown) and value.type == "dynamic"
        ):
            return TypedUnknown(text)
        if step == "splat":
            return _splat(value, steps[position + 1 :], text)
        if value is None:
            raise AccessError(f"{text}: the value is null")
        value = _attribute(value, name, text) if step == "attr" else _index(value, name, text)
    return value


def _splat(value: Value, rest: list[tuple[str, Any]], text: str) -> Value:
    if value is None:
        return []
    if isinstance(value, TypedUnknown):
        return TypedUnknown(text, ["list", "dynamic"])
    # A splat of one value that is no list treats it as a list of one, of null as an empty list:
    # https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md#splat-operators
    return [access(item, rest, text) for item in (value if isinstance(value, list) else [value])]


def _attribute(value: Value, name: str, text: str) -> Value:
    if isinstance(value, TypedUnknown):
        return TypedUnknown(text, _attribute_type(value.type, name, text))
    if isinstance(value, dict):
        if name not in value:
            raise AccessError(f"{text}: the object has no attribute {name!r}")
        return value[name]
    raise AccessError(
        f"{text}: a {'list' if isinstance(value, list) else 'primitive value'} has no attribute "
        f"{name!r}"
    )


def _attribute_type(kind: Any, name: str, text: str) -> Any:
    word = shape(kind)
    if word == "map":
        return kind[1]
    if word == "object":
        if name not in kind[1]:
            raise AccessError(f"{text}: the object has no attribute {name!r}")
        return kind[1][name]
    if word in ("list", "set", "tuple", *PRIMITIVES):
        raise AccessError(f"{text}: a {word} has no attribute {name!r}")
    return "dynamic"


def _index(value: Value, key: Value, text: str) -> Value:
    if isinstance(value, TypedUnknown):
        return TypedUnknown(text, _index_type(value.type, key, text))
    # "Elements of sets are identified only by their values": expressions/types.
    if isinstance(value, SetValue) or not isinstance(value, list | dict):
        raise AccessError(f"{text}: the value has no index")
    if is_bare(key):
        return TypedUnknown(text)
    if isinstance(value, dict):
        if as_text(key) not in value:
            raise AccessError(f"{text}: the object has no element {as_text(key)!r}")
        return value[as_text(key)]
    # HCL converts the key: list["0"] is list[0].
    if isinstance(key, str) and not NUMBER.fullmatch(key):
        raise AccessError(f"{text}: a number is required as index, not {key!r}")
    place = float(key) if isinstance(key, str | int | float) else -1.0
    if not place.is_integer() or not 0 <= place < len(value):
        raise AccessError(f"{text}: the list has {len(value)} elements")
    return value[int(place)]


def _index_type(kind: Any, key: Value, text: str) -> Any:
    word = shape(kind)
    if word == "set" or word in PRIMITIVES:
        raise AccessError(f"{text}: a {word} has no index")
    if word == "list" and isinstance(key, str) and not NUMBER.fullmatch(key):
        raise AccessError(f"{text}: a number is required as index, not {key!r}")
    if word == "object" and isinstance(key, str) and key not in kind[1]:
        raise AccessError(f"{text}: the object has no element {key!r}")
    if word in ("list", "map"):
        return kind[1]
    return kind[1][key] if word == "object" and isinstance(key, str) else "dynamic"
