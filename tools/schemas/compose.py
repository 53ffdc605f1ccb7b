"""Builds `data/schema.json.gz` from the compose-spec schema vendored in `check-jsonschema` (the schema is Apache-2.0).

pip install check-jsonschema==0.39.0
python -m tools.schemas.compose
"""

import gzip
import json
from importlib.metadata import version
from importlib.resources import files

from tools.schemas import CATEGORIES


def main() -> None:
    """Writes the data file beside this module."""
    source = files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    data = {
        "source": f"https://github.com/compose-spec/compose-spec, from check-jsonschema {version('check-jsonschema')}",
        "licence": "Apache-2.0",
        "schema": json.loads(source.read_text()),
    }
    target = CATEGORIES / "compose" / "data" / "schema.json.gz"
    target.write_bytes(gzip.compress(json.dumps(data, separators=(",", ":")).encode(), 9, mtime=0))


if __name__ == "__main__":
    main()
