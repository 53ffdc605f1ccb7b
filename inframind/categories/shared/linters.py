"""Deep checks: what another tool, run in isolation, says of texts of a category."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from inframind.errors import SandboxError
from inframind.sandbox.isolation import (
    Finished,
    OverdueError,
    Program,
    first_folder,
    folder,
    program,
    run,
)
from inframind.types import Finding, Rung, Severity

SECONDS, SECONDS_EACH = 60.0, 0.5


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a tool says of one text, and why.

    `abstains`: the text needs what is not here, such as a file beside it; the fast verdict stands.
    `unavailable`: the environment lacks what the tool needs.
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
        """What is installed, with the versions of what it needs; None if it is not.

        Raises SandboxError if it does not start.
        """
        ...

    def judge(self, texts: Sequence[str]) -> list[Opinion]:
        """An opinion for each text, in order.

        Raises SandboxError where nothing isolates the tool.
        """
        ...


Weight = Literal["invalid", "advice", "undecided"]
SEVERITIES: dict[Weight, Severity] = {"invalid": "error", "advice": "warning", "undecided": "info"}


class Complaint(NamedTuple):
    """What a tool says of a place in a file.

    `invalid`: the file cannot be used. `undecided`: the tool cannot tell, because something is not
    here.
    """

    line: int | None
    message: str
    weight: Weight


class Linter:
    """A tool that reads files and prints JSON.

    A run for many files at once that fails is repeated for each alone.
    """

    name: str
    rule: str
    """The rule of its findings."""
    suffix: str
    """Of the files' names."""
    is_authority = False

    def installed(self) -> str | None:
        """As `version` of DeepTool. Asked once: it starts a program."""
        raise NotImplementedError

    @cached_property
    def _version(self) -> str | None:
        return self.installed()

    def version(self) -> str | None:
        """As DeepTool."""
        return self._version

    def program(self, names: Sequence[str]) -> Program:
        """The call for these files."""
        raise NotImplementedError

    def complaints(self, finished: Finished) -> dict[str, list[Complaint]] | None:
        """What it says of each file; None if it did not run to its end."""
        raise NotImplementedError

    def judge(self, texts: Sequence[str]) -> list[Opinion]:
        """As DeepTool.

        A text for which alone the tool fails twice is rejected, if the tool works at all.
        """
        found = self._run(texts)
        if found is not None:
            return [self._opinion(complaints) for complaints in found]
        if len(texts) > 1:
            middle = len(texts) // 2
            return self.judge(texts[:middle]) + self.judge(texts[middle:])
        found = self._run(texts)
        if found is None and self._run([""]) is None:
            raise SandboxError(f"{self.name} does not run here")
        return [
            self._opinion(
                found[0]
                if found
                else [Complaint(None, "does not come to its end with this text", "invalid")]
            )
        ]

    def _run(self, texts: Sequence[str]) -> list[list[Complaint]] | None:
        names = [f"{index}{self.suffix}" for index in range(len(texts))]
        with folder() as work:
            for name, text in zip(names, texts, strict=True):
                (work / name).write_text(text)
            try:
                found = self.complaints(run(self.program(names), work))
            except OverdueError:
                return None
        return None if found is None else [found.get(name, []) for name in names]

    def _opinion(self, complaints: Sequence[Complaint]) -> Opinion:
        findings = []
        for line, message, weight in dict.fromkeys(complaints):
            rung: Rung = "policy" if weight == "advice" else "schema"
            said = f"{self.name}: {message}"
            findings.append(
                Finding(
                    rung=rung, rule=self.rule, severity=SEVERITIES[weight], line=line, message=said
                )
            )
        weights = {complaint.weight for complaint in complaints}
        if "invalid" in weights:
            return Opinion("rejects", tuple(findings))
        return Opinion("abstains" if "undecided" in weights else "accepts", tuple(findings))


