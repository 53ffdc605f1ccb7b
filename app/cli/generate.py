"""`inframind generate`: an answer of a model, with its verdict."""

from typing import Annotated

import typer
from rich.markup import escape

from app.cli.client import LOCAL, Url, call
from app.cli.output import console, errors

app = typer.Typer()
FINDINGS = 3
"""Findings that are shown."""


@app.command()
def generate(
    instruction: Annotated[str, typer.Argument(help="What to write.")],
    model: Annotated[str, typer.Option(help="A base model or an adapter.")] = "inframind-nano",
    category: Annotated[str | None, typer.Option(help="What to verify the answer as.")] = None,
    temperature: Annotated[float, typer.Option(help="0: the likeliest answer.")] = 0.0,
    url: Url = LOCAL,
) -> None:
    """Ask a model, and show its answer with the verdict. Ends with 1 if the answer is not valid."""
    body = {
        "instruction": instruction,
        "model": model,
        "temperature": temperature,
        "verify": True,
        "category": category,
    }
    choice = call(url, "POST", "/generate", body)["choices"][0]
    console.print(escape(choice["file"] or choice["text"]))
    verdict = choice["verdict"]
    messages = "; ".join(finding["message"] for finding in verdict["findings"][:FINDINGS])
    errors.print(f"{verdict['verdict']}: {escape(messages or 'no findings')}")
    raise typer.Exit(0 if verdict["verdict"] == "pass" else 1)
