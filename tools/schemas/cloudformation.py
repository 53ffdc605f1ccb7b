"""Builds `data/*.json.gz`: the resource provider schemas that cfn-lint vendors from AWS, one file a
service, without prose.

pip install cfn-lint==1.58.0
python -m tools.schemas.cloudformation
"""

import importlib
import json
from collections import defaultdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tools.data import write

KEPT = (
    "type", "$ref", "properties", "patternProperties", "additionalProperties", "required", "items",
    "enum", "enumCaseInsensitive", "const", "minimum", "maximum", "minLength", "maxLength",
    "minItems", "maxItems", "pattern", "oneOf", "anyOf", "allOf", "requiredXor", "requiredOr",
    "dependentRequired", "dependentExcluded",
)  # fmt: skip
MAX_PATTERN = 300


def compact(node: Any) -> Any:
    """A schema without what says nothing of validity. References become the definition's name."""
    if not isinstance(node, dict):
        return node
    kept: dict[str, Any] = {}
    for key in KEPT:
        if key not in node:
            continue
        value = node[key]
        if key in ("properties", "patternProperties"):
            kept[key] = {name: compact(child) for name, child in value.items()}
        elif key in ("items", "additionalProperties"):
            if value is not True:
                kept[key] = compact(value)
        elif key in ("oneOf", "anyOf", "allOf"):
            branches = [compact(child) for child in value]
            # An empty branch accepts anything, so a choice with one says nothing that can be
            # checked.
            if all(branches) or key == "allOf":
                kept[key] = branches
        elif key == "$ref":
            kept[key] = value.rpartition("/")[2]
        elif not (key == "pattern" and len(value) > MAX_PATTERN):
            kept[key] = value
    return kept


def resource(schema: Any) -> dict[str, Any]:
    """One resource type: its schema, its definitions and the attributes of `Fn::GetAtt`."""
    source = schema.schema
    result: dict[str, Any] = compact(source)
    # `/properties/Arn` is at the top; what is read-only deeper down stays accepted.
    read_only = [
        path.rpartition("/")[2]
        for path in source.get("readOnlyProperties", ())
        if path.count("/") == 2
    ]
    for name in read_only:
        result.get("properties", {}).pop(name, None)
    lifecycle = source.get("lifecycle", {})
    if lifecycle.get("status") == "shutdown":
        result["shutDown"] = lifecycle.get("date", "")
    return result | {
        "definitions": {
            name: compact(child) for name, child in source.get("definitions", {}).items()
        },
        "attributes": sorted(schema.get_atts),
        "readOnly": sorted(read_only),
    }


def instance_types(root: Path, kinds: dict[str, Any]) -> dict[str, list[str]]:
    """`Type.Property` -> the values of any region, where AWS lists them for a property at the
    top.
    """
    names = {
        f"{kind.replace('::', '_').lower()}.{name.lower()}": f"{kind}.{name}"
        for kind in kinds
        for name in kinds[kind].get("properties", ())
    }
    values_by_property: dict[str, set[str]] = defaultdict(set)
    for path in sorted(root.glob("extensions/*/*_enum.json")):
        name = names.get(f"{path.parent.name}.{path.stem.removesuffix('_enum')}")
        for entry in json.loads(path.read_text()).values() if name else ():
            values = entry.get("enum") if isinstance(entry, dict) else None
            values_by_property[str(name)] |= set(values or ())
    return {name: sorted(values) for name, values in values_by_property.items() if values}


def save(name: str, data: Any) -> None:
    """Writes one of the category's data files, its keys in order."""
    write("cloudformation", name, data, sort_keys=True)


def main() -> None:
    """Writes `index` and one file per service."""
    manager = importlib.import_module("cfnlint.schema").PROVIDER_SCHEMA_MANAGER
    root = Path(str(importlib.import_module("cfnlint").__file__)).parent / "data" / "schemas"
    services: dict[str, dict[str, Any]] = defaultdict(dict)
    # The schema of us-east-1 wins; other regions add the types that it lacks.
    for path in sorted(
        (root / "providers").glob("*-*-*.json"), key=lambda path: path.stem != "us-east-1"
    ):
        for kind in json.loads(path.read_text()):
            service = "::".join(kind.split("::")[:2])
            if kind.startswith("AWS::") and kind not in services[service]:
                services[service][kind] = resource(manager.get_resource_schema(path.stem, kind))
    for kind, name in json.loads((root / "providers" / "sam.json").read_text()).items():
        schema = importlib.import_module("cfnlint.schema").Schema(
            json.loads((root / "resources" / f"{name}.json").read_text())
        )
        services["AWS::Serverless"][kind] = resource(schema)
    release = json.loads((root / "version.json").read_text())
    for service, kinds in services.items():
        save(service.replace("::", "-").lower(), kinds)
    save(
        "index",
        {
            "source": f"AWS resource provider schemas of {release['schema_date']}, "
            f"from cfn-lint {version('cfn-lint')}",
            "licence": "MIT-0",
            "services": sorted(services),
            "values": instance_types(
                root,
                {
                    kind: schema_of_kind
                    for kinds in services.values()
                    for kind, schema_of_kind in kinds.items()
                },
            ),
        },
    )


if __name__ == "__main__":
    main()
