"""Builds `data/schema.json.gz` from `fields.yaml`, our own tables of the documented fields (the
documentation is Apache-2.0).

python -m tools.schemas.prometheus
"""

from typing import Any

from inframind.categories.shared.yaml import load_all
from tools.data import CATEGORIES, write

HERE = CATEGORIES / "prometheus"
WORDS_FOR_FLAGS = ["yes", "no", "on", "off", "Yes", "No", "On", "Off"]
PRIMITIVES: dict[str, dict[str, Any]] = {
    # Go's YAML decoder takes any scalar for a text, none included, and YAML 1.1's words for a
    # boolean.
    "text": {"type": ["string", "number", "boolean", "null"]},
    "flag": {"anyOf": [{"type": "boolean"}, {"enum": WORDS_FOR_FLAGS}]},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "any": {},
}


def field_type(notation: str) -> dict[str, Any]:
    """The schema of a type in the notation of `fields.yaml`."""
    if notation.startswith("["):
        return {"type": "array", "items": field_type(notation[1:-1])}
    if notation.startswith("{"):
        return {"type": "object", "additionalProperties": field_type(notation[1:-1])}
    if "/" in notation:
        return {"enum": notation.split("/")}
    return PRIMITIVES.get(notation) or (
        {} if notation == "any" else {"$ref": f"#/$defs/{notation}"}
    )


def definition(tables: dict[str, Any], name: str) -> dict[str, Any]:
    """One table as a schema."""
    fields: dict[str, str] = {}
    for key, value in tables[name].items():
        # `also` takes in the fields of other tables, as Prometheus embeds its common structs.
        if key == "also":
            for other in value if isinstance(value, list) else [value]:
                fields |= tables[other]
        else:
            fields[key] = value
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {key.rstrip("!"): field_type(value) for key, value in fields.items()},
        "required": [key.rstrip("!") for key in fields if key.endswith("!")],
    }


def main() -> None:
    """Writes the schema into the category's data."""
    tables = load_all((HERE / "fields.yaml").read_text())[0]
    data = {
        "source": "https://prometheus.io/docs/ (Prometheus 3.5, Alertmanager 0.28)",
        "licence": "Apache-2.0",
        "definitions": {name: definition(tables, name) for name in tables},
    }
    write("prometheus", "schema", data)


if __name__ == "__main__":
    main()
