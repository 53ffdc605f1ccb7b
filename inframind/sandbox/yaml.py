"""The one YAML reader: YAML 1.2 booleans, duplicate keys and bombs refused, merge keys resolved, lines on demand."""

import re
from collections.abc import Sequence
from typing import Any

MAX_NODES = 50_000
"""After aliases and merges are expanded: an alias bomb is small only until somebody walks it."""


class YamlError(ValueError):
    """The text is not YAML that can be used; `line` is 1-based where the reader knows it."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


def load_all(text: str) -> list[Any]:
    """Every document of the text; empty ones are left out. Raises YamlError."""
    import ryaml

    try:
        documents = ryaml.loads_all(text)
    except ValueError as error:
        message = str(error).removeprefix("TypeError: ")
        where = re.search(r"at line (\d+)", message)
        raise YamlError(message, int(where.group(1)) if where else None) from None
    count = [0]
    return [_merged(document, count) for document in documents or [] if document is not None]


def _merged(node: Any, count: list[int]) -> Any:
    """The node with `<<` resolved (https://yaml.org/type/merge.html), and all keys as text."""
    count[0] += 1
    if count[0] > MAX_NODES:
        raise YamlError(f"over {MAX_NODES:,} nodes once aliases are expanded")
    if isinstance(node, list):
        return [_merged(item, count) for item in node]
    if not isinstance(node, dict):
        return node
    result: dict[str, Any] = {}
    sources = node.get("<<", ())
    for source in sources if isinstance(sources, list) else [sources]:
        if isinstance(source, dict):
            for key, value in _merged(source, count).items():
                result.setdefault(key, value)
    for key, value in node.items():
        if key != "<<" or not isinstance(value, dict | list):
            result[_key(key)] = _merged(value, count)
    return result


def _key(key: Any) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    return "null" if key is None else str(key)


def line_of(text: str, path: Sequence[str | int], start: int = 0) -> int | None:
    """1-based line where the last key of `path` seems to stand, found by its text from line `start` on; None if nowhere.

    An approximation for messages: keys are looked for in order, list items are counted by their dashes.
    """
    lines = text.split("\n")
    here: int | None = None
    at = start
    for part in path:
        if isinstance(part, int):
            continue
        pattern = re.compile(r"""^[\s\-?]*["']?%s["']?\s*:""" % re.escape(part))
        found = next((i for i in range(at, len(lines)) if pattern.match(lines[i])), None)
        if found is None:
            break
        here, at = found + 1, found
    return here
