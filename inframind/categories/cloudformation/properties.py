"""A resource's properties against its schema, with functions in any place."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from inframind.categories.base import Rule
from inframind.categories.cloudformation import catalog, iam_policy, rules
from inframind.categories.cloudformation.functions import LISTS, TEXTS
from inframind.categories.cloudformation.template import NO_VALUE, Path, Template, function
from inframind.categories.shared.formats import newest_known
from inframind.types import Finding

# Digits are bounded: their conversion costs the square of their number.
NUMBER = re.compile(r"\s*[-+]?\d{1,30}(?:\.\d{1,30})?(?:[eE][-+]?\d{1,3})?\s*")
INTEGER = re.compile(r"\s*[-+]?\d{1,30}\s*")
BOOLEANS = frozenset(("true", "false", "yes", "no", "on", "off"))
"""CloudFormation reads YAML 1.1."""
SCALARS = frozenset(("string", "number", "integer", "boolean"))


@dataclass(frozen=True)
class Fault:
    """A fault below a path of the properties."""

    rule: Rule
    path: Path
    message: str


def findings(template: Template, name: str, kind: str, properties: Any) -> Iterator[Finding]:
    """Checks the properties of one resource of a known type."""
    schema = catalog.resource(kind)
    assert schema is not None
    checker = Checker(template, kind, schema)
    for fault in checker.faults(schema, {} if properties is None else properties, ()):
        where = ".".join(map(str, fault.path))
        # SAM fills in properties from Globals before CloudFormation looks at the resource.
        if fault.rule is rules.REQUIRED and not fault.path and "Globals" in template.fields:
            continue
        line = template.line("Resources", name, "Properties", *fault.path) or template.line(
            "Resources", name
        )
        yield fault.rule.finding(f"{name}: {where}{': ' if where else ''}{fault.message}", line)


@lru_cache(maxsize=2048)
def matcher(pattern: str) -> Any:
    """Compiles a pattern to a validator of linear time; None if the pattern needs more."""
    import jsonschema_rs

    try:
        # Templates bring patterns of their own. Rust's regex matches in linear time, where Python's
        # re may take exponential time, and refuses look-around and backreferences.
        return jsonschema_rs.validator_for(
            {"pattern": pattern}, pattern_options=jsonschema_rs.RegexOptions()
        )
    except (ValueError, jsonschema_rs.ValidationError):
        return None


class Checker:
    """Checks values of one resource type."""

    def __init__(self, template: Template, kind: str, schema: dict[str, Any]) -> None:
        self.template = template
        self.kind = kind
        self.definitions: dict[str, Any] = schema.get("definitions", {})
        self.read_only = frozenset(schema.get("readOnly", ()))

    def resolved(self, schema: Any) -> dict[str, Any]:
        """Follows a schema's references to the schema itself."""
        # AWS's schemas may refer in a circle.
        for _ in range(20):
            if not isinstance(schema, dict) or "$ref" not in schema:
                break
            rest = {key: value for key, value in schema.items() if key != "$ref"}
            schema = self.definitions.get(schema["$ref"], {}) | rest
        return schema if isinstance(schema, dict) else {}

    def faults(self, schema: Any, value: Any, path: Path) -> Iterator[Fault]:
        """Checks a value against a schema, whatever its kind."""
        schema = self.resolved(schema)
        kinds = schema.get("type", ())
        types = frozenset([kinds] if isinstance(kinds, str) else kinds)
        call = function(value)
        if call is not None:
            yield from self.call_faults(schema, types, call, path)
            return
        if types and not any(fits(kind, value) for kind in types):
            yield Fault(
                rules.TYPE, path, f"{shown(value)} is not of type {' or '.join(sorted(types))}"
            )
            return
        if isinstance(value, dict):
            yield from self.object_faults(schema, value, path)
        elif isinstance(value, list):
            yield from self.list_faults(schema, value, path)
        else:
            yield from self.scalar_faults(schema, types, value, path)
        yield from self.branch_faults(schema, value, path)

    def call_faults(
        self, schema: Any, types: frozenset[str], call: tuple[str, Any], path: Path
    ) -> Iterator[Fault]:
        """Checks a function that stands in a value's place by what it gives."""
        name, argument = call
        if name == "Fn::If" and isinstance(argument, list) and len(argument) == 3:
            for index in (1, 2):
                yield from self.faults(schema, argument[index], (*path, name, index))
        gives_list = name in LISTS
        gives_text = name in TEXTS
        if name == "Ref" and isinstance(argument, str) and argument != "AWS::NoValue":
            kind = str(self.template.parameters.get(argument, {}).get("Type", ""))
            # CommaDelimitedList, List<...> and AWS::SSM::Parameter::Value<List<...>>.
            gives_list = "List" in kind or argument == "AWS::NotificationARNs"
            gives_text = not gives_list
        if types and gives_list and "array" not in types:
            yield Fault(
                rules.TYPE, path, f"{name} gives a list, and {' or '.join(sorted(types))} is needed"
            )
        elif types and gives_text and not types & SCALARS:
            yield Fault(
                rules.TYPE, path, f"{name} gives a text, and {' or '.join(sorted(types))} is needed"
            )

    def object_faults(self, schema: Any, value: dict[str, Any], path: Path) -> Iterator[Fault]:
        """Checks a mapping's keys, their values, and which keys stand together."""
        properties = schema.get("properties", {})
        patterns = schema.get("patternProperties", {})
        extra = schema.get("additionalProperties", True)
        for key, item in value.items():
            if key in properties:
                yield from self.faults(properties[key], item, (*path, key))
                yield from self.listed_faults(key, item, path)
            # readOnlyProperties: CloudFormation CLI User Guide, resource-type-schema.html.
            elif not path and key in self.read_only:
                yield Fault(rules.PROPERTY, (key,), f"{key} is given by AWS and cannot be set")
            elif matching := [pattern for pattern in patterns if _matches(pattern, key)]:
                yield from self.faults(patterns[matching[0]], item, (*path, key))
            elif extra is False and not key.startswith("Fn::"):
                yield Fault(
                    rules.PROPERTY, (*path, key), f"there is no property {key!r}{hint(properties)}"
                )
            elif isinstance(extra, dict):
                yield from self.faults(extra, item, (*path, key))
            if key in iam_policy.KEYS:
                yield from (
                    Fault(rules.POLICY, (*path, key, *rest), text)
                    for rest, text in iam_policy.errors(self.kind, key, item)
                )
        yield from presence_faults(schema, value, path)

    def listed_faults(self, key: str, item: Any, path: Path) -> Iterator[Fault]:
        """Reports instance types that no region has."""
        allowed = catalog.allowed(self.kind, key) if not path and isinstance(item, str) else None
        if allowed is not None and item not in allowed:
            yield Fault(rules.VALUE, (key,), f"there is no {key} {item!r}")

    def list_faults(self, schema: Any, value: list[Any], path: Path) -> Iterator[Fault]:
        items = schema.get("items")
        for index, item in enumerate(value):
            if isinstance(items, dict):
                yield from self.faults(items, item, (*path, index))
        present = [item for item in value if item != NO_VALUE]
        if len(present) > schema.get("maxItems", len(present)):
            yield Fault(
                rules.VALUE,
                path,
                f"has {len(present)} items, at most {schema['maxItems']} are allowed",
            )
        if len(present) == len(value) < schema.get("minItems", 0):
            yield Fault(
                rules.VALUE,
                path,
                f"has {len(present)} items, at least {schema['minItems']} are needed",
            )

    def scalar_faults(
        self, schema: Any, types: frozenset[str], value: Any, path: Path
    ) -> Iterator[Fault]:
        """Checks one literal: allowed values, ranges, lengths and patterns."""
        text = str(value).lower() if isinstance(value, bool) else str(value)
        allowed = schema.get("enum", [schema["const"]] if "const" in schema else None)
        if allowed is not None and text not in {
            str(a).lower() if isinstance(a, bool) else str(a) for a in allowed
        }:
            yield unlisted(value, [str(item) for item in allowed], path)
        folded = schema.get("enumCaseInsensitive")
        if folded is not None and text.lower() not in {str(item).lower() for item in folded}:
            yield unlisted(value, [str(item) for item in folded], path)
        if types & {"integer", "number"} and NUMBER.fullmatch(text):
            number = float(text)
            if not schema.get("minimum", number) <= number <= schema.get("maximum", number):
                yield Fault(
                    rules.VALUE,
                    path,
                    f"{text} is not from {schema.get('minimum', '')} to "
                    f"{schema.get('maximum', '')}",
                )
        if isinstance(value, str) and "string" in types and "{{resolve:" not in text:
            yield from text_faults(schema, text, path)

    def branch_faults(self, schema: Any, value: Any, path: Path) -> Iterator[Fault]:
        """Checks alternatives: each of `allOf`; of `anyOf` and `oneOf` one is enough."""
        for branch in schema.get("allOf", ()):
            yield from self.faults(branch, value, path)
        for key in ("anyOf", "oneOf"):
            branches = schema.get(key)
            if branches:
                wrong = [list(self.faults(branch, value, path)) for branch in branches]
                if all(wrong):
                    # The alternative with the fewest faults is likely the one that was meant.
                    yield min(wrong, key=len)[0]


