"""JSON Schema data: compressed, loaded at first use, compiled per definition."""

import gzip
import json
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema_rs

from inframind.categories.shared.rules import FieldRules
from inframind.categories.shared.yaml import line_of
from inframind.types import Finding, Json

MAX_FINDINGS = 20


@cache
def load(package: str, name: str) -> Any:
    """Loads the JSON of `data/<name>.json.gz` in a category's package."""
    return json.loads(gzip.decompress((files(package) / "data" / f"{name}.json.gz").read_bytes()))


def definitions_below(definitions: dict[str, Json], root: str) -> dict[str, Json]:
    """Selects `root` and every definition that it needs."""
    needed: dict[str, Json] = {}
    todo = [root]
    while todo:
        name = todo.pop()
        if name not in needed:
            needed[name] = definitions[name]
            todo += _references(definitions[name])
    return needed


def _references(node: Json) -> list[str]:
    if isinstance(node, dict):
        targets = [node["$ref"].rpartition("/")[2]] if isinstance(node.get("$ref"), str) else []
        return targets + [name for value in node.values() for name in _references(value)]
    return [name for item in node for name in _references(item)] if isinstance(node, list) else []


def compile_definition(
    definitions: dict[str, Json], root: str, *, null_objects: bool = True
) -> jsonschema_rs.Validator:
    """Compiles a validator for one definition.

    Without `null_objects`, null is no item of a list of objects, whatever they allow.
    """
    below = definitions_below(definitions, root)
    return jsonschema_rs.validator_for(
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$ref": f"#/$defs/{root}",
            "$defs": below if null_objects else _without_null_objects(below, below),
        }
    )


def _without_null_objects(node: Json, definitions: dict[str, Json]) -> Json:
    if isinstance(node, list):
        return [_without_null_objects(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    schema = {name: _without_null_objects(value, definitions) for name, value in node.items()}
    items = schema.get("items")
    # A property may be called `items` too; it has no `type: array` beside it.
    if isinstance(items, dict) and "array" in (schema.get("type") or ()):
        meant = definitions.get(str(items.get("$ref")).rpartition("/")[2], items)
        if isinstance(meant, dict) and "object" in (meant.get("type") or ()):
            schema["items"] = {"allOf": [items, {"type": "object"}]}
    return schema


def findings(
    validator: jsonschema_rs.Validator, document: Json, rules: FieldRules, text: str, start: int = 0
) -> list[Finding]:
    """Makes one finding per schema error, the deepest alternatives of an `anyOf` first; none if the
    document is valid.
    """
    # Most documents are valid, and asking for that alone makes no list of errors.
    if validator.is_valid(document):
        return []
    reported = []
    for error in validator.iter_errors(document):
        path = list(error.instance_path)
        where = ".".join(map(str, path)) or "the document"
        rule = rules.of_error(error)
        reported.append(rule.finding(f"{where}: {error.message[:300]}", line_of(text, path, start)))
        if len(reported) == MAX_FINDINGS:
            break
    return reported
