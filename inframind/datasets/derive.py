"""Derives intent checks from a right answer: what of it the instruction states.

Runs in a sandboxed worker, as the answer is somebody's text.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from inframind.categories import category
from inframind.categories.base import Configuration, ParseError, Resource
from inframind.types import Check, Json

MAX_CHECKS, MAX_LEAVES, MAX_DEPTH = 24, 500, 8
PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def derive_json(payload: str) -> str:
    """Derives checks from `{"category", "text", "instruction"}`, the calling form of the pool.

    Returns a JSON list, which is empty if the text is not valid.
    """
    call = json.loads(payload)
    kind = category(call["category"])
    try:
        document = kind.parse(call["text"])
    except ParseError:
        return "[]"
    if any(
        finding.severity in ("error", "unsupported")
        for finding in (*kind.schema(document), *kind.references(document))
    ):
        return "[]"
    checks = derive(call["instruction"], kind.effective(document))
    return json.dumps([check.model_dump(mode="json", exclude_defaults=True) for check in checks])


def derive(instruction: str, configuration: Configuration) -> list[Check]:
    """Checks each object's kind, and its name and values where the instruction states them."""
    checks: dict[str, Check] = {}
    for resource in configuration.resources:
        named = is_stated(resource.name, instruction)
        selector: dict[str, Any] = {"kind": resource.kind} | (
            {"name": resource.name} if named else {}
        )
        # The gate: values of an object that is not there would earn a share.
        derived = [Check(op="exists", gate=True, **selector)]
        for path, value in leaves(resource):
            if value != resource.name and is_stated(value, instruction):
                # Through a list the path gives all its values: the stated one is among them.
                op = "contains" if "[]" in path else "equals"
                derived.append(Check(op=op, path=path, value=value, **selector))
        for check in derived:
            checks.setdefault(check.model_dump_json(), check)
    return list(checks.values())[:MAX_CHECKS]


def is_stated(value: Json, instruction: str) -> bool:
    """Tells a value that stands in the instruction as a word of its own.

    Truth values and single characters never count: they stand in every text.
    """
    text = "" if isinstance(value, bool) or value is None else str(value)
    return (
        len(text) > 1
        and re.search(rf"(?<![\w-]){re.escape(text)}(?![\w-])", instruction) is not None
    )


def leaves(resource: Resource) -> list[tuple[str, Json]]:
    """Lists JMESPath and value of the object's scalars; `[]` where a list is passed through."""
    return list(islice(_walk(resource.fields, "", 0), MAX_LEAVES))


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
