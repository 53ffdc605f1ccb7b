"""Values of expressions as far as they are known without running Terraform."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MAX_WEIGHT = 4000
"""Parts of a value that is kept: a hostile file doubles a local's value with each local."""


@dataclass(frozen=True)
class Reference:
    """A value that another object will have: `kind` and `name` of the object, `path` within it, its
    type if known.
    """

    text: str
    kind: str
    name: str
    path: tuple[str, ...] = ()
    type: Any = "dynamic"
    """Terraform's type in JSON form; "object" for a whole resource.

    `terraform validate` does not look at it.
    """


@dataclass(frozen=True)
class TypedUnknown:
    """An expression whose value only Terraform can find; its `type` may be known before."""

    text: str
    type: Any = "dynamic"


class SetValue(list[Any]):
    """A known set: no index, and fit for for_each."""


Value = Any
"""None, bool, int, float, str, list, SetValue, dict of such, Reference or TypedUnknown."""


def is_known(value: Value) -> bool:
    """Tells whether nothing in the value waits for Terraform."""
    if isinstance(value, list):
        return all(map(is_known, value))
    if isinstance(value, dict):
        return all(map(is_known, value.values()))
    return not isinstance(value, Reference | TypedUnknown)


def is_bare(value: Value) -> bool:
    """Tells whether nothing is known of the value's parts: a reference, or unknown as a whole."""
    return isinstance(value, Reference | TypedUnknown)


def type_of(value: Value) -> Any:
    """Names a value's type in JSON form as `terraform validate` sees it: references are dynamic."""
    if isinstance(value, bool):
        # Asked before the numbers: a bool of Python is an int.
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, SetValue):
        return ["set", "dynamic"]
    if isinstance(value, list):
        return ["tuple", [type_of(item) for item in value]]
    if isinstance(value, dict):
        return ["object", {key: type_of(item) for key, item in value.items()}]
    return value.type if isinstance(value, TypedUnknown) else "dynamic"


def shape(kind: Any) -> str:
    """Names the word of a type in JSON form: `string`, `list`, `object`, `nested`, `dynamic` ..."""
    return kind if isinstance(kind, str) else str(kind[0])


def weight(value: Value, limit: int = MAX_WEIGHT) -> int:
    """Counts a value's parts, texts by their length; counting stops beyond the limit."""
    if isinstance(value, str):
        return 1 + len(value) // 64
    if not isinstance(value, list | dict):
        return 1
    total = 1
    for item in value.values() if isinstance(value, dict) else value:
        total += weight(item, limit - total)
        if total > limit:
            return total
    return total


def references_in(value: Value) -> Iterator[Reference]:
    """Yields all references in a value."""
    if isinstance(value, Reference):
        yield value
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from references_in(item)


def as_text(value: Value) -> str:
    """Writes a known primitive as it reads in a template."""
    if isinstance(value, bool):
        return "true" if value else "false"
    # Terraform has one type of number, and writes 1.0 as 1.
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def decoded(text: str) -> Value:
    """Decodes the object or list that a JSON text holds, else the text itself."""
    if text.lstrip()[:1] in ("{", "["):
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            return text
        return data if isinstance(data, dict | list) else text
    return text


def plain(value: Value) -> Any:
    """Converts a value to JSON data for checks: {"$ref": text} and {"$expr": text} for what is not
    known.
    """
    if isinstance(value, Reference):
        return {"$ref": value.text}
    if isinstance(value, TypedUnknown):
        return {"$expr": value.text}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value
