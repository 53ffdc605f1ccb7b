"""The one YAML reader: YAML 1.2 booleans, duplicate keys and bombs refused, merge keys resolved,
lines on demand.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

from inframind.categories.base import ParseError, Rule

MAX_NODES = 50_000
"""After aliases and merges are expanded: an alias bomb is small only until somebody walks it."""


class YamlError(ValueError):
    """The text is not YAML that can be used; `line` is 1-based where the reader knows it."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


def load_all(text: str) -> list[Any]:
    """Reads every document of the text; empty ones are left out. Raises YamlError.

    Plain JSON data with text keys. `on`, `no` and `010` are texts, as in YAML 1.2; a tagged node
    `!tag x` is `{"!tag": x}`.
    """
    import ryaml

    try:
        documents = ryaml.loads_all(text)
    except ValueError as error:
        message = (
            str(error)
            .removeprefix("TypeError: ")
            .replace("unhashable type:", "a key must be a text, not a")
        )
        where = re.search(r"at line (\d+)", message)
        raise YamlError(message, int(where.group(1)) if where else None) from None
    count = [0]
    return [_merged(document, count) for document in documents or [] if document is not None]


def yaml_documents(text: str, rule: Rule) -> list[Any]:
    """Reads as `load_all`, for a category's parser: raises ParseError with that rule."""
    try:
        return load_all(text)
    except YamlError as error:
        raise ParseError(rule.finding(str(error), error.line)) from None


def yaml_mapping(text: str, rule: Rule, form: str) -> dict[str, Any]:
    """Reads the one mapping that the text is.

    Raises ParseError with the rule; `form` says what is asked for.
    """
    documents = yaml_documents(text, rule)
    if len(documents) != 1 or not isinstance(documents[0], dict):
        raise ParseError(rule.finding(form))
    return documents[0]


def packaged(package: str, name: str) -> Any:
    """Reads the content of a YAML file of ours in a category's folder."""
    (document,) = load_all((files(package) / name).read_text())
    return document


def _merged(node: Any, count: list[int]) -> Any:
    """Resolves `<<` (https://yaml.org/type/merge.html) in a node, and makes all keys texts."""
    count[0] += 1
    if count[0] > MAX_NODES:
        raise YamlError(f"over {MAX_NODES:,} nodes once aliases are expanded")
    if isinstance(node, str):
        return node
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
        # A key of its own wins over merged ones; `<<` with a scalar is a key like any other.
        if key != "<<" or not isinstance(value, dict | list):
            result[key if isinstance(key, str) else _key(key)] = _merged(value, count)
    return result


def _key(key: Any) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    return "null" if key is None else str(key)


class _Entry(NamedTuple):
    """One `- ` or one `key:` of a block collection."""

    line: int
    column: int
    key: str | None
    """None for a list item."""


ENTRY = re.compile(
    r"""(-(?: +|$))|(?:"([^"]*)" *|'([^']*)' *|([^\s#"'\[\]{},&*!|>%@`].*?)):(?=\s|$)"""
)


@lru_cache(maxsize=4)
def _documents(text: str) -> tuple[list[int], list[list[_Entry]]]:
    """Lists first lines (0-based) of the documents, and the block entries of each.

    Lines inside texts may look like entries too, but stand deeper than any sibling.
    """
    starts: list[int] = [0]
    documents: list[list[_Entry]] = [[]]
    for number, line in enumerate(text.split("\n")):
        if line.startswith(("---", "...")):
            starts.append(number)
            documents.append([])
        else:
            documents[-1] += _entries(number, line)
    return starts, documents


def _entries(number: int, line: str) -> Iterator[_Entry]:
    column = len(line) - len(line.lstrip(" "))
    while match := ENTRY.match(line, column):
        key = next((group for group in match.groups()[1:] if group is not None), None)
        yield _Entry(number, column, key and key.rstrip())
        if key is not None:
            return
        column = match.end()


def line_of(text: str, path: Sequence[str | int], start: int = 0) -> int | None:
    """Finds the 1-based line of the node at `path`, in the document that begins at the 0-based line
    `start`; None if nothing of it is found.

    The deepest part that stands in block style on lines of its own: inside flow style or an alias
    it is where that begins.
    """
    starts, documents = _documents(text)
    # Marks and comments may stand before the first entry.
    entries = next(
        (document for document in documents[max(0, bisect_right(starts, start) - 1) :] if document),
        [],
    )
    here: int | None = None
    first, column = 0, -1
    for part in path:
        index = _child(entries, first, column, part)
        if index is None:
            break
        here, first, column = entries[index].line + 1, index + 1, entries[index].column
    return here


def _child(entries: Sequence[_Entry], first: int, column: int, part: str | int) -> int | None:
    """Finds the entry for `part` in the collection that begins at entry `first`, below a parent in
    `column`; None if it is not there.
    """
    if first >= len(entries):
        return None
    level, is_list = entries[first].column, entries[first].key is None
    # A list may stand in the same column as the key that holds it.
    if level < column or (level == column and not (is_list and entries[first - 1].key is not None)):
        return None
    items = 0
    for index in range(first, len(entries)):
        entry = entries[index]
        if entry.column < level or (entry.column == level and (entry.key is None) != is_list):
            return None
        if entry.column == level:
            if part == (items if is_list else entry.key):
                return index
            items += 1
    return None
