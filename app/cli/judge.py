"""`inframind judge`: how far the judge model of the settings can be trusted."""

import asyncio
import json
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from inframind.errors import ConfigError, ModelNotFoundError

if TYPE_CHECKING:
    from inframind.judge.calibration import Calibration

app = typer.Typer(help="Measure the judge model of the settings.", no_args_is_help=True)
console = Console(highlight=False)


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
    """Hold the judge model against the verifier, and store the result. Ends with 1 if the judge cannot be trusted."""
    found = asyncio.run(_calibrate(tasks, category))
    if as_json:
        console.print_json(found.model_dump_json())
    else:
        _show(found)
    raise typer.Exit(0 if found.trusted else 1)


@app.command()
def show() -> None:
    """Print the newest calibration of the judge model of the settings."""
    from app.db.session import make_engine
    from app.judging.calibrations import newest_calibration
    from app.settings import settings
    from inframind.judge.llm import fingerprint

    configured = settings()
    engine = make_engine(configured.url)
    found = newest_calibration(engine, fingerprint(configured.judge_model))
    engine.dispose()
    if found is None:
        raise ModelNotFoundError(
            f"the judge {configured.judge_model!r} was never calibrated with this prompt: inframind judge calibrate"
        )
    console.print_json(json.dumps({"trusted": found.trusted, **found.model_dump(mode="json")}))


async def _calibrate(tasks: int, categories: list[str] | None) -> "Calibration":
    from app.db.migrate import upgrade
    from app.db.session import make_engine
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
    configured.data_dir.mkdir(parents=True, exist_ok=True)
    engine = make_engine(configured.url)
    upgrade(engine)
    server = ChatServer(configured)
    try:
        with Verifier(configured.verifier_workers) as verifier:
            examples = calibration.labelled(
                load_tasks("test-values", categories=categories, limit=tasks), verifier
            )
        found = await calibration.calibrate(
            LlmJudge(configured.judge_model, server.ask), examples, content_hash()
        )
        store_calibration(engine, found)
    finally:
        await server.close()
        engine.dispose()
    return found


def _show(found: "Calibration") -> None:
    table = Table("measured", "value", "of")
    table.add_row(
        "kappa with the verifier",
        f"{found.kappa:.2f} ({_interval(found.kappa_ci95)})",
        f"{found.decided} answers",
    )
    recall = f"{found.recall_invalid:.0%} ({_interval(found.recall_invalid_ci95)})"
    table.add_row("recall on invalid answers", recall, f"{found.invalid} answers")
    table.add_row(
        "winner is the right answer", f"{found.pair_accuracy:.0%}", f"{found.pairs} pairs"
    )
    table.add_row("swap-flip rate", f"{found.swap_flip_rate:.0%}", f"{found.pairs} pairs")
    table.add_row(
        "same answer when asked again", f"{found.test_retest:.0%}", f"{found.retested} answers"
    )
    table.add_row(
        "abstentions",
        f"{found.abstain_rate:.0%}",
        f"{2 * found.answers + found.answers // 2} questions",
    )
    console.print(f"{found.model}: {'trusted' if found.trusted else 'not trusted'}")
    console.print(table)


def _interval(bounds: tuple[float, float]) -> str:
    return f"{bounds[0]:.2f} to {bounds[1]:.2f}"
