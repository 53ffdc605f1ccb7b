"""Verdicts for people and for tools: text for a terminal, SARIF for code scanning, Markdown for the docs."""

from collections.abc import Sequence
from typing import Any

from rich.console import Group
from rich.markup import escape
from rich.text import Text

from inframind import __version__
from inframind.categories import category
from inframind.types import Finding, Json, Outcome, Verdict, VerifyRequest

COLOURS = {Outcome.PASS: "green", Outcome.FAIL: "red", Outcome.UNSCORABLE: "yellow"}
SEVERITY_COLOURS = {"error": "red", "unsupported": "yellow", "warning": "yellow", "info": "blue"}
LEVELS = {"error": "error", "unsupported": "error", "warning": "warning", "info": "note"}


def human(request: VerifyRequest, verdict: Verdict) -> Group:
    """The verdict, its rungs and its findings with the lines they speak of."""
    colour = COLOURS[verdict.verdict]
    name = escape(verdict.id if verdict.id != "-" else "standard input")
    title = Text.from_markup(
        f"[bold {colour}]{verdict.verdict.upper():10}[/] [bold]{name}[/] [dim]{verdict.category or 'unknown'}[/]"
    )
    title.append(f"  score {verdict.score:g}", style="dim")
    lines = request.text.split("\n") if request.format == "file" else []
    return Group(
        title,
        *(part for finding in verdict.findings for part in _finding(verdict.id, finding, lines)),
    )


def _finding(name: str, finding: Finding, lines: Sequence[str]) -> list[Text]:
    where = f"{name}:{finding.line}" if finding.line else name
    style = SEVERITY_COLOURS[finding.severity]
    note = Text("  ").append(where, style="cyan").append(f" {finding.severity}", style=style)
    note.append(f" {printable(finding.message)}").append(
        f" [{finding.rung}/{finding.rule}]", style="dim"
    )
    if not finding.line or finding.line > len(lines):
        return [note]
    return [
        note,
        Text(f"    {finding.line:>4} | {printable(lines[finding.line - 1])[:120]}", style="dim"),
    ]


def printable(text: str) -> str:
    """Without control characters: a hostile text must not steer the terminal."""
    return "".join(char if char.isprintable() else " " for char in text)


def sarif(verdicts: Sequence[Verdict]) -> Json:
    """A SARIF 2.1.0 log (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html), one result per finding."""
    rules = sorted({finding.rule for verdict in verdicts for finding in verdict.findings})
    results = [_result(verdict, finding) for verdict in verdicts for finding in verdict.findings]
    driver = {
        "name": "inframind",
        "version": __version__,
        "rules": [{"id": rule} for rule in rules],
    }
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }


def _result(verdict: Verdict, finding: Finding) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": verdict.id}}
    if finding.line:
        place["region"] = {"startLine": finding.line}
    return {
        "ruleId": finding.rule,
        "level": LEVELS[finding.severity],
        "message": {"text": finding.message},
        "locations": [{"physicalLocation": place}],
        "properties": {"rung": finding.rung, "category": verdict.category},
    }


def rule_table(name: str) -> str:
    """The rules of a category as a Markdown page. Raises ConfigError for an unknown category."""
    found = category(name)
    rows = (
        f"| `{rule.id}` | {rule.rung} | {rule.severity} | {rule.summary} | [source]({rule.source}) |"
        for rule in found.rules
    )
    head = ("| rule | rung | severity | what must hold | origin |", "|---|---|---|---|---|")
    note = "Rules of the rungs below `policy` decide the verdict; policy rules inform, unless a task or job lists them."
    return "\n".join((f"# Rules: {found.title}", "", note, "", *head, *rows, ""))
