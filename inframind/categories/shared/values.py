"""Walks over parsed data for readers of several formats, and the value that only a run knows."""

import operator
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final, TypeVar

T = TypeVar("T")
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


class Unknown:
    """A value that only a run knows."""


UNKNOWN: Final = Unknown()


def listed(value: Any) -> list[Any]:
    """Makes a list of a value: one that is none stands alone in it, and null is empty."""
    return value if isinstance(value, list) else [] if value is None else [value]


def children(node: Any) -> Iterable[tuple[str | int, Any]]:
    """Yields (key or index, child) of a mapping or list; nothing of anything else."""
    if isinstance(node, dict):
        return node.items()
    return enumerate(node) if isinstance(node, list) else ()


def value_at(node: Any, *path: str) -> Any:
    """Looks up the value at a path of mappings' keys; None if there is none."""
    for key in path:
        node = node.get(key) if isinstance(node, dict) else None
    return node


def texts(node: Any) -> Iterator[str]:
    """Yields all texts in a node, mappings' keys left out."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict | list):
        for item in node.values() if isinstance(node, dict) else node:
            yield from texts(item)


def cycle(waits: Mapping[str, Iterable[str]]) -> list[str] | None:
    """Finds names that wait for one another in a circle, the first one last again, else None."""
    try:
        TopologicalSorter(waits).prepare()
    except CycleError as error:
        # graphlib lists each name before the one that waits for it; a message reads the other way.
        return list(reversed(error.args[1]))
    return None


def repeated(items: Iterable[T]) -> Iterator[tuple[T, int]]:
    """Yield (item, count) of the items that are there more than once, as they first appear."""
    return ((item, count) for item, count in Counter(items).items() if count > 1)
