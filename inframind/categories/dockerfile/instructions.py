"""Demands of each instruction on its flags and arguments."""

import re
from collections.abc import Callable, Iterator

from inframind.categories.dockerfile import rules
from inframind.categories.dockerfile.syntax import Instruction
from inframind.categories.shared.formats import is_duration, is_image
from inframind.types import Finding

# https://docs.docker.com/reference/dockerfile/, the options of each instruction.
FLAGS: dict[str, frozenset[str]] = {
    "FROM": frozenset({"platform"}),
    "RUN": frozenset({"mount", "network", "security", "device"}),
    "COPY": frozenset({"from", "chown", "chmod", "link", "parents", "exclude"}),
    "ADD": frozenset({"chown", "chmod", "link", "keep-git-dir", "checksum", "exclude", "unpack"}),
    "HEALTHCHECK": frozenset({"interval", "timeout", "start-period", "start-interval", "retries"}),
}
INSTRUCTIONS = frozenset(
    "FROM RUN CMD LABEL MAINTAINER EXPOSE ENV ADD COPY ENTRYPOINT VOLUME USER WORKDIR ARG ONBUILD "
    "STOPSIGNAL HEALTHCHECK SHELL".split()
)
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# BuildKit's pattern for the names of stages (instructions/parse.go).
ALIAS = re.compile(r"[a-z][a-z0-9_.-]*", re.I)
PORTS = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?(?:/(?:tcp|udp|sctp))?", re.I)
SIGNAL = re.compile(r"SIG[A-Z0-9]+(?:[+-]\d+)?|\d{1,2}")
PAIR = re.compile(
    r"""([^\s="']+|"[^"]*"|'[^']*')=((?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\])*)(?:\s+|$)"""
)


def pairs(rest: str) -> dict[str, str] | None:
    """Read ENV's and LABEL's KEY=value pairs, or the old `KEY value`; None if it is neither."""
    first = rest.split(None, 1)
    if first and "=" not in first[0]:
        return {first[0]: first[1]} if len(first) == 2 else None
    values: dict[str, str] = {}
    position = 0
    while position < len(rest):
        match = PAIR.match(rest, position)
        if match is None:
            return None
        values[match.group(1).strip("\"'")] = unquoted(match.group(2))
        position = match.end()
    return values or None


def unquoted(text: str) -> str:
    """Take the quotes and escapes off a shell-like word."""
    return re.sub(r"""\\(.)|["']""", lambda match: match.group(1) or "", text)


def from_parts(instruction: Instruction) -> tuple[str, str | None] | None:
    """Read (image, alias) of FROM; None if it is malformed."""
    words = instruction.rest.split()
    if len(words) == 1:
        return words[0], None
    if len(words) == 3 and words[1].upper() == "AS" and ALIAS.fullmatch(words[2]):
        return words[0], words[2].lower()
    return None


def from_findings(instruction: Instruction) -> Iterator[Finding]:
    parts = from_parts(instruction)
    if parts is None:
        yield rules.FROM.finding(
            f"FROM {instruction.rest}: write FROM image [AS name]", instruction.line
        )
    elif "$" not in parts[0] and not is_image(parts[0]):
        yield rules.FROM.finding(f"{parts[0]!r} is not an image reference", instruction.line)


def copy_findings(instruction: Instruction) -> Iterator[Finding]:
    words = instruction.words
    if instruction.heredoc:
        return
    if len(words) < 2:
        yield rules.COPY.finding(
            f"{instruction.word} needs at least a source and a target", instruction.line
        )
    # With several sources the target is a folder and ends with a slash (reference, COPY).
    elif len(words) > 2 and not words[-1].endswith(("/", ".", "\\")) and "$" not in words[-1]:
        yield rules.COPY.finding(
            f"{instruction.word} of several sources needs a folder as target: end it with /",
            instruction.line,
        )


def expose_findings(instruction: Instruction) -> Iterator[Finding]:
    if not instruction.words:
        yield rules.EXPOSE.finding("EXPOSE needs a port", instruction.line)
    for word in instruction.words:
        match = PORTS.fullmatch(word)
        low, high = (
            (int(match.group(1)), int(match.group(2) or match.group(1))) if match else (0, 0)
        )
        if "$" not in word and not 1 <= low <= high <= 65535:
            yield rules.EXPOSE.finding(
                f"{word!r} is not a port, or a range, with /tcp or /udp", instruction.line
            )


def pair_findings(instruction: Instruction) -> Iterator[Finding]:
    if pairs(instruction.rest) is None:
        yield rules.KEY_VALUE.finding(
            f"{instruction.word} {instruction.rest[:60]}: write KEY=value", instruction.line
        )


