"""Write the data files of the categories."""

import gzip
import json
from pathlib import Path
from typing import Any

CATEGORIES = Path(__file__).parents[1] / "inframind" / "categories"


def write(category: str, name: str, data: Any, *, sort_keys: bool = False) -> None:
    """Writes `data/<name>.json.gz` in the category's folder, the same bytes for the same data."""
    text = json.dumps(data, separators=(",", ":"), sort_keys=sort_keys)
    folder = CATEGORIES / category / "data"
    # gzip would write the time of day: the same data would be another file each time.
    (folder / f"{name}.json.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
