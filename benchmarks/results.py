"""Print the tables and draw the picture of docs/results from the demo's reports.

Usage: `python benchmarks/results.py docs/results/*.json`.

Prints Markdown; `--svg FILE` draws the table of the first report.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from rich.console import Console

from workers.demo.__main__ import table_of


def markdown(report: dict[str, Any]) -> str:
    """A report as a Markdown table."""
    lines = [
        "| model | pass rate | 95 % interval | new families | training seconds |",
        "|---|---|---|---|---|",
    ]
    for row in report["rows"]:
        (low, high), new = row["ci95"], row["new_families"]
        lines.append(
            f"| {row['model']} | {row['pass_at_1']:.1%} of {row['n']} | {low:.1%} to {high:.1%} "
            f"| {new['pass_at_1']:.1%} of {new['n']} | {row['train_seconds']:.0f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Print every report's table; with --svg also draw the first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reports", nargs="+", type=Path)
    parser.add_argument("--svg", type=Path)
    options = parser.parse_args()
    for path in options.reports:
        report = json.loads(path.read_text())
        print(
            f"\n### {path.stem}\n\n{markdown(report)}\n\n"
            f"{report['wall_seconds']:.0f} s in all. {report['machine']}."
        )
    if options.svg:
        console = Console(record=True, width=118, force_terminal=True)
        console.print(table_of(json.loads(options.reports[0].read_text())["rows"]))
        console.save_svg(str(options.svg), title="make demo")


if __name__ == "__main__":
    main()