def arg_findings(instruction: Instruction) -> Iterator[Finding]:
    names = [
        word.partition("=")[0]
        for word in re.findall(r"""(?:"[^"]*"|'[^']*'|\S)+""", instruction.rest)
    ]
    if not names or not all(NAME.fullmatch(name) for name in names):
        yield rules.KEY_VALUE.finding(
            f"ARG {instruction.rest[:60]}: write ARG NAME[=default]", instruction.line
        )


def one_argument(instruction: Instruction) -> Iterator[Finding]:
    if len(instruction.rest.split()) < 1 or (
        instruction.word == "USER" and len(instruction.rest.split()) > 1
    ):
        yield rules.ARGUMENT.finding(f"{instruction.word} needs one argument", instruction.line)


def command_findings(instruction: Instruction) -> Iterator[Finding]:
    """Check RUN, CMD, ENTRYPOINT, SHELL and VOLUME.

    A broken JSON list would silently be run by a shell.
    """
    rest = instruction.rest
    if not rest and instruction.word != "CMD" and instruction.word != "ENTRYPOINT":
        yield rules.ARGUMENT.finding(f"{instruction.word} has no argument", instruction.line)
    elif not rest:
        yield rules.ARGUMENT.finding(f"{instruction.word} has no command", instruction.line)
    # `[ -f x ]` is a command of the shell and no list.
    shell_test = rest.startswith("[ ") or rest.startswith("[[")
    if instruction.exec_form is None and (
        instruction.word == "SHELL" or (rest.startswith("[") and not shell_test)
    ):
        yield rules.JSON_FORM.finding(
            f"{instruction.word} {rest[:60]} is not a JSON list of texts", instruction.line
        )


def health_findings(instruction: Instruction) -> Iterator[Finding]:
    kind = instruction.rest.split(None, 1)
    if instruction.rest.strip().upper() == "NONE" and not instruction.flags:
        return
    if len(kind) < 2 or kind[0].upper() != "CMD":
        yield rules.HEALTHCHECK.finding(
            "write HEALTHCHECK [--interval=30s ...] CMD command, or NONE", instruction.line
        )
    for name, value in instruction.flags:
        good = (value.isdigit() and int(value) > 0) if name == "retries" else is_duration(value)
        if not good and "$" not in value:
            yield rules.HEALTHCHECK.finding(
                f"--{name}={value}: write --{name}=30s", instruction.line
            )


def signal_findings(instruction: Instruction) -> Iterator[Finding]:
    if "$" not in instruction.rest and not SIGNAL.fullmatch(instruction.rest):
        yield rules.STOPSIGNAL.finding(
            f"{instruction.rest!r} is not a signal such as SIGTERM", instruction.line
        )


def onbuild_findings(instruction: Instruction) -> Iterator[Finding]:
    word = instruction.rest.split(None, 1)[0].upper() if instruction.rest else ""
    # Neither of these may be triggered (reference, ONBUILD).
    if word not in INSTRUCTIONS or word in ("ONBUILD", "FROM", "MAINTAINER"):
        yield rules.ARGUMENT.finding(
            f"ONBUILD {word}: not an instruction that a child can run", instruction.line
        )


BY_WORD: dict[str, Callable[[Instruction], Iterator[Finding]]] = {
    "FROM": from_findings,
    "COPY": copy_findings,
    "ADD": copy_findings,
    "EXPOSE": expose_findings,
    "ENV": pair_findings,
    "LABEL": pair_findings,
    "ARG": arg_findings,
    "USER": one_argument,
    "WORKDIR": one_argument,
    "MAINTAINER": one_argument,
    "RUN": command_findings,
    "CMD": command_findings,
    "ENTRYPOINT": command_findings,
    "SHELL": command_findings,
    "VOLUME": command_findings,
    "HEALTHCHECK": health_findings,
    "STOPSIGNAL": signal_findings,
    "ONBUILD": onbuild_findings,
}


def findings(instruction: Instruction) -> Iterator[Finding]:
    """Check one instruction: its name, its flags, its arguments."""
    if instruction.word not in INSTRUCTIONS:
        yield rules.INSTRUCTION.finding(f"unknown instruction {instruction.word}", instruction.line)
        return
    for name, _ in instruction.flags:
        if instruction.word not in ("CMD", "ENTRYPOINT", "ONBUILD") and name not in FLAGS.get(
            instruction.word, ()
        ):
            yield rules.FLAG.finding(f"{instruction.word} has no flag --{name}", instruction.line)
    yield from BY_WORD[instruction.word](instruction)
