"""What an expression is known to be without running Terraform, and whether that fits a type."""

import re
from dataclasses import dataclass
from typing import Any

NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
PRIMITIVES = ("string", "number", "bool")


@dataclass(frozen=True)
class Reference:
    """A value that another object will have: `kind` and `name` of the object, `path` within it, its type if known."""

    text: str
    kind: str
    name: str
    path: tuple[str, ...] = ()
    type: Any = "dynamic"
    """Terraform's type in JSON form; "object" for a whole resource."""


@dataclass(frozen=True)
class Unknown:
    """An expression whose value only Terraform can find; `type` if it is known."""

    text: str
    type: Any = "dynamic"


Value = Any
"""None, bool, int, float, str, list, dict of such, Reference or Unknown."""


def is_known(value: Value) -> bool:
    """Whether nothing in the value waits for Terraform."""
    if isinstance(value, list):
        return all(map(is_known, value))
    if isinstance(value, dict):
        return all(map(is_known, value.values()))
    return not isinstance(value, Reference | Unknown)


def shape(kind: Any) -> str:
    """The word of a type in JSON form: `string`, `list`, `object`, `nested`, `dynamic` ..."""
    return kind if isinstance(kind, str) else str(kind[0])


def misfit(value: Value, kind: Any) -> str | None:
    """Why `value` cannot become the type, or None (https://developer.hashicorp.com/terraform/language/expressions/type-constraints)."""
    wanted = shape(kind)
    if value is None or wanted == "dynamic":
        return None
    if isinstance(value, Reference | Unknown):
        return _shape_misfit(shape(value.type), wanted)
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
    return None


def _shape_misfit(have: str, wanted: str) -> str | None:
    plain, collection = have in PRIMITIVES, have in ("list", "set", "map", "object", "tuple")
    if wanted in PRIMITIVES and collection:
        return f"a {wanted} is required, this is a {have}; name one of its attributes"
    if wanted in ("list", "set", "map", "object") and plain:
        return f"a {wanted} is required, this is a {have}"
    return None


def _primitive_misfit(value: Value, wanted: str) -> str | None:
    if isinstance(value, list | dict):
        return f"a {wanted} is required"
    if wanted == "number" and (isinstance(value, bool) or (isinstance(value, str) and not NUMBER.fullmatch(value))):
        return f"a number is required, not {value!r}"
    if wanted == "bool" and not (isinstance(value, bool) or value in ("true", "false")):
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
    missing = [name for name in kind[1] if name not in value and name not in optional]
    if missing:
        return f"attribute {missing[0]!r} is required"
    return next((why for name, item in value.items() if name in kind[1] and (why := misfit(item, kind[1][name]))), None)


def as_text(value: Value) -> str:
    """How a known primitive reads in a template."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def plain(value: Value) -> Any:
    """The value as JSON data for checks: {"$ref": text} and {"$expr": text} for what is not known."""
    if isinstance(value, Reference):
        return {"$ref": value.text}
    if isinstance(value, Unknown):
        return {"$expr": value.text}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return {key: plain(item) for key, item in value.items()} if isinstance(value, dict) else value
