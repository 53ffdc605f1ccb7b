"""`inframind datasets`: a user's own tasks."""

from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.client import LOCAL, Url, call, rows_of
from app.cli.output import console, listed

app = typer.Typer(help="Bring your own tasks.", no_args_is_help=True)


@app.command("add")
def add_dataset(
    file: Annotated[
        Path,
        typer.Argument(
            exists=True,
            dir_okay=False,
            help="JSON lines: instruction, input, output, category, checks.",
        ),
    ],
    name: Annotated[str | None, typer.Option(help="What people call it.")] = None,
    url: Url = LOCAL,
) -> None:
    """Store Alpaca rows as a dataset that a job can name.

    Every row is validated; nothing is stored if one is bad.
    """
    query: dict[str, Any] = {"name": name} if name else {}
    # httpx names no type for bytes, and what is in between, such as a proxy, may want one.
    as_lines = {"content-type": "application/jsonl"}
    dataset = call(url, "POST", "/datasets", content=file.read_bytes(), headers=as_lines, **query)
    tasks = sum(dataset["tasks"].values())
    console.print(
        f"{dataset['id']}: {tasks} tasks, {dataset['derived']} with derived "
        f"checks, {dataset['unchecked']} without"
    )
    console.print(f'use it in a job: {{"method": "dapo", "dataset": "{dataset["id"]}"}}')


@app.command("list")
def list_datasets(url: Url = LOCAL) -> None:
    """Show the stored datasets."""
    table = listed("id", "name", "tasks", "categories")
    for row in rows_of(url, "/datasets"):
        tasks = str(sum(row["tasks"].values()))
        table.add_row(row["id"], row["name"] or "", tasks, ", ".join(row["categories"]))
    console.print(table, soft_wrap=False)
