"""Deep checks: opinions that other tools, run in isolation, have of texts of a category."""

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
    """A tool's verdict on one text, with its reasons.

    `abstains`: the text needs what is not here, such as a file beside it; the fast verdict stands.
    `unavailable`: the environment lacks what the tool needs.
    """

    outcome: Literal["accepts", "rejects", "abstains", "unavailable"]
    findings: tuple[Finding, ...] = ()


class DeepTool(Protocol):
    """A tool that is optional. Its messages carry no content of any file."""

    name: str
    is_authority: bool
    """True if a text that the tool accepts is valid, whatever the fast checks say."""
    remedy: str
    """The advice to a user where it is missing."""

    def version(self) -> str | None:
        """Names what is installed, with the versions of what it needs; None if it is not.

        Raises SandboxError if it does not start.
        """
        ...

    def judge(self, texts: Sequence[str]) -> list[Opinion]:
        """Gives an opinion of each text, in order.

        Raises SandboxError where nothing isolates the tool.
        """
        ...


Weight = Literal["invalid", "advice", "undecided"]
SEVERITIES: dict[Weight, Severity] = {"invalid": "error", "advice": "warning", "undecided": "info"}


class Complaint(NamedTuple):
    """A tool's message about a place in a file.

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
        """Names what is installed, with versions; None if it is not. Asked once: it starts it.

        Raises SandboxError if it does not start.
        """
        raise NotImplementedError

    @cached_property
    def _version(self) -> str | None:
        return self.installed()

    def version(self) -> str | None:
        """Names what is installed; None if the tool is not. Starts the program once."""
        return self._version

    def program(self, names: Sequence[str]) -> Program:
        """Makes the call for these files."""
        raise NotImplementedError

    def complaints(self, finished: Finished) -> dict[str, list[Complaint]] | None:
        """Reads the complaints of each file from a run; None if it did not come to its end."""
        raise NotImplementedError

    def judge(self, texts: Sequence[str]) -> list[Opinion]:
        """Asks the tool for an opinion of each text, in order. Raises SandboxError.

        A text for which alone the tool fails twice is rejected, if the tool works at all.
        """
        results = self._run(texts)
        if results is not None:
            return [self._opinion(complaints) for complaints in results]
        if len(texts) > 1:
            # Halving finds one text among n that stops the tool in about 2 log n runs.
            middle = len(texts) // 2
            return self.judge(texts[:middle]) + self.judge(texts[middle:])
        results = self._run(texts)
        # An empty file tells a tool that does not run at all from a text that stops it.
        if results is None and self._run([""]) is None:
            raise SandboxError(f"{self.name} does not run here")
        return [
            self._opinion(
                results[0]
                if results
                else [Complaint(None, "does not come to its end with this text", "invalid")]
            )
        ]

    def _run(self, texts: Sequence[str]) -> list[list[Complaint]] | None:
        names = [f"{index}{self.suffix}" for index in range(len(texts))]
        with folder() as work:
            for name, text in zip(names, texts, strict=True):
                (work / name).write_text(text)
            try:
                by_file = self.complaints(run(self.program(names), work))
            except OverdueError:
                return None
        return None if by_file is None else [by_file.get(name, []) for name in names]

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
        # A text that is wrong is rejected, even if something else in it cannot be told.
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
        """The path of the program, links followed; None if it is not installed."""
        path = program(self.name)
        return path.resolve() if path else None

    def installed(self) -> str | None:
        """Names the program, with the last word that it prints of its version."""
        if self.tool is None:
            return None
        printed = printed_version(self._call(self.version_option))
        return f"{self.name} {printed.rpartition(' ')[2]}"

    def program(self, names: Sequence[str]) -> Program:
        """Makes the call: the options, then the files."""
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
        """Makes a call of its Python, which reads neither variables nor the folder it runs in."""
        return Program(
            [str(self.python), "-I", *arguments], (*self.readable, *readable), seconds=seconds
        )

    def version(self, distribution: str) -> str:
        """Reads the version of what is installed there.

        Raises SandboxError if it does not start in isolation.
        """
        code = f"from importlib.metadata import version; print(version({distribution!r}))"
        return printed_version(self.program("-c", code))


def environment(variable: str, script: str) -> Environment | None:
    """Finds the environment that the variable names, else the one of a script: beside our Python,
    or on the PATH.
    """
    named, executable = first_folder((variable,), ()), program(script)
    where = named or (executable.resolve().parent.parent if executable else None)
    if (
        where is None
        or not (where / "bin" / script).is_file()
        or not (where / "bin" / "python3").is_file()
    ):
        return None
    # PEP 405: `home` is the folder of the Python that the environment was made with.
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
        """Names what is installed, of both tools if both are."""
        decides, advises = self._tool.version(), self._adviser.version()
        return f"{decides}, {advises}" if decides and advises else decides

    def judge(self, texts: Sequence[str]) -> list[Opinion]:
        """Asks both tools for an opinion of each text, in order. Raises SandboxError."""
        opinions = self._tool.judge(texts)
        if self._adviser.version() is None:
            return opinions
        advice = [
            [finding for finding in opinion.findings if finding.rung == "policy"]
            for opinion in self._adviser.judge(texts)
        ]
        return [
            Opinion(opinion.outcome, (*opinion.findings, *more))
            for opinion, more in zip(opinions, advice, strict=True)
        ]


def json_rows(output: str) -> Iterator[dict[str, Any]] | None:
    """Reads the objects of a JSON list, or None if the output is none."""
    try:
        rows = json.loads(output)
    except ValueError:
        return None
    return (row for row in rows if isinstance(row, dict)) if isinstance(rows, list) else None


def printed_version(call: Program) -> str:
    """Reads the first line that a tool prints of its version.

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