class Executable(Linter):
    """A linter that is one program, called `name`, with options before its files."""

    options: tuple[str, ...]
    version_option = "--version"

    @cached_property
    def tool(self) -> Path | None:
        """Where the program is."""
        found = program(self.name)
        return found.resolve() if found else None

    def installed(self) -> str | None:
        """As Linter: the program's name and the last word that it prints of its version."""
        if self.tool is None:
            return None
        printed = printed_version(self._call(self.version_option))
        return f"{self.name} {printed.rpartition(' ')[2]}"

    def program(self, names: Sequence[str]) -> Program:
        """As Linter."""
        return self._call(*self.options, *names, seconds=SECONDS + SECONDS_EACH * len(names))

    def _call(self, *arguments: str, seconds: float = SECONDS) -> Program:
        tool = self.tool or Path(self.name)
        return Program([str(tool), *arguments], (tool,), seconds=seconds)


@dataclass(frozen=True, slots=True)
class Environment:
    """The Python environment that a tool is installed in, which need not be ours."""

    python: Path
    readable: tuple[Path, ...]

    def program(
        self, *arguments: str, readable: Sequence[Path] = (), seconds: float = SECONDS
    ) -> Program:
        """A call of its Python, which looks neither at variables nor at the folder it runs in."""
        return Program(
            [str(self.python), "-I", *arguments], (*self.readable, *readable), seconds=seconds
        )

    def version(self, distribution: str) -> str:
        """The version of what is installed there.

        Raises SandboxError if it does not start in isolation.
        """
        code = f"from importlib.metadata import version; print(version({distribution!r}))"
        return printed_version(self.program("-c", code))


def environment(variable: str, script: str) -> Environment | None:
    """The environment that the variable names, else the one of a script: beside our Python, or on
    the PATH.
    """
    named, found = first_folder((variable,), ()), program(script)
    where = named or (found.resolve().parent.parent if found else None)
    if (
        where is None
        or not (where / "bin" / script).is_file()
        or not (where / "bin" / "python3").is_file()
    ):
        return None
    configuration = where / "pyvenv.cfg"
    lines = configuration.read_text().splitlines() if configuration.is_file() else []
    homes = [
        line.partition("=")[2].strip() for line in lines if line.partition("=")[0].strip() == "home"
    ]
    return Environment(where / "bin" / "python3", (where, *(Path(home).parent for home in homes)))


class Advised:
    """A tool that decides, and another that adds advice to its opinions where it is installed."""

    def __init__(self, tool: DeepTool, adviser: DeepTool) -> None:
        self._tool, self._adviser = tool, adviser
        self.name, self.is_authority, self.remedy = tool.name, tool.is_authority, tool.remedy

    def version(self) -> str | None:
        """As DeepTool; of both, if both are there."""
        decides, advises = self._tool.version(), self._adviser.version()
        return f"{decides}, {advises}" if decides and advises else decides

    def judge(self, texts: Sequence[str]) -> list[Opinion]:
        """As DeepTool."""
        opinions = self._tool.judge(texts)
        if self._adviser.version() is None:
            return opinions
        advice = [
            [finding for finding in one.findings if finding.rung == "policy"]
            for one in self._adviser.judge(texts)
        ]
        return [
            Opinion(one.outcome, (*one.findings, *more))
            for one, more in zip(opinions, advice, strict=True)
        ]


def json_rows(output: str) -> Iterator[dict[str, Any]] | None:
    """The objects of a JSON list, or None if the output is none."""
    try:
        rows = json.loads(output)
    except ValueError:
        return None
    return (row for row in rows if isinstance(row, dict)) if isinstance(rows, list) else None


def printed_version(call: Program) -> str:
    """The first line that a tool prints of its version.

    Raises SandboxError if it does not start in isolation.
    """
    with folder() as work:
        try:
            finished = run(call, work)
        except OverdueError as error:
            raise SandboxError(str(error)) from None
    if finished.status != 0:
        raise SandboxError(f"{Path(call.command[0]).name} does not start in isolation")
    return finished.output.strip().partition("\n")[0]
