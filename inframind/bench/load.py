"""InfraMind-Bench as a whole: every family's tasks by split, and the hash that names the version."""

import hashlib
import importlib
import json
from collections.abc import Sequence
from functools import cache

from inframind.bench.family import Families, Family
from inframind.categories import CATEGORIES
from inframind.errors import DataError
from inframind.types import Split, Task

TASKS_PER_FAMILY: dict[Split, int] = {"train": 40, "validation": 4, "test-values": 12, "test-families": 16}
SPLITS: tuple[Split, ...] = tuple(TASKS_PER_FAMILY)


@cache
def families() -> tuple[Family, ...]:
    """All families, in the order of the categories' registry."""
    found: list[Family] = []
    for target in CATEGORIES.values():
        package = target.partition(":")[0].rpartition(".")[0]
        listed: Families = importlib.import_module(f"{package}.families").FAMILIES
        found += listed.all
    return tuple(found)


@cache
def _split(split: Split) -> tuple[Task, ...]:
    """A split's tasks, families interleaved; no two instructions of a family are equal."""
    tasks: list[list[Task]] = []
    for family in families():
        if family.held_out == (split == "test-families"):
            drawn: dict[str, Task] = {}
            index = 0
            while len(drawn) < TASKS_PER_FAMILY[split]:
                task = family.task(index, split)
                drawn.setdefault(task.instruction + task.input, task)
                index += 1
            tasks.append(list(drawn.values()))
    return tuple(task for row in zip(*tasks, strict=True) for task in row)


def load_tasks(
    split: Split,
    *,
    categories: Sequence[str] | None = None,
    max_difficulty: int = 5,
    limit: int | None = None,
) -> list[Task]:
    """The tasks of a split, always the same ones in the same order. `limit` keeps the families' shares.

    Raises DataError for an unknown category.
    """
    unknown = set(categories or ()) - set(CATEGORIES)
    if unknown:
        raise DataError(f"unknown categories {sorted(unknown)}; known: {', '.join(CATEGORIES)}", param="categories")
    chosen = [
        task for task in _split(split) if task.difficulty <= max_difficulty and (categories is None or task.category in categories)
    ]
    return chosen[:limit]


@cache
def content_hash() -> str:
    """`sha256:...` over the canonical JSON of every task: the version of the bench."""
    digest = hashlib.sha256()
    for split in SPLITS:
        for task in _split(split):
            digest.update(json.dumps(task.model_dump(mode="json"), sort_keys=True).encode())
    return f"sha256:{digest.hexdigest()}"
