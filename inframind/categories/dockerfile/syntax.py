"""Lines to instructions: continuations, comments, the escape directive, heredocs, flags and the
exec form.

A reader of our own: the ported Go parser accepts unknown words and unknown flags, and a second Go
runtime in a worker that also reads HCL is a risk without a gain.
"""

import json
import re
from dataclasses import dataclass

from inframind.categories.base import ParseError
from inframind.categories.dockerfile import rules

DIRECTIVE = re.compile(r"#\s*([a-zA-Z]+)\s*=\s*(\S+)\s*$")
HEREDOC = re.compile(r"<<-?\s*([\"']?)([A-Za-z_][A-Za-z0-9_]*)\1")
WORD = re.compile(r"[A-Za-z]+")
FLAG = re.compile(r"--([a-z][a-z-]*)(?:=(\S*))?(?:\s+|$)")
# https://docs.docker.com/reference/dockerfile/#here-documents
TAKES_HEREDOC = frozenset({"RUN", "COPY", "ADD"})
# https://docs.docker.com/reference/dockerfile/#environment-replacement
VARIABLE = re.compile(
    r"\\\$|\$(?:\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-+?])([^}]*))?\}|([A-Za-z_][A-Za-z0-9_]*))"
)


@dataclass(frozen=True)
class Instruction:
    """Hold one instruction. `rest` is its text after the flags, heredocs included."""

    word: str
    rest: str
    flags: tuple[tuple[str, str], ...]
    line: int
    heredoc: bool = False
    end: int = 0
    """How many lines of the text go before the next instruction."""

    def flag(self, name: str) -> str | None:
        """Read the value of `--name`, or None."""
        return dict(self.flags).get(name)

    @property
    def exec_form(self) -> list[str] | None:
        """Read the arguments as a JSON list of texts; None if they are none."""
        if not self.rest.startswith("["):
            return None
        try:
            value = json.loads(self.rest)
        except ValueError:
            return None
        return (
            value
            if isinstance(value, list) and all(isinstance(item, str) for item in value)
            else None
        )

    @property
    def words(self) -> list[str]:
        """Split the arguments at spaces, or take the items of the exec form."""
        return self.exec_form if self.exec_form is not None else self.rest.split()


def read(text: str) -> list[Instruction]:
    """Read all instructions of a text.

    Raises ParseError for a line that cannot be one, an open heredoc, and an empty text.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    escape, index = _directives(lines)
    instructions: list[Instruction] = []
    while index < len(lines):
        start = index
        logical, index = _logical(lines, index, escape)
        if not logical:
            continue
        match = WORD.match(logical)
        if match is None or (match.end() < len(logical) and not logical[match.end()].isspace()):
            raise ParseError(
                rules.SYNTAX.finding(f"{logical[:60]!r} is not an instruction", start + 1)
            )
        word = match.group().upper()
        rest = logical[match.end() :].strip()
        flags, rest = _flags(rest)
        body, index = _heredocs(lines, index, rest, start) if word in TAKES_HEREDOC else ("", index)
        instructions.append(Instruction(word, rest + body, flags, start + 1, bool(body), index))
    if not instructions:
        raise ParseError(rules.SYNTAX.finding("there are no instructions"))
    return instructions


def _directives(lines: list[str]) -> tuple[str, int]:
    escape, index = "\\", 0
    # Directives stand above everything else, comments too (reference, Parser directives).
    while index < len(lines) and (match := DIRECTIVE.match(lines[index].strip())):
        if match.group(1).lower() == "escape" and match.group(2) in ("\\", "`"):
            escape = match.group(2)
        index += 1
    return escape, index


def _logical(lines: list[str], index: int, escape: str) -> tuple[str, int]:
    """Join one logical line from `index` on, empty for comments and blanks.

    Returns it with the index where the next begins.
    """
    pieces: list[str] = []
    while index < len(lines):
        line = lines[index]
        index += 1
        stripped = line.strip()
        # Comments and empty lines do not end a continuation: BuildKit drops them.
        if stripped.startswith("#") or (not stripped and pieces):
            if pieces:
                continue
            return "", index
        body = line.rstrip()
        if body.endswith(escape):
            pieces.append(body[:-1])
            continue
        pieces.append(line)
        break
    return "".join(pieces).strip(), index


def _flags(rest: str) -> tuple[tuple[tuple[str, str], ...], str]:
    flags: list[tuple[str, str]] = []
    while match := FLAG.match(rest):
        flags.append((match.group(1), match.group(2) or ""))
        rest = rest[match.end() :]
    return tuple(flags), rest


def _heredocs(lines: list[str], index: int, rest: str, start: int) -> tuple[str, int]:
    body: list[str] = []
    for match in HEREDOC.finditer(rest):
        end = match.group(2)
        while True:
            if index >= len(lines):
                raise ParseError(
                    rules.SYNTAX.finding(f"the heredoc {end} is not closed", start + 1)
                )
            line = lines[index]
            index += 1
            # `<<-` lets tabs stand before the end mark, as in a shell.
            if line.strip("\t" if "<<-" in match.group() else "") == end:
                break
            body.append(line)
    return ("\n" + "\n".join(body)) if body else "", index


def substitute(text: str, values: dict[str, str | None]) -> str:
    """Put known values for `$NAME`, `${NAME}`, `${NAME:-default}` and `${NAME:+other}`.

    Variables without a value stay as they are.
    """

    def value(match: re.Match[str]) -> str:
        name = match.group(1) or match.group(4)
        if name is None:
            return match.group()
        current = values.get(name)
        operator, other = match.group(2), match.group(3)
        if operator in (":-", "-"):
            return current if current else other
        if operator in (":+", "+"):
            return other if current else ""
        return current if current is not None else match.group()

    return VARIABLE.sub(value, text)
