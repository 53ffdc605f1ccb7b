"""`inframind verify --agreement FOLDER`: how far the fast checks agree with the categories' own tools, and where they do not."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.table import Table

from inframind.categories import CATEGORIES, deep_tool
from inframind.types import Contract, Outcome, Verdict, VerifyRequest
from inframind.verifier.deep import Deepened, opinions
from inframind.verifier.verifier import Verifier

SHOWN = 3
MAX_BYTES = 200_000


class Disagreement(Contract):
    """One file of which the two say different things."""

    file: str
    fast: str
    deep: str
    why: tuple[str, ...]
    """The findings of the side that refuses."""


class CategoryAgreement(Contract):
    """Counts of files. `false_accept`: fast says pass and the tool refuses; `false_reject`: the other way round."""

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
    """A request per file below the folder that a guard would admit; the category is detected unless it is given."""
    return [
        VerifyRequest(
            id=str(path.relative_to(folder)),
            text=path.read_bytes().decode("utf-8", "replace"),
            category=category,
            format="file",
            filename=path.name,
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.stat().st_size <= MAX_BYTES
    ]


def agreement(verifier: Verifier, given: Sequence[VerifyRequest]) -> list[CategoryAgreement]:
    """The agreement of each category that has a tool."""
    verdicts = verifier.verify_many(given)
    deep = opinions(given, verdicts)
    return [
        _counted(name, verdicts, deep)
        for name in CATEGORIES
        if any(verdict.category == name for verdict in verdicts) and deep_tool(name)
    ]


def _counted(name: str, verdicts: Sequence[Verdict], deep: Sequence[Deepened]) -> CategoryAgreement:
    rows = [
        (verdict, one)
        for verdict, one in zip(verdicts, deep, strict=True)
        if verdict.category == name and one.opinion
    ]
    counts = dict.fromkeys(
        ("both_accept", "both_reject", "false_accept", "false_reject", "undecided"), 0
    )
    disagreements = []
    for verdict, one in rows:
        cell = _cell(verdict, one)
        counts[cell] += 1
        if cell in ("false_accept", "false_reject"):
            disagreements.append(_disagreement(verdict, one))
    tool = next((one.tool for _, one in rows), "")
    return CategoryAgreement(
        category=name, tool=tool, files=len(rows), disagreements=tuple(disagreements), **counts
    )


def _cell(verdict: Verdict, one: Deepened) -> str:
    assert one.opinion is not None
    unsupported = any(finding.severity == "unsupported" for finding in verdict.findings)
    if (
        one.opinion.outcome in ("abstains", "unavailable")
        or unsupported
        or verdict.verdict is Outcome.UNSCORABLE
    ):
        return "undecided"
    fast, deep = verdict.verdict is Outcome.PASS, one.opinion.outcome == "accepts"
    return {
        (True, True): "both_accept",
        (False, False): "both_reject",
        (True, False): "false_accept",
        (False, True): "false_reject",
    }[fast, deep]


def _disagreement(verdict: Verdict, one: Deepened) -> Disagreement:
    assert one.opinion is not None
    passes = verdict.verdict is Outcome.PASS
    refusing = one.opinion.findings if passes else verdict.findings
    why = [
        f"line {finding.line}: {finding.message}" if finding.line else finding.message
        for finding in refusing
        if finding.severity == "error"
    ]
    return Disagreement(
        file=verdict.id, fast=verdict.verdict, deep=one.opinion.outcome, why=tuple(why[:SHOWN])
    )


def tables(found: Sequence[CategoryAgreement]) -> Iterator[Table]:
    """For a terminal: the counts, then the disagreements."""
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
    for one in found:
        numbers = (
            one.files,
            one.both_accept,
            one.both_reject,
            one.false_accept,
            one.false_reject,
            one.undecided,
        )
        counts.add_row(one.category, one.tool, *map(str, numbers))
    yield counts
    if any(one.disagreements for one in found):
        listed = Table("category", "file", "fast", "deep", "why")
        for one in found:
            for gap in one.disagreements:
                listed.add_row(one.category, gap.file, gap.fast, gap.deep, "\n".join(gap.why))
        yield listed
