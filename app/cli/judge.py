"""`inframind judge`: measure how far the judge model of the settings can be trusted."""

import asyncio
import json
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from app.cli.database import open_database
from app.cli.output import console
from inframind.errors import ConfigError, ModelNotFoundError

if TYPE_CHECKING:
    from inframind.judge.calibration import Calibration

app = typer.Typer(help="Measure the judge model of the settings.", no_args_is_help=True)


@app.callback()
def judge() -> None:
    """Measure the judge model of the settings."""


@app.command()
def calibrate(
    tasks: Annotated[
        int,
        typer.Option(
            min=1, max=1000, help="Held-out tasks; each gives a right and a wrong answer."
        ),
    ] = 60,
    category: Annotated[
        list[str] | None, typer.Option(help="Only these categories; may be repeated.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Hold the judge model against the verifier, and store the result.

    Ends with 1 if the judge cannot be trusted.
    """
    measured = asyncio.run(_calibrate(tasks, category))
    if as_json:
        console.print_json(measured.model_dump_json())
    else:
        _show(measured)
    raise typer.Exit(0 if measured.trusted else 1)


@app.command()
def show() -> None:
    """Print the newest calibration of the judge model of the settings."""
    from app.judging.calibrations import newest_calibration
    from app.settings import settings
    from inframind.judge.llm import fingerprint

    model = settings().judge_model
    with open_database() as engine:
        stored = newest_calibration(engine, fingerprint(model))
    if stored is None:
        raise ModelNotFoundError(
            f"the judge {model!r} was never calibrated with this prompt: inframind judge calibrate"
        )
    console.print_json(json.dumps({"trusted": stored.trusted, **stored.model_dump(mode="json")}))


async def _calibrate(tasks: int, categories: list[str] | None) -> "Calibration":
    from app.judging.calibrations import store_calibration
    from app.judging.chat_client import ChatServer
    from app.settings import NO_JUDGE, settings
    from inframind.bench.load import content_hash, load_tasks
    from inframind.judge import calibration
    from inframind.judge.llm import LlmJudge
    from inframind.verifier.verifier import Verifier

    configured = settings()
    if not configured.has_judge:
        raise ConfigError(NO_JUDGE, param="judge_url")
    with open_database() as engine:
        server = ChatServer(configured)
        try:
            with Verifier(configured.verifier_workers) as verifier:
                examples = calibration.labelled(
                    load_tasks("test-values", categories=categories, limit=tasks), verifier
                )
            judge = LlmJudge(configured.judge_model, server.ask)
            measured = await calibration.calibrate(judge, examples, content_hash())
            store_calibration(engine, measured)
        finally:
            await server.close()
    return measured


def _show(measured: "Calibration") -> None:
    table = Table("measured", "value", "of")
    table.add_row(
        "kappa with the verifier",
        f"{measured.kappa:.2f} ({_interval(measured.kappa_ci95)})",
        f"{measured.decided} answers",
    )
    recall = f"{measured.recall_invalid:.0%} ({_interval(measured.recall_invalid_ci95)})"
    table.add_row("recall on invalid answers", recall, f"{measured.invalid} answers")
    table.add_row(
        "winner is the right answer", f"{measured.pair_accuracy:.0%}", f"{measured.pairs} pairs"
    )
    table.add_row("swap-flip rate", f"{measured.swap_flip_rate:.0%}", f"{measured.pairs} pairs")
    table.add_row(
        "same answer when asked again",
        f"{measured.test_retest:.0%}",
        f"{measured.retested} answers",
    )
    table.add_row(
        "abstentions",
        f"{measured.abstain_rate:.0%}",
        f"{2 * measured.answers + measured.answers // 2} questions",
    )
    console.print(f"{measured.model}: {'trusted' if measured.trusted else 'not trusted'}")
    console.print(table, soft_wrap=False)


def _interval(bounds: tuple[float, float]) -> str:
    return f"{bounds[0]:.2f} to {bounds[1]:.2f}"
