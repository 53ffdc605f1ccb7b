"""Builds `data/schema.json.gz` from the compose-spec schema vendored in `check-jsonschema` (the
schema is Apache-2.0).

pip install check-jsonschema==0.39.0
python -m tools.schemas.compose
"""

import json
from importlib.metadata import version
from importlib.resources import files

from tools.data import write


def main() -> None:
    """Writes the schema into the category's data."""
    source = files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    data = {
        "source": f"https://github.com/compose-spec/compose-spec, "
        f"from check-jsonschema {version('check-jsonschema')}",
        "licence": "Apache-2.0",
        "schema": json.loads(source.read_text()),
    }
    write("compose", "schema", data)


if __name__ == "__main__":
    main()