def _matches(pattern: str, text: str) -> bool:
    compiled = matcher(pattern)
    return compiled is None or bool(compiled.is_valid(text))


def unlisted(value: Any, allowed: list[str], path: Path) -> Fault:
    """Makes the fault of a value outside its list: wrong, or newer than the schemas."""
    newest = newest_known(value, allowed) if isinstance(value, str) else None
    if newest:
        return Fault(
            rules.NEWER,
            path,
            f"{shown(value)} is newer than the schemas here, whose newest is {newest}: not "
            "verified",
        )
    return Fault(rules.VALUE, path, f"{shown(value)} is not one of {', '.join(allowed)[:250]}")


def text_faults(schema: Any, text: str, path: Path) -> Iterator[Fault]:
    """Checks the length and the pattern of a literal text."""
    if not schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", len(text)):
        low, high = schema.get("minLength", 0), schema.get("maxLength", "")
        yield Fault(rules.VALUE, path, f"has {len(text)} characters, {low} to {high} are allowed")
    elif "pattern" in schema and len(text) <= 2_000 and not _matches(schema["pattern"], text):
        yield Fault(rules.VALUE, path, f"{shown(text)} does not match {schema['pattern'][:120]}")


def presence_faults(schema: Any, value: dict[str, Any], path: Path) -> Iterator[Fault]:
    """Checks required properties and those that exclude or need one another.

    A property that a condition may take away excludes nothing.
    """
    if any(key.startswith("Fn::") for key in value):
        return
    present = {key for key, item in value.items() if item != NO_VALUE}
    sure = {key for key in present if not may_vanish(value[key])}
    missing = [key for key in schema.get("required", ()) if key not in present]
    if missing:
        yield Fault(rules.REQUIRED, path, f"{', '.join(missing)} must be given")
    # This keyword, requiredOr, dependentExcluded and enumCaseInsensitive are cfn-lint's own.
    for group in _groups(schema.get("requiredXor")):
        if not present & set(group) or len(sure & set(group)) > 1:
            yield Fault(rules.COMBINATION, path, f"exactly one of {', '.join(group)} must be given")
    for group in _groups(schema.get("requiredOr")):
        if not present & set(group):
            yield Fault(rules.COMBINATION, path, f"one of {', '.join(group)} must be given")
    for key, others in schema.get("dependentRequired", {}).items():
        if key in sure and not set(others) <= present:
            yield Fault(rules.COMBINATION, (*path, key), f"{key} needs {', '.join(others)}")
    for key, others in schema.get("dependentExcluded", {}).items():
        both = sorted(sure & set(others)) if key in sure else []
        if both and key < both[0]:
            yield Fault(rules.COMBINATION, (*path, key), f"{key} and {both[0]} exclude one another")


