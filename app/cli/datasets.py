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
            help="JSON lines or a JSON array: instruction, input, output; or messages, "
            "conversations, prompt and completion.",
        ),
    ],
    name: Annotated[str | None, typer.Option(help="What people call it.")] = None,
    rendering: Annotated[
        str | None,
        typer.Option(
            help="as_given or fenced: how rows are trained on. Left out: conversations as given, "
            "instructions fenced."
        ),
    ] = None,
    url: Url = LOCAL,
) -> None:
    """Store rows as a dataset that a job can name.

    Every row is validated; nothing is stored if one is bad.
    """
    # An option that is left out stays out of the query: an empty name is a name that is refused.
    query: dict[str, Any] = {"name": name} if name else {}
    if rendering is not None:
        query["rendering"] = rendering
    # httpx names no type for bytes, and what is in between, such as a proxy, may want one.
    as_lines = {"content-type": "application/jsonl"}
    dataset = call(url, "POST", "/datasets", content=file.read_bytes(), headers=as_lines, **query)
    tasks = sum(dataset["tasks"].values())
    console.print(
        f"{dataset['id']}: {tasks} tasks, {dataset['derived']} with derived "
        f"checks, {dataset['unchecked']} without; rendered {dataset['rendering']}"
    )
    console.print(_left_out(dataset))
    console.print(f"see what is trained on: inframind datasets rows {dataset['id']}")
    console.print(f'use it in a job: {{"method": "dapo", "dataset": "{dataset["id"]}"}}')


def _left_out(dataset: dict[str, Any]) -> str:
    """Say what of the file no task was made of."""
    counts = [
        f"{dataset[name]} {name}"
        for name in ("duplicates", "conflicts", "untrained")
        if dataset[name]
    ]
    if dataset["ignored"]:
        counts.append(f"columns ignored: {', '.join(dataset['ignored'])}")
    return "left out: " + ("; ".join(counts) or "nothing")


@app.command("rows")
def list_rows(
    dataset: Annotated[str, typer.Argument(help="Id of a dataset.")],
    limit: Annotated[int, typer.Option(min=1, help="Most rows.")] = 5,
    after: Annotated[str | None, typer.Option(help="Id of the row to begin behind.")] = None,
    base_model: Annotated[
        str | None, typer.Option(help="Whose chat template and tokens; left out: the served one.")
    ] = None,
    url: Url = LOCAL,
) -> None:
    """Show rows as a base model is trained on them, with their tokens."""
    query = {"after": after, "base_model": base_model}
    query = {name: value for name, value in query.items() if value is not None}
    for row in rows_of(url, f"/datasets/{dataset}/rows", limit, **query):
        console.print(
            f"{row['id']} ({row['split']}, {row['category']}): {row['tokens']} tokens, "
            f"{row['trained_tokens']} trained on; {row['checks']} checks",
            style="bold",
        )
        # A row's text may hold brackets, which rich would take for its markup.
        console.print(row["text"], markup=False)


@app.command("list")
def list_datasets(url: Url = LOCAL) -> None:
    """Show the stored datasets."""
    table = listed("id", "name", "tasks", "categories")
    for row in rows_of(url, "/datasets"):
        tasks = str(sum(row["tasks"].values()))
        table.add_row(row["id"], row["name"] or "", tasks, ", ".join(row["categories"]))
    console.print(table, soft_wrap=False)
