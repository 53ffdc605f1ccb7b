"""Builds `data/<provider>.json.gz` and `functions.json.gz` from Terraform's own description of
them.

In a folder whose `main.tf` requires the provider, after `terraform init`:

    terraform providers schema -json > schema.json
    terraform metadata functions -json > functions.json
    python -m tools.terraform.schema schema.json functions.json 5.100.0

Equal blocks and types are stored once, which makes 14 MB of schema about 200 KB.
"""

import json
import sys
from pathlib import Path
from typing import Any

from tools.data import write

MODES = {"list": 0, "set": 1, "single": 2, "map": 3, "group": 4}
REQUIRED, OPTIONAL, COMPUTED, SENSITIVE = 1, 2, 4, 8


class Tables:
    """Interned types and blocks."""

    def __init__(self) -> None:
        self.types: dict[str, int] = {}
        self.blocks: dict[str, int] = {}

    @staticmethod
    def _index(table: dict[str, int], value: Any) -> int:
        return table.setdefault(json.dumps(value, separators=(",", ":")), len(table))

    def attribute(self, attribute: dict[str, Any]) -> list[Any]:
        """[flags, type index]."""
        flags = REQUIRED * bool(attribute.get("required")) + OPTIONAL * bool(
            attribute.get("optional")
        )
        kind = attribute["type"] if "type" in attribute else self.nested(attribute["nested_type"])
        flags += COMPUTED * bool(attribute.get("computed")) + SENSITIVE * bool(
            attribute.get("sensitive")
        )
        return [flags, self._index(self.types, kind)]

    def nested(self, nested: dict[str, Any]) -> list[Any]:
        """A framework's nested attribute type: ["nested", mode, {name: [flags, type index]}]."""
        return [
            "nested",
            nested["nesting_mode"],
            {n: self.attribute(a) for n, a in sorted(nested["attributes"].items())},
        ]

    def block(self, block: dict[str, Any]) -> int:
        """Index of [attributes, {name: [mode, min, max, block index]}]."""
        attributes = {
            name: self.attribute(a) for name, a in sorted(block.get("attributes", {}).items())
        }
        blocks = {
            name: [
                MODES[b["nesting_mode"]],
                b.get("min_items", 0),
                b.get("max_items", 0),
                self.block(b["block"]),
            ]
            for name, b in sorted(block.get("block_types", {}).items())
        }
        return self._index(self.blocks, [attributes, blocks])


def compact(source: str, provider: dict[str, Any], version: str) -> dict[str, Any]:
    """One provider's schema in interned form."""
    tables = Tables()
    kinds = {
        key: {
            name: tables.block(schema["block"])
            for name, schema in sorted(provider.get(section, {}).items())
        }
        for key, section in (
            ("resource", "resource_schemas"),
            ("data", "data_source_schemas"),
            ("ephemeral", "ephemeral_resource_schemas"),
        )
    }
    config = tables.block(provider["provider"]["block"])
    return {
        "source": f"{source} {version}, terraform providers schema -json",
        "licence": "MPL-2.0",
        "config": config,
        **kinds,
        "functions": sorted(provider.get("functions", {})),
        # Texts within the text: most are never decoded.
        "types": list(tables.types),
        "blocks": list(tables.blocks),
    }


def signature(function: dict[str, Any]) -> list[Any]:
    """[[type, may be null] of each parameter, the same of further ones or null, type of the
    result].
    """
    more = function.get("variadic_parameter")
    parameters = [[p["type"], bool(p.get("is_nullable"))] for p in function.get("parameters", [])]
    return [
        parameters,
        more and [more["type"], bool(more.get("is_nullable"))],
        function["return_type"],
    ]


def main(schema: Path, functions: Path, version: str) -> None:
    """Writes the data files of every provider in the schema, and of the functions."""
    for source, provider in json.loads(schema.read_text())["provider_schemas"].items():
        write("terraform", source.rpartition("/")[2], compact(source, provider, version))
    signatures = json.loads(functions.read_text())["function_signatures"]
    write(
        "terraform",
        "functions",
        # Terraform 1.8 and later list each function twice: as `abs` and as `core::abs`.
        {name: signature(f) for name, f in sorted(signatures.items()) if "::" not in name},
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
