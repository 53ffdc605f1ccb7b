"""`inframind bench export`: a split in each form, as the tools that read it see it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from inframind.bench.export import app
from inframind.bench.load import load_tasks
from inframind.bench.prompt import answer
from inframind.types import Task

TASKS = load_tasks("validation", max_difficulty=1)


def export(out: Path, form: str) -> None:
    asked = [
        "export",
        "--format",
        form,
        "--split",
        "validation",
        "--max-difficulty",
        "1",
        "--out",
        str(out),
    ]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("form", ["alpaca", "messages", "tasks"])
def test_a_line_a_task(tmp_path: Path, form: str) -> None:
    export(tmp_path / "out.jsonl", form)
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert len(rows) == len(TASKS)
    if form == "tasks":
        assert [Task.model_validate(row) for row in rows] == TASKS
    else:
        answers = [
            row["output"] if form == "alpaca" else row["messages"][-1]["content"] for row in rows
        ]
        assert answers == [answer(task) for task in TASKS]


def test_a_folder_for_datasets(tmp_path: Path) -> None:
    from datasets import load_from_disk

    export(tmp_path / "out", "datasets")
    rows = load_from_disk(str(tmp_path / "out"))
    assert [
        Task.model_validate({**row, "checks": json.loads(row["checks"])}) for row in rows
    ] == TASKS
