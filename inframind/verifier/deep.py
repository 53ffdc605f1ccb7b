"""Adds what the category's own tool says of a text to its verdict: `inframind verify --deep`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from inframind.categories import category, deep_tool
from inframind.categories.shared.linters import DeepTool, Opinion
from inframind.errors import SandboxError
from inframind.types import Finding, Outcome, Verdict, VerifyRequest
from inframind.verifier.extract import extract
from inframind.verifier.ladder import PARSED, VALID


@dataclass(frozen=True)
class Deepened:
    """A tool's opinion of one text.

    None where the category has no tool, or a guard refused the text.
    """

    tool: str
    opinion: Opinion | None


def opinions(requests: Sequence[VerifyRequest], verdicts: Sequence[Verdict]) -> list[Deepened]:
    """Asks the tools about the texts that the guards admit, a batch per category.

    A tool that is missing or fails gives the opinion `unavailable`, not an exception.
    """
    answers = [Deepened("", None)] * len(requests)
    admitted = [
        index
        for index, verdict in enumerate(verdicts)
        if verdict.rungs["extract"] == "pass" and verdict.category
    ]
    for name in sorted({verdicts[index].category or "" for index in admitted}):
        tool = deep_tool(name)
        if tool is None:
            continue
        indices = [index for index in admitted if verdicts[index].category == name]
        languages = category(name).languages
        texts = [
            extract(requests[index].text, languages, requests[index].format).text
            for index in indices
        ]
        label, judged = _judged(tool, texts)
        for index, opinion in zip(indices, judged, strict=True):
            answers[index] = Deepened(label, opinion)
    return answers


def _judged(tool: DeepTool, texts: Sequence[str]) -> tuple[str, list[Opinion]]:
    """The tool's name with its version, and its opinions in the texts' order."""
    try:
        version = tool.version()
        if version is not None:
            return version, tool.judge(texts)
        message = f"{tool.name} is not installed: {tool.remedy}"
    except SandboxError as error:
        message = str(error)
    note = Finding(rung="schema", rule="tool-unavailable", message=message)
    return tool.name, [Opinion("unavailable", (note,))] * len(texts)


def deepened(requests: Sequence[VerifyRequest], verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Merges the tools' opinions into the verdicts; where both disagree, an authority wins."""
    return [
        _merged(request, verdict, deep)
        for request, verdict, deep in zip(
            requests, verdicts, opinions(requests, verdicts), strict=True
        )
    ]


def _merged(request: VerifyRequest, verdict: Verdict, deep: Deepened) -> Verdict:
    tool = deep_tool(verdict.category or "")
    if deep.opinion is None or tool is None or verdict.verdict is Outcome.UNSCORABLE:
        return verdict
    opinion = deep.opinion
    is_valid = verdict.rungs["references"] == "pass"
    changed: dict[str, Any] = {"verifier": f"{verdict.verifier}, {deep.tool}"}
    # Whoever asked for the tool may not take a pass of the fast checks for its word.
    if opinion.outcome == "unavailable":
        if is_valid or tool.is_authority:
            rungs = {**verdict.rungs, "schema": "unscorable"}
            changed |= {"verdict": Outcome.UNSCORABLE, "rungs": rungs, "score": 0.0}
        return _with(verdict, opinion.findings, changed)
    if opinion.outcome == "rejects":
        if is_valid:
            rungs = {
                **verdict.rungs,
                "schema": "fail",
                "references": "skipped",
                "intent": "skipped",
                "policy": "skipped",
            }
            # As far as a text that only parses: the tool does not say which rung is broken.
            changed |= {
                "verdict": Outcome.FAIL,
                "rungs": rungs,
                "score": min(verdict.score, PARSED),
            }
        return _with(verdict, opinion.findings, changed)
    notes = [finding.model_copy(update={"severity": "warning"}) for finding in opinion.findings]
    if opinion.outcome == "accepts" and tool.is_authority and not is_valid:
        return _overruled(request, verdict, tool, changed)
    return _with(verdict, notes, changed)


def _overruled(
    request: VerifyRequest, verdict: Verdict, tool: DeepTool, changed: dict[str, Any]
) -> Verdict:
    """Merges the opinion of an authority that accepts what the fast checks refuse.

    With checks or listed policies it stays a fail: they need what the fast checks do not know.
    """
    unsupported = any(finding.severity == "unsupported" for finding in verdict.findings)
    note = Finding(
        rung="schema",
        rule="fast-deep-gap",
        severity="warning",
        message=f"{tool.name} accepts this text: a gap, please report it",
    )
    if unsupported or verdict.rungs["parse"] != "pass" or request.checks or request.policies:
        return _with(verdict, [] if unsupported else [note], changed)
    findings = [finding.model_copy(update={"severity": "warning"}) for finding in verdict.findings]
    rungs = {**verdict.rungs, "schema": "pass", "references": "pass"}
    changed |= {
        "verdict": Outcome.PASS,
        "rungs": rungs,
        "score": VALID,
        "findings": (*findings, note),
    }
    return verdict.model_copy(update=changed)


def _with(verdict: Verdict, findings: Sequence[Finding], changed: dict[str, Any]) -> Verdict:
    return verdict.model_copy(update={"findings": (*verdict.findings, *findings), **changed})
