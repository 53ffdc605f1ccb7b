"""Counts the tokens of a dataset's rows for a base model, once for each content. No torch.

The counts lie beside the dataset's file, so that only an upload, or the first job with another base
model, pays for them: 10,000 rows took 13 s, and reading their counts 0.02 s (two cores).
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass
from functools import cache, lru_cache
from pathlib import Path

from inframind.bench.load import TASKS_PER_FAMILY, families
from inframind.datasets.rendering import Piece, render_task
from inframind.datasets.store import load
from inframind.durable import write_whole
from inframind.errors import EngineError
from inframind.generation.encoding import count_tokens
from inframind.types import Split, Task

FORMAT = 1
"""Of the file of counts; another one is counted anew."""
AT_ONCE = 1000
"""Rows whose texts are held in memory at once."""


@dataclass(frozen=True, slots=True)
class RowLength:
    """One row, as far as a stage's settings can fit it or not."""

    split: Split
    category: str
    difficulty: int
    is_answered: bool
    prompt_tokens: int
    """Of the prompt with the assistant's opening."""
    answer_tokens: int
    """Of the answer with its closing token; 0: there is none."""
    stands_for: int = 1
    """Rows of which this one is a sample."""

    @property
    def tokens(self) -> int:
        """Tokens of prompt and answer."""
        return self.prompt_tokens + self.answer_tokens


@dataclass(frozen=True)
class Lengths:
    """The rows of a dataset with their lengths."""

    rows: tuple[RowLength, ...]
    is_counted: bool = True
    """False where the tokenizer's file is not here: every row then has 0 tokens."""
    is_sample: bool = False
    """True of the bench, whose 14,000 tasks take half a minute to draw and count."""


def counts_file(dataset: Path, base_model: str) -> Path:
    """Names the file with the counts of a dataset's rows."""
    return dataset.with_name(f"{dataset.stem}.{base_model.replace('/', '--')}.lengths.json")


def of_dataset(dataset: Path, base_model: str) -> Lengths:
    """Reads the lengths of users' own rows, or counts them and leaves the counts beside the file.

    Raises DataError if the file is not what its name says.
    """
    file = counts_file(dataset, base_model)
    # Also a file that is damaged, or of another version: it is only a saving.
    with suppress(OSError, ValueError, TypeError):
        return _read(file)
    tasks = [*load(dataset, "train"), *load(dataset, "test-values")]
    lengths = _lengths(tasks, base_model)
    if lengths.is_counted:
        with suppress(OSError):
            _write(file, lengths)
    return lengths


@cache
def of_bench(base_model: str) -> Lengths:
    """Counts one task of each family, which stands for all of them: they differ in values alone."""
    tasks = [
        family.task(0, "test-families" if family.held_out else "train") for family in families()
    ]
    counted = _lengths(tasks, base_model)
    rows = [_standing(row, row.split) for row in counted.rows]
    rows += [_standing(row, "test-values") for row in counted.rows if row.split == "train"]
    return Lengths(tuple(rows), counted.is_counted, is_sample=True)


def _standing(row: RowLength, split: Split) -> RowLength:
    values = (row.category, row.difficulty, row.is_answered, row.prompt_tokens, row.answer_tokens)
    return RowLength(split, *values, stands_for=TASKS_PER_FAMILY[split])


def _lengths(tasks: Sequence[Task], base_model: str) -> Lengths:
    try:
        return Lengths(tuple(_counted(tasks, base_model)))
    except EngineError:
        # Their numbers and categories can be looked at all the same.
        rows = [
            RowLength(task.split, task.category, task.difficulty, bool(task.reference), 0, 0)
            for task in tasks
        ]
        return Lengths(tuple(rows), is_counted=False)


def _counted(tasks: Sequence[Task], base_model: str) -> list[RowLength]:
    rows: list[RowLength] = []
    for start in range(0, len(tasks), AT_ONCE):
        part = tasks[start : start + AT_ONCE]
        rendered = [render_task(task, base_model).pieces for task in part]
        # All at once: the tokenizer takes a list of texts in parallel.
        numbers = iter(
            count_tokens(base_model, [piece.text for pieces in rendered for piece in pieces])
        )
        rows += [
            _row(task, pieces, [next(numbers) for _ in pieces])
            for task, pieces in zip(part, rendered, strict=True)
        ]
    return rows


def _row(task: Task, pieces: Sequence[Piece], tokens: Sequence[int]) -> RowLength:
    # Earlier answers of a conversation are part of the prompt of the last one.
    has_answer = pieces[-1].is_trained
    last = tokens[-1] if has_answer else 0
    return RowLength(
        task.split, task.category, task.difficulty, has_answer, sum(tokens) - last, last
    )


@lru_cache(maxsize=32)
def _read(file: Path) -> Lengths:
    content = json.loads(file.read_bytes())
    if content["format"] != FORMAT:
        raise ValueError(content["format"])
    return Lengths(tuple(RowLength(*row) for row in content["rows"]))


def _write(file: Path, lengths: Lengths) -> None:
    content = {"format": FORMAT, "rows": [astuple(row) for row in lengths.rows]}
    # Not synced: lost counts are counted again.
    write_whole(file, json.dumps(content).encode(), synced=False)
