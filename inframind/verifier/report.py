"""Verdicts for people and for tools: text for a terminal, SARIF for code scanning."""

from collections.abc import Sequence
from typing import Any

from rich.console import Group
from rich.markup import escape
from rich.text import Text

from inframind import __version__
from inframind.types import Finding, Json, Outcome, Verdict, VerifyRequest
from inframind.verifier.rules import rule_named, summary_of

COLOURS = {Outcome.PASS: "green", Outcome.FAIL: "red", Outcome.UNSCORABLE: "yellow"}
SEVERITY_COLOURS = {"error": "red", "unsupported": "yellow", "warning": "yellow", "info": "blue"}
LEVELS = {"error": "error", "unsupported": "error", "warning": "warning", "info": "note"}


def human(request: VerifyRequest, verdict: Verdict) -> Group:
    """The verdict, its rungs and its findings with the lines they speak of."""
    colour = COLOURS[verdict.verdict]
    name = escape(verdict.id if verdict.id != "-" else "standard input")
    title = Text.from_markup(
        f"[bold {colour}]{verdict.verdict.upper():10}[/] [bold]{name}[/] "
        f"[dim]{verdict.category or 'unknown'}[/]"
    )
    title.append(f"  score {verdict.score:g}", style="dim")
    # In an answer the findings' lines are those of the block: the text has others.
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
    """Writes a SARIF 2.1.0 log, one result per finding.

    https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
    """
    users: dict[str, dict[str | None, None]] = {}
    for verdict in verdicts:
        for finding in verdict.findings:
            users.setdefault(finding.rule, {})[verdict.category] = None
    results = [_result(verdict, finding) for verdict in verdicts for finding in verdict.findings]
    driver = {
        "name": "inframind",
        "version": __version__,
        "rules": [_descriptor(name, tuple(users[name])) for name in sorted(users)],
    }
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }


def _descriptor(name: str, categories: Sequence[str | None]) -> dict[str, Any]:
    """Describes a rule once for all categories of the log; each adds its own source to the help."""
    rules = {user: rule for user in categories if (rule := rule_named(name, user))}
    if not rules:
        return {"id": name}
    rule = next(iter(rules.values()))
    sources = {
        f"{user or 'any text'}: {rule_of_user.source}": None for user, rule_of_user in rules.items()
    }
    descriptor: dict[str, Any] = {
        "id": name,
        "shortDescription": {"text": summary_of(rule)},
        "help": {"text": "\n".join(sources)},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
    }
    # A helpUri is absolute: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
    if rule.source.startswith("https://"):
        descriptor["helpUri"] = rule.source
    return descriptor


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
