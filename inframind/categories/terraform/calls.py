"""Function calls: whether the function exists, whether the arguments fit its signature, and what it
gives.
"""

from typing import Any

from inframind.categories.terraform.fit import misfit
from inframind.categories.terraform.functions import PURE, SHAPES, CallError
from inframind.categories.terraform.module import Module
from inframind.categories.terraform.provider import functions, provider
from inframind.categories.terraform.values import TypedUnknown, Value, is_known, shape, type_of

RESULT: dict[str, Any] = {
    "length": "number",
    "contains": "bool",
    "keys": ["list", "string"],
    "templatefile": "string",
}
"""Results that the signature calls dynamic but that are always of one type."""


class NotVerifiedError(Exception):
    """A function of a provider whose functions are not known here."""


def called(name: str, values: list[Value], text: str, module: Module) -> Value:
    """Evaluates a call.

    Raises LookupError if there is no such function, NotVerifiedError if that is not known,
    CallError if the arguments do not fit.
    """
    # Since Terraform 1.8 the built-in functions have a namespace too, beside those of providers.
    name = name.removeprefix("core::")
    if "::" in name:
        _provider_function(name, module)
        return TypedUnknown(text)
    signature = functions().get(name)
    if signature is None:
        raise LookupError(f"there is no function {name!r}")
    parameters, more, result = signature
    if len(values) < len(parameters) or (len(values) > len(parameters) and more is None):
        raise CallError(f"takes {len(parameters)} arguments, not {len(values)}")
    for value, (kind, nullable) in zip(
        values, [*parameters, *[more] * (len(values) - len(parameters))], strict=True
    ):
        if value is None and not nullable:
            raise CallError("an argument is null")
        why = misfit(value, kind)
        if why:
            raise CallError(why)
    _shape(name, values)
    unknown = TypedUnknown(text, RESULT.get(name, result))
    return (
        _result(name, values, unknown) if name in PURE and all(map(is_known, values)) else unknown
    )


def _provider_function(name: str, module: Module) -> None:
    # provider::LOCAL_NAME::FUNCTION; the local name comes from required_providers:
    # https://developer.hashicorp.com/terraform/language/functions#provider-defined-functions
    parts = name.split("::")
    source = module.sources.get(parts[1], "") if len(parts) == 3 and parts[0] == "provider" else ""
    known_provider = provider(source) if source else None
    names = known_provider.functions if known_provider else None
    if source and names is None:
        raise NotVerifiedError(f"functions of the provider {source} are not verified")
    if names is None or parts[-1] not in names:
        raise LookupError(
            f"there is no function {name!r}: declare its provider in required_providers"
        )


def _shape(name: str, values: list[Value]) -> None:
    position, shapes = SHAPES.get(name, (0, ()))
    # These two take any number of arguments, all of one of the shapes.
    for value in values if name in ("concat", "merge") else values[position : position + 1]:
        word = shape(type_of(value))
        if shapes and value is not None and word not in ("dynamic", *shapes):
            raise CallError(f"needs {' or '.join(shapes)}, not {word}")


def _result(name: str, values: list[Value], unknown: TypedUnknown) -> Value:
    try:
        return PURE[name](*values)
    except (LookupError, TypeError, AttributeError, ValueError, OverflowError):
        return unknown
