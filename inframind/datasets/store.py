"""A dataset on disk: one file of tasks, named by its content."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from inframind.durable import write_whole
from inframind.errors import DataError
from inframind.types import Split, Task


# Named by content: two hosts that store the same rows at once write the same bytes.
def name_of(tasks: Sequence[Task]) -> str:
    """`ds-` and the start of the content's SHA-256."""
    return f"ds-{hashlib.sha256(_lines(tasks)).hexdigest()[:32]}"


def save(tasks: Sequence[Task], folder: Path) -> Path:
    """Writes `<folder>/<name>.jsonl`, whole or not at all."""
    target = folder / f"{name_of(tasks)}.jsonl"
    # Also over an equal one: should that have been damaged, adding it again mends it.
    write_whole(target, _lines(tasks))
    return target


def load(
    path: Path, split: Split, categories: Sequence[str] | None = None, limit: int | None = None
) -> list[Task]:
    """The tasks of a split. Raises DataError if the file is not what its name says."""
    tasks = [Task.model_validate_json(line) for line in lines(path)]
    return [
        task
        for task in tasks
        if task.split == split and (categories is None or task.category in categories)
    ][:limit]


def lines(path: Path) -> list[bytes]:
    """Reads a dataset's tasks, each as JSON. Raises DataError if they are not what was stored."""
    data = path.read_bytes() if path.is_file() else b""
    if f"ds-{hashlib.sha256(data).hexdigest()[:32]}" != path.stem:
        raise DataError(
            f"the dataset {path.stem} is missing or is not what was stored: add it again",
            param="dataset",
        )
    # Bytes end a line at "\n" and "\r" alone, and JSON escapes both; a text would at U+2028 too.
    return data.splitlines()


def _lines(tasks: Sequence[Task]) -> bytes:
    return "".join(f"{task.model_dump_json()}\n" for task in tasks).encode()
