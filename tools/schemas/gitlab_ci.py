"""Builds `data/schema.json.gz` from GitLab's own schema vendored in `check-jsonschema` (the schema
is MIT).

pip install check-jsonschema==0.39.0
python -m tools.schemas.gitlab_ci
"""

import json
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from tools.data import write

PROSE = ("description", "markdownDescription")


def without_prose(node: Any) -> Any:
    """The schema without the texts that editors show: they are most of its size."""
    if isinstance(node, dict):
        return {
            key: without_prose(value)
            for key, value in node.items()
            if not (key in PROSE and isinstance(value, str))
        }
    return [without_prose(item) for item in node] if isinstance(node, list) else node


def main() -> None:
    """Writes the schema into the category's data."""
    source = files("check_jsonschema") / "builtin_schemas" / "vendor" / "gitlab-ci.json"
    data = {
        "source": "https://gitlab.com/gitlab-org/gitlab/-/blob/master/app/assets/javascripts/"
        "editor/schema/ci.json, "
        f"from check-jsonschema {version('check-jsonschema')}",
        "licence": "MIT",
        "schema": without_prose(json.loads(source.read_text())),
    }
    write("gitlab_ci", "schema", data)


if __name__ == "__main__":
    main()
