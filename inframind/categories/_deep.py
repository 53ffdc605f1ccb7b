"""Deep checks: what another tool, run in isolation, says of texts of a category."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from inframind.errors import SandboxError
from inframind.sandbox.isolation import Finished, OverdueError, Program, folder, run
from inframind.types import Finding, Rung

SECONDS, SECONDS_EACH = 60.0, 0.5


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a tool says of one text, and why.

    `abstains`: the text needs what is not here, such as a file beside it; the fast verdict stands. `unavailable`: the environment
    lacks what the tool needs.
    """

    outcome: Literal["accepts", "rejects", "abstains", "unavailable"]
    findings: tuple[Finding, ...] = ()


class DeepTool(Protocol):
    """A tool that is optional. Its messages carry no content of any file."""

    name: str
    is_authority: bool
    """Whether a text that the tool accepts is valid, whatever the fast checks say."""
    remedy: str
    """What to do where it is missing."""

    def version(self) -> str | None:
        """What is installed, with the versions of what it needs; None if it is not. Raises SandboxError if it does not start."""
        ...

    def judge(self, texts: Sequence[str]) -> list[Opinion]:
        """An opinion for each text, in order. Raises SandboxError where nothing isolates the tool."""
        ...


class Linter:
    """A tool that reads files and prints JSON. A run for many files at once that fails is repeated for each alone."""

    name: str
    rule: str
    """The rule of its findings."""
    suffix: str
    """Of the files' names."""
    is_authority = False

    def program(self, names: Sequence[str]) -> Program:
        """The call for these files."""
        raise NotImplementedError

    def complaints(self, finished: Finished) -> dict[str, list[tuple[int | None, str, bool]]] | None:
        """File -> (line, message, whether the text is invalid for it); None if it did not run to its end."""
        raise NotImplementedError

    def judge(self, texts: Sequence[str]) -> list[Opinion]:
        """As DeepTool. A text for which alone the tool fails twice is rejected, if the tool works at all."""
        found = self._run(texts)
        if found is not None:
            return [self._opinion(complaints) for complaints in found]
        if len(texts) > 1:
            middle = len(texts) // 2
            return self.judge(texts[:middle]) + self.judge(texts[middle:])
        found = self._run(texts)
        if found is None and self._run([""]) is None:
            raise SandboxError(f"{self.name} does not run here")
        return [self._opinion(found[0] if found else [(None, "does not come to its end with this text", True)])]

    def _run(self, texts: Sequence[str]) -> list[list[tuple[int | None, str, bool]]] | None:
        names = [f"{index}{self.suffix}" for index in range(len(texts))]
        with folder() as work:
            for name, text in zip(names, texts, strict=True):
                (work / name).write_text(text)
            try:
                found = self.complaints(run(self.program(names), work))
            except OverdueError:
                return None
        return None if found is None else [found.get(name, []) for name in names]

    def _opinion(self, complaints: Sequence[tuple[int | None, str, bool]]) -> Opinion:
        findings = []
        for line, message, invalid in dict.fromkeys(complaints):
            rung: Rung = "schema" if invalid else "policy"
            text = f"{self.name}: {message}"
            severity: Literal["error", "warning"] = "error" if invalid else "warning"
            findings.append(Finding(rung=rung, rule=self.rule, severity=severity, line=line, message=text))
        return Opinion("rejects" if any(invalid for _, _, invalid in complaints) else "accepts", tuple(findings))


def json_rows(output: str) -> Iterator[dict[str, Any]] | None:
    """The objects of a JSON list, or None if the output is none."""
    try:
        rows = json.loads(output)
    except ValueError:
        return None
    return (row for row in rows if isinstance(row, dict)) if isinstance(rows, list) else None


def printed_version(tool: Path, *arguments: str, readable: Sequence[Path] = ()) -> str:
    """The first line that a tool prints of its version. Raises SandboxError if it does not start in isolation."""
    with folder() as work:
        try:
            finished = run(Program([str(tool), *arguments], (tool, *readable)), work)
        except OverdueError as error:
            raise SandboxError(str(error)) from None
    if finished.status != 0:
        raise SandboxError(f"{tool.name} does not start in isolation")
    return finished.output.strip().partition("\n")[0]
