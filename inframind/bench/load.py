"""Loads InfraMind-Bench: every family's tasks by split, and the hash that names the version."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from functools import cache

from inframind.bench.family import Families, Family
from inframind.categories import CATEGORIES
from inframind.errors import DataError
from inframind.types import Split, Task

TASKS_PER_FAMILY: dict[Split, int] = {
    "train": 40,
    "validation": 4,
    "test-values": 12,
    "test-families": 16,
}
SPLITS: tuple[Split, ...] = tuple(TASKS_PER_FAMILY)


def families() -> tuple[Family, ...]:
    """All families, in the order of the categories' registry."""
    loaded: list[Family] = []
    for package in CATEGORIES.values():
        listed: Families = package.families
        loaded += listed.all
    return tuple(loaded)


@cache
def _drawn(family: Family, split: Split) -> tuple[Task, ...]:
    """The family's tasks of a split; no two of its instructions are equal."""
    drawn: dict[str, Task] = {}
    index = 0
    while len(drawn) < TASKS_PER_FAMILY[split]:
        task = family.task(index, split)
        # A question that is asked twice would count twice in a pass rate.
        drawn.setdefault(task.instruction + task.input, task)
        index += 1
    return tuple(drawn.values())


def _split(
    split: Split, categories: Sequence[str] | None = None, max_difficulty: int = 5
) -> Iterator[Task]:
    """A split's tasks, families interleaved; of all categories where none is named."""
    chosen = [
        family
        for family in families()
        if family.held_out == (split == "test-families")
        and (categories is None or family.category in categories)
        and family.difficulty <= max_difficulty
    ]
    return (
        task
        for row in zip(*(_drawn(family, split) for family in chosen), strict=True)
        for task in row
    )


def load_tasks(
    split: Split,
    *,
    categories: Sequence[str] | None = None,
    max_difficulty: int = 5,
    limit: int | None = None,
) -> list[Task]:
    """Writes the tasks of a split, always the same ones in the same order.

    Families are interleaved, so that `limit` keeps their shares.

    Raises DataError for an unknown category.
    """
    unknown = set(categories or ()) - set(CATEGORIES)
    if unknown:
        raise DataError(
            f"unknown categories {sorted(unknown)}; known: {', '.join(CATEGORIES)}",
            param="categories",
        )
    return list(_split(split, categories or None, max_difficulty))[:limit]


@cache
def content_hash() -> str:
    """`sha256:...` over the canonical JSON of every task: the version of the bench."""
    digest = hashlib.sha256()
    for split in SPLITS:
        for task in _split(split):
            # Sorted keys: the version is of the content, not of the order of a class's fields.
            digest.update(json.dumps(task.model_dump(mode="json"), sort_keys=True).encode())
    return f"sha256:{digest.hexdigest()}"