def _groups(value: Any) -> list[list[str]]:
    groups = list(value or ())
    return [groups] if groups and isinstance(groups[0], str) else groups


def may_vanish(value: Any) -> bool:
    """Tells whether a condition can make the property absent."""
    call = function(value)
    return (
        call is not None
        and call[0] == "Fn::If"
        and isinstance(call[1], list)
        and NO_VALUE in call[1]
    )


def shown(value: Any) -> str:
    """Writes a value for a message, cut to 60 characters."""
    return repr(value)[:60]


def hint(properties: dict[str, Any]) -> str:
    """Names the properties that a message can offer instead."""
    return (
        f"; there are {', '.join(sorted(properties)[:10])}{' ...' if len(properties) > 10 else ''}"
        if properties
        else ""
    )


def fits(kind: str, value: Any) -> bool:
    """Tells whether CloudFormation takes the literal for the type.

    Texts and numbers stand for one another.
    """
    if value is None or isinstance(value, dict | list):
        return (
            (kind == "object" and isinstance(value, dict))
            or (kind == "array" and isinstance(value, list))
            or (kind == "null" and value is None)
        )
    text = str(value)
    match kind:
        case "string":
            return True
        case "boolean":
            return isinstance(value, bool) or text.lower() in BOOLEANS
        case "integer":
            return not isinstance(value, bool) and (
                INTEGER.fullmatch(text) is not None
                or (isinstance(value, float) and value.is_integer())
            )
        case "number":
            return not isinstance(value, bool) and NUMBER.fullmatch(text) is not None
    return False
