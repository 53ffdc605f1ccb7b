"""Builds `data/schema.json.gz` from Grafana's own types in the npm package `@grafana/schema`, and
the units in its Python SDK.

Both are Apache-2.0.

pip install --no-deps "grafana-foundation-sdk==1769699998!10.1.0"
npm pack @grafana/schema@13.2.3 && tar xzf grafana-schema-13.2.3.tgz
python -m tools.schemas.grafana package
"""

import json
import re
import sys
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from tools.data import write

TYPES = Path("dist/types/raw")
WORD = re.compile(r"'[^']*'|\"[^\"]*\"|[A-Za-z_$][\w$.]*\??|-?\d+|[{}()<>\[\]|,;:=]")
ENUM = re.compile(r"export declare enum (\w+) \{(.*?)\}", re.DOTALL)
STATEMENT = re.compile(
    r"^export (?:interface|type) (\w+)(.*?)(?=^export |\Z)", re.DOTALL | re.MULTILINE
)
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
SCALARS = {"string": "string", "number": "number", "boolean": "boolean"}


class Reader:
    """Reads the part of TypeScript's type language that the generated files use, as JSON Schema."""

    def __init__(self, text: str) -> None:
        self.words = WORD.findall(text)
        self.at = 0

    def peek(self) -> str:
        return self.words[self.at] if self.at < len(self.words) else ""

    def take(self, *wanted: str) -> str:
        word = self.peek()
        # A word out of place is a form that the generator did not write before: stop, do not guess.
        assert not wanted or word in wanted, (word, wanted)
        self.at += 1
        return word

    def type(self) -> dict[str, Any]:
        """A union of types."""
        options = [self.single()]
        while self.peek() == "|":
            self.take()
            options.append(self.single())
        constants = [option["const"] for option in options if "const" in option]
        if len(constants) == len(options):
            return {"enum": constants}
        return options[0] if len(options) == 1 else {"anyOf": options}

    def single(self) -> dict[str, Any]:
        word = self.take()
        if word == "(":
            schema = self.type()
            self.take(")")
            return schema
        if word == "{":
            # `object` takes the brace itself.
            self.at -= 1
            return self.object()
        if word in ("Array", "Record"):
            self.take("<")
            inner = [self.type()]
            while self.peek() == ",":
                self.take()
                inner.append(self.type())
            self.take(">")
            return (
                {"type": "array", "items": inner[0]}
                if word == "Array"
                else {"type": "object", "additionalProperties": inner[-1]}
            )
        if word[0] in "'\"":
            return {"const": word[1:-1]}
        if word in SCALARS:
            return {"type": SCALARS[word]}
        if word == "null":
            return {"type": "null"}
        if word == "unknown":
            return {}
        name, _, member = word.partition(".")
        return {"$ref": f"#/$defs/{name}"} if not member else {"member": [name, member]}

    def object(self) -> dict[str, Any]:
        """A closed object; what is optional may be null."""
        self.take("{")
        properties: dict[str, Any] = {}
        required = []
        while self.peek() != "}":
            name = self.take()
            self.take(":")
            schema = self.type()
            self.take(";")
            if name.endswith("?"):
                schema = {"anyOf": [schema, {"type": "null"}]} if schema else schema
            else:
                required.append(name)
            properties[name.rstrip("?")] = schema
        self.take("}")
        return {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        }


def definitions(text: str) -> dict[str, Any]:
    """Every type of a generated file."""
    text = COMMENT.sub("", text)
    enums = {name: dict(_members(body)) for name, body in ENUM.findall(text)}
    schemas: dict[str, Any] = {
        name: {"enum": list(members.values())} for name, members in enums.items()
    }
    for name, body in STATEMENT.findall(text):
        schemas[name] = Reader(body.strip().lstrip("=")).type()
    return {name: _resolved(node, enums) for name, node in schemas.items()}


def _members(body: str) -> Iterator[tuple[str, Any]]:
    for name, value in re.findall(r"(\w+) = (\"[^\"]*\"|-?\d+)", body):
        yield name, json.loads(value)


def _resolved(node: Any, enums: dict[str, dict[str, Any]]) -> Any:
    if isinstance(node, dict):
        if "member" in node and isinstance(node["member"], list):
            return {"const": enums[node["member"][0]][node["member"][1]]}
        return {key: _resolved(value, enums) for key, value in node.items()}
    return [_resolved(item, enums) for item in node] if isinstance(node, list) else node


def main() -> None:
    """Writes the schema into the category's data."""
    package = Path(sys.argv[1])
    sdk = distribution("grafana-foundation-sdk")
    units = Path(str(sdk.locate_file("grafana_foundation_sdk/models/units.py")))
    manifest = json.loads((package / "package.json").read_text())
    data = {
        "source": f"@grafana/schema {manifest['version']}, grafana-foundation-sdk {sdk.version}",
        "licence": manifest["license"],
        "definitions": definitions((package / TYPES / "dashboard/x/types.gen.d.ts").read_text()),
        "units": sorted(set(re.findall(r' = "([^"]*)"', units.read_text()))),
    }
    write("grafana", "schema", data)


if __name__ == "__main__":
    main()
