"""The one JSON reader: no key twice in an object, and an error that knows its line."""

import json
from typing import Any


class JsonError(ValueError):
    """The text is not JSON that can be used; `line` is 1-based where the reader knows it."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


def load(text: str) -> Any:
    """Reads the value of a JSON text. Raises JsonError."""
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise JsonError(error.msg, error.lineno) from None
    except RecursionError:
        raise JsonError("nested too deep") from None
    except JsonError:
        raise
    except ValueError as error:
        # A whole number with more digits than Python reads.
        raise JsonError(str(error)) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        twice = next(key for index, (key, _) in enumerate(pairs) if key in dict(pairs[:index]))
        raise JsonError(f"the key {twice!r} stands twice in one mapping")
    return entries
