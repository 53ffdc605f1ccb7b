"""Builds `data/schema.json.gz` from the strict OpenAPI definitions in the package
`kubernetes-validate` (Apache-2.0).

pip install kubernetes-validate==1.37.0
python -m tools.schemas.kubernetes
"""

import json
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from tools.data import write

RELEASE = "v1.37.0"


def without_prose(node: Any) -> Any:
    """The schema without descriptions; a property that is called `description` stays."""
    if isinstance(node, list):
        return [without_prose(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: {name: without_prose(child) for name, child in value.items()}
        if key == "properties"
        else without_prose(value)
        for key, value in node.items()
        if not (key in ("description", "$schema") and isinstance(value, str))
    }


def main() -> None:
    """Writes the schema into the category's data."""
    source = (
        files("kubernetes_validate")
        / "kubernetes-json-schema"
        / f"{RELEASE}-local-strict"
        / "_definitions.json"
    )
    definitions = json.loads(source.read_text())["$defs"]
    kinds = {
        f"{group['group']}/{group['version']}/{group['kind']}".lstrip("/"): name
        for name, definition in definitions.items()
        for group in definition.get("x-kubernetes-group-version-kind", ())
    }
    # References name the file that they came from; here all definitions are one document.
    plain = json.loads(json.dumps(without_prose(definitions)).replace("_definitions.json#", "#"))
    data = {
        "source": f"kubernetes-validate {version('kubernetes-validate')}, Kubernetes {RELEASE}",
        "licence": "Apache-2.0",
        "kinds": dict(sorted(kinds.items())),
        "definitions": plain,
    }
    write("kubernetes", "schema", data)


if __name__ == "__main__":
    main()
