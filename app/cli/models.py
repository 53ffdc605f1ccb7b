"""`inframind models`: base models and adapters of a running service."""

import io
import json
import shutil
import tarfile
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from app.cli.client import LOCAL, ServiceClient, Url, call, rows_of
from app.cli.evaluations import comparison, show_judge
from app.cli.output import console, errors, listed
from inframind.errors import ConfigError
from inframind.installation import require

app = typer.Typer(
    help="List, show, alias, compare, delete and export models of a running service.",
    no_args_is_help=True,
)
Model = Annotated[str, typer.Argument(help="A base model, an adapter or an alias.")]


@app.command("list")
def list_models(url: Url = LOCAL) -> None:
    """Show base models and adapters of a running service."""
    table = listed("id", "kind", "stage", "base model", "aliases", "available")
    for model in rows_of(url, "/models"):
        aliases = ", ".join(model["aliases"])
        available = "yes" if model["available"] else "no"
        stage = model["stage"] or ""
        table.add_row(model["id"], model["kind"], stage, model["base_model"], aliases, available)
    console.print(table, soft_wrap=False)


@app.command("show")
def show_model(model: Model, url: Url = LOCAL) -> None:
    """Show lineage, files, evaluations and aliases of a model as JSON."""
    console.print_json(json.dumps(call(url, "GET", f"/models/{model}")))


@app.command("alias")
def alias_model(
    name: Annotated[str, typer.Argument(help="The alias.")], model: Model, url: Url = LOCAL
) -> None:
    """Let a name, such as production, mean a model."""
    alias = call(url, "PUT", f"/aliases/{name}", {"model": model})
    before = f" (before: {alias['previous']})" if alias["previous"] else ""
    console.print(f"{alias['name']} -> {alias['model']}{before}")


@app.command("compare")
def compare_models(
    names: Annotated[list[str], typer.Argument(help="Two to sixteen models, adapters or aliases.")],
    url: Url = LOCAL,
) -> None:
    """Show models side by side, the others against the first."""
    compared = call(url, "GET", "/models/compare", model=names)
    rows = [
        {"name": row["model"], **row["evaluation"]} for row in compared["data"] if row["evaluation"]
    ]
    console.print(comparison(rows), soft_wrap=False)
    for judged in {row["judge_model"]["model"]: row for row in rows if row["judge_model"]}.values():
        show_judge(judged)
    first = compared["data"][0]["model"]
    for row in compared["data"][1:]:
        if row["difference"] is not None:
            low, high = row["difference_ci95"]
            interval = f"({low:+.1%} to {high:+.1%})"
            console.print(f"{row['model']}: {row['difference']:+.1%} {interval} against {first}")
    if compared["reason"]:
        errors.print(escape(compared["reason"]))


@app.command("delete")
def delete_model(model: Model, url: Url = LOCAL) -> None:
    """Delete an adapter that no alias means and nothing continues."""
    console.print(f"{call(url, 'DELETE', f'/models/{model}')['id']} is deleted")


@app.command("export")
def export_model(
    model: Model,
    out: Annotated[Path, typer.Option(help="New folder.")],
    merged: Annotated[
        bool,
        typer.Option("--merged", help="Merge into the base model, for servers without adapters."),
    ] = False,
    url: Url = LOCAL,
) -> None:
    """Write an adapter as a PEFT folder with its model card, or merged as a whole model."""
    if merged:
        require("train")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(f"{out} is there already: give a new folder", param="--out")
    with tempfile.TemporaryDirectory() as folder:
        with ServiceClient(url) as client:
            content = client.fetch("GET", f"/models/{model}/download").content
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            archive.extractall(folder, filter="data")
        (adapter,) = Path(folder).iterdir()
        if merged:
            from inframind.models.merge import merge

            merge(adapter, out)
        else:
            shutil.copytree(adapter, out, dirs_exist_ok=True)
    console.print(f"{escape(model)} is in {escape(str(out))}")
