"""Builds `data/schema.json.gz` from the workflow schema vendored in `check-jsonschema` (the schema
is Apache-2.0).

pip install check-jsonschema==0.39.0
python -m tools.schemas.github_actions
"""

import json
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from tools.data import write


def as_github_reads(schema: dict[str, Any]) -> dict[str, Any]:
    """Without what the schema refuses and GitHub takes: a strategy without a matrix, and an empty
    value, which is an empty text.

    https://github.com/actions/languageservices/blob/main/workflow-parser/src/workflow-v1.0.json has
    no required key in `strategy`, and reads the values of `with` and `env` as texts, which null
    becomes.
    """
    definitions = schema["definitions"]
    for job in ("normalJob", "reusableWorkflowCallJob"):
        definitions[job]["properties"]["strategy"].pop("required", None)
    values = definitions["env"]["oneOf"][0]["additionalProperties"]["oneOf"]
    if {"type": "null"} not in values:
        values.append({"type": "null"})
    return schema


def main() -> None:
    """Writes the schema into the category's data."""
    source = files("check_jsonschema") / "builtin_schemas" / "vendor" / "github-workflows.json"
    data = {
        "source": f"https://www.schemastore.org/github-workflow.json, "
        f"from check-jsonschema {version('check-jsonschema')}",
        "licence": "Apache-2.0",
        "schema": as_github_reads(json.loads(source.read_text())),
    }
    write("github_actions", "schema", data)


if __name__ == "__main__":
    main()
