"""Measures the fast checks against the categories' own tools: `inframind verify --agreement`."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.table import Table

from inframind.categories import CATEGORIES, deep_tool
from inframind.sandbox.guards import MAX_BYTES
from inframind.types import Contract, Outcome, Verdict, VerifyRequest
from inframind.verifier.deep import Deepened, opinions
from inframind.verifier.verifier import Verifier

SHOWN = 3
"""Findings of a disagreement that are kept."""


class Disagreement(Contract):
    """One file of which the fast checks and the tool say different things."""

    file: str
    fast: str
    deep: str
    why: tuple[str, ...]
    """The findings of the side that refuses."""


class CategoryAgreement(Contract):
    """Counts the files of a category by what both sides say of them.

    `false_accept`: the fast checks pass what the tool refuses; `false_reject`: the other way round.
    """

    category: str
    tool: str
    files: int = 0
    both_accept: int = 0
    both_reject: int = 0
    false_accept: int = 0
    false_reject: int = 0
    undecided: int = 0
    """What the tool could not judge, or the fast checks do not support."""
    disagreements: tuple[Disagreement, ...] = ()


def requests_below(folder: Path, category: str | None = None) -> list[VerifyRequest]:
    """Makes a request of each file below the folder whose size the guards admit.

    The category is detected unless it is given.
    """
    return [
        VerifyRequest(
            id=str(path.relative_to(folder)),
            text=path.read_bytes().decode("utf-8", "replace"),
            category=category,
            format="file",
            filename=path.name,
        )
        # Sorted: two runs list the same gaps in the same order.
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.stat().st_size <= MAX_BYTES
    ]


def agreement(verifier: Verifier, requests: Sequence[VerifyRequest]) -> list[CategoryAgreement]:
    """Judges each text both ways and counts, for every category that has a tool."""
    verdicts = verifier.verify_many(requests)
    deep = opinions(requests, verdicts)
    return [
        _counted(name, verdicts, deep)
        for name in CATEGORIES
        if any(verdict.category == name for verdict in verdicts) and deep_tool(name)
    ]


def _counted(name: str, verdicts: Sequence[Verdict], deep: Sequence[Deepened]) -> CategoryAgreement:
    rows = [
        (verdict, deepened)
        for verdict, deepened in zip(verdicts, deep, strict=True)
        if verdict.category == name and deepened.opinion
    ]
    counts = dict.fromkeys(
        ("both_accept", "both_reject", "false_accept", "false_reject", "undecided"), 0
    )
    disagreements = []
    for verdict, deepened in rows:
        cell = _cell(verdict, deepened)
        counts[cell] += 1
        if cell in ("false_accept", "false_reject"):
            disagreements.append(_disagreement(verdict, deepened))
    tool = next((deepened.tool for _, deepened in rows), "")
    return CategoryAgreement(
        category=name, tool=tool, files=len(rows), disagreements=tuple(disagreements), **counts
    )


def _cell(verdict: Verdict, deepened: Deepened) -> str:
    """Names the count that the file belongs to."""
    assert deepened.opinion is not None
    # Where one side gives no answer, neither is wrong: such files are in no error rate.
    unsupported = any(finding.severity == "unsupported" for finding in verdict.findings)
    if (
        deepened.opinion.outcome in ("abstains", "unavailable")
        or unsupported
        or verdict.verdict is Outcome.UNSCORABLE
    ):
        return "undecided"
    fast, deep = verdict.verdict is Outcome.PASS, deepened.opinion.outcome == "accepts"
    return {
        (True, True): "both_accept",
        (False, False): "both_reject",
        (True, False): "false_accept",
        (False, True): "false_reject",
    }[fast, deep]


def _disagreement(verdict: Verdict, deepened: Deepened) -> Disagreement:
    assert deepened.opinion is not None
    passes = verdict.verdict is Outcome.PASS
    refusing = deepened.opinion.findings if passes else verdict.findings
    why = [
        f"line {finding.line}: {finding.message}" if finding.line else finding.message
        for finding in refusing
        # Warnings refuse no file.
        if finding.severity == "error"
    ]
    return Disagreement(
        file=verdict.id, fast=verdict.verdict, deep=deepened.opinion.outcome, why=tuple(why[:SHOWN])
    )


def tables(agreements: Sequence[CategoryAgreement]) -> Iterator[Table]:
    """Lays the counts, then the disagreements, out for a terminal."""
    counts = Table(
        "category",
        "tool",
        "files",
        "both accept",
        "both reject",
        "false accept",
        "false reject",
        "undecided",
    )
    for row in agreements:
        numbers = (
            row.files,
            row.both_accept,
            row.both_reject,
            row.false_accept,
            row.false_reject,
            row.undecided,
        )
        counts.add_row(row.category, row.tool, *map(str, numbers))
    yield counts
    if any(row.disagreements for row in agreements):
        listed = Table("category", "file", "fast", "deep", "why")
        for row in agreements:
            for gap in row.disagreements:
                listed.add_row(row.category, gap.file, gap.fast, gap.deep, "\n".join(gap.why))
        yield listed
