"""`inframind bench`: what is in the bench, and its tasks for others' tools."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from inframind.bench.load import SPLITS, content_hash, families, load_tasks
from inframind.bench.prompt import answer, prompt
from inframind.errors import ConfigError, DataError
from inframind.installation import missing_packages
from inframind.types import Split, Task

app = typer.Typer(
    help="InfraMind-Bench: tasks whose intent a machine can check.", no_args_is_help=True
)
console = Console(highlight=False)


class Format(StrEnum):
    """Forms of an export."""

    ALPACA = "alpaca"
    """instruction, input, output"""
    MESSAGES = "messages"
    """chat messages, the answer last"""
    DATASETS = "datasets"
    """a folder for `datasets.load_from_disk`: whole tasks, a column each, checks as JSON text"""
    TASKS = "tasks"
    """whole tasks with their checks (docs/contracts/task.md)"""


def skeleton(task: Task) -> str:
    """Masks the open values and numbers of the reference: what is left makes a family."""
    return hashlib.sha256(_masked(task, task.reference).encode()).hexdigest()


def wording(task: Task) -> str:
    """Masks the open values and numbers of the instruction: what is left is how a family asks."""
    return _masked(task, task.instruction)


def _masked(task: Task, text: str) -> str:
    # Longest first: `web` is a part of `web-7f3`.
    for value in sorted(task.values, key=len, reverse=True):
        text = text.replace(value, "_")
    return re.sub(r"\d+", "0", text)


def statistics() -> dict[str, Any]:
    """Counts what the bench holds."""
    tasks = [task for split in SPLITS for task in load_tasks(split)]
    return {
        "version": content_hash(),
        "tasks": len(tasks),
        "families": len(families()),
        "skeletons": len({skeleton(task) for task in tasks}),
        "wordings": len({wording(task) for task in tasks}),
        "unique_instructions": len({task.instruction + task.input for task in tasks}),
        "by_category": dict(Counter(task.category for task in tasks)),
        "by_difficulty": {
            str(level): count
            for level, count in sorted(Counter(task.difficulty for task in tasks).items())
        },
        "by_split": dict(Counter(task.split for task in tasks)),
    }


@app.command()
def stats(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Count tasks, families and skeletons."""
    counts = statistics()
    if as_json:
        console.print_json(json.dumps(counts))
        return
    table = Table("what", "count")
    for name, value in counts.items():
        for key, count in value.items() if isinstance(value, dict) else [("", value)]:
            table.add_row(f"{name} {key}".strip(), str(count))
    console.print(table)


@app.command()
def export(
    out: Annotated[
        Path, typer.Option(help="File to write, a JSON object a line; with `datasets` a folder.")
    ],
    split: Annotated[str, typer.Option(help=f"One of {', '.join(SPLITS)}.")] = "train",
    form: Annotated[
        Format, typer.Option("--format", help="alpaca, messages, datasets or tasks.")
    ] = Format.TASKS,
    max_difficulty: int = 5,
) -> None:
    """Write the tasks of a split."""
    if split not in SPLITS:
        raise DataError(f"unknown split {split!r}; known: {', '.join(SPLITS)}", param="split")
    chosen: Split = split
    exported = list(rows(load_tasks(chosen, max_difficulty=max_difficulty), form))
    if form is Format.DATASETS:
        save_to_disk(exported, out)
    else:
        out.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in exported))
    console.print(f"{len(exported)} tasks of {split} are in {out}")


def save_to_disk(exported: list[dict[str, Any]], out: Path) -> None:
    """Writes the rows as Arrow files. Raises ConfigError where the library is missing."""
    try:
        from datasets import Dataset
    except ImportError:
        raise ConfigError(
            (
                f"the form `datasets` needs Hugging Face's library: "
                f"{missing_packages(['datasets'], 'train')}"
            ),
            param="format",
        ) from None
    Dataset.from_list(exported).save_to_disk(out)


def rows(tasks: list[Task], form: Format) -> Iterator[dict[str, Any]]:
    """Writes each task in a form."""
    for task in tasks:
        if form is Format.ALPACA:
            yield {"instruction": task.instruction, "input": task.input, "output": answer(task)}
        elif form is Format.MESSAGES:
            yield {"messages": [*prompt(task), {"role": "assistant", "content": answer(task)}]}
        elif form is Format.DATASETS:
            whole = task.model_dump(mode="json")
            # A check's value may be of any type; a column may not.
            yield {**whole, "checks": json.dumps(whole["checks"])}
        else:
            yield task.model_dump(mode="json")
