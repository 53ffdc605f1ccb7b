"""Evaluations side by side, as `jobs results` and `models compare` print them."""

from typing import Any

from rich.markup import escape
from rich.table import Column, Table

from app.cli.output import console


def comparison(rows: list[dict[str, Any]]) -> Table:
    """Lay evaluations side by side: a column for each model."""
    table = Table("", *(Column(row["name"], overflow="fold") for row in rows))
    table.add_row("pass rate", *(share(row) for row in rows))
    for category in sorted({name for row in rows for name in row["by_category"]}):
        table.add_row(category, *(share(row["by_category"].get(category)) for row in rows))
    table.add_row("new families", *(share(row["new_families"]) for row in rows))
    for judge in sorted({name for row in rows for name in row["judge"]}):
        for score in sorted({name for row in rows for name in row["judge"].get(judge, {})}):
            values = (row["judge"].get(judge, {}).get(score) for row in rows)
            table.add_row(
                f"{judge}: {score}", *("-" if value is None else f"{value:.2f}" for value in values)
            )
    return table


def share(rate: dict[str, Any] | None) -> str:
    """Write a pass rate with its interval."""
    if not rate or not rate["n"]:
        return "-"
    low, high = rate["ci95"]
    return f"{rate['pass_at_1']:.1%} of {rate['n']} ({low:.1%}-{high:.1%})"


def show_judge(evaluation: dict[str, Any]) -> None:
    """Name the judge model, if one was asked, and say whether it may be believed."""
    if judge := evaluation.get("judge_model"):
        trust = "trusted" if judge["trusted"] else f"not trusted: {judge['note']}"
        console.print(escape(f"llm is {judge['model']} ({trust})"))
