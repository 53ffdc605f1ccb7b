"""Intent checks from a right answer: what of it the instruction states. Runs in a sandboxed worker."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from inframind.categories import category
from inframind.categories.base import Configuration, ParseError, Resource
from inframind.types import Check, Json

MAX_CHECKS, MAX_LEAVES, MAX_DEPTH = 24, 500, 8
PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def derive_json(payload: str) -> str:
    """The pool's call: `{"category", "text", "instruction"}` to a list of checks; `[]` if the text is not valid."""
    given = json.loads(payload)
    kind = category(given["category"])
    try:
        document = kind.parse(given["text"])
    except ParseError:
        return "[]"
    if any(
        finding.severity in ("error", "unsupported")
        for finding in (*kind.schema(document), *kind.references(document))
    ):
        return "[]"
    checks = derive(given["instruction"], kind.effective(document))
    return json.dumps([check.model_dump(mode="json", exclude_defaults=True) for check in checks])


def derive(instruction: str, configuration: Configuration) -> list[Check]:
    """For each object its kind, and its name and values where the instruction states them."""
    checks: dict[str, Check] = {}
    for resource in configuration.resources:
        named = is_stated(resource.name, instruction)
        selector: dict[str, Any] = {"kind": resource.kind} | (
            {"name": resource.name} if named else {}
        )
        found = [Check(op="exists", gate=True, **selector)]
        for path, value in leaves(resource):
            if value != resource.name and is_stated(value, instruction):
                op = "contains" if "[]" in path else "equals"
                found.append(Check(op=op, path=path, value=value, **selector))
        for check in found:
            checks.setdefault(check.model_dump_json(), check)
    return list(checks.values())[:MAX_CHECKS]


def is_stated(value: Json, instruction: str) -> bool:
    """Whether the value stands in the instruction as a word of its own. Truth values and single characters never count."""
    text = "" if isinstance(value, bool) or value is None else str(value)
    return (
        len(text) > 1
        and re.search(rf"(?<![\w-]){re.escape(text)}(?![\w-])", instruction) is not None
    )


def leaves(resource: Resource) -> list[tuple[str, Json]]:
    """JMESPath and value of every scalar of the object; `[]` where a list is passed through."""
    found = []
    for leaf in _walk(resource.fields, "", 0):
        found.append(leaf)
        if len(found) == MAX_LEAVES:
            break
    return found


def _walk(value: Json, path: str, depth: int) -> Iterator[tuple[str, Json]]:
    if depth > MAX_DEPTH:
        return
    if isinstance(value, Mapping):
        for key, inner in value.items():
            step = key if PLAIN_KEY.match(key) else json.dumps(key)
            yield from _walk(inner, f"{path}.{step}" if path else step, depth + 1)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for inner in value:
            yield from _walk(inner, f"{path}[]", depth + 1)
    elif path:
        yield path, value
