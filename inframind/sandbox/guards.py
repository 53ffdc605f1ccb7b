"""Cheap tests before any parser sees hostile text. What they refuse is a `fail`: the text is at fault.

The limits come from measurements: recursive parsers abort the process on deep nesting, and quadratic ones stall on long runs.
"""

import re
from dataclasses import dataclass

MAX_BYTES = 200_000
MAX_LINES = 10_000
MAX_LINE = 20_000
MAX_DEPTH = 60
MAX_INDENT = 400
MAX_DIGITS = 400

BRACKETS = re.compile(r"[\[\](){}]")
DIGITS = re.compile(rf"[0-9][0-9:_]{{{MAX_DIGITS}}}")


@dataclass(frozen=True)
class Refusal:
    """Which guard refused the text, and why."""

    rule: str
    message: str


def depth(text: str) -> int:
    """Deepest nesting of brackets, those in strings included: a bound, not a parse."""
    level = deepest = 0
    for match in BRACKETS.finditer(text):
        if match.group() in "[({":
            level += 1
            deepest = max(deepest, level)
        else:
            level = max(0, level - 1)
    return deepest


def refusal(text: str) -> Refusal | None:
    """The first guard that the text breaks, or None."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return Refusal("guard-encoding", "the text is not valid UTF-8: it has a lone surrogate")
    if size > MAX_BYTES:
        return Refusal("guard-size", f"the text has {size:,} bytes; at most {MAX_BYTES:,} are checked")
    if "\x00" in text:
        return Refusal("guard-nul", "the text has a NUL character")
    lines = text.split("\n")
    if len(lines) > MAX_LINES:
        return Refusal("guard-lines", f"the text has {len(lines):,} lines; at most {MAX_LINES:,} are checked")
    if max(map(len, lines)) > MAX_LINE:
        return Refusal("guard-line-length", f"a line has over {MAX_LINE:,} characters")
    if any(line.startswith(" " * MAX_INDENT) and line.strip() for line in lines):
        return Refusal("guard-depth", f"a line is indented by over {MAX_INDENT} spaces")
    if depth(text) > MAX_DEPTH:
        return Refusal("guard-depth", f"brackets are nested over {MAX_DEPTH} deep")
    if DIGITS.search(text):
        return Refusal("guard-digits", f"a number has over {MAX_DIGITS} digits")
    return None
