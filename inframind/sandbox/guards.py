"""Tests hostile text cheaply, before any parser sees it. What is refused is a `fail`.

The limits come from measurements: recursive parsers abort the process on deep nesting, and
quadratic ones stall on long runs.
"""

import re
from dataclasses import dataclass

MAX_BYTES = 200_000
MAX_LINES = 10_000
MAX_LINE = 20_000
MAX_DEPTH = 60
MAX_INDENT = 400
MAX_DIGITS = 400

INDENT = " " * MAX_INDENT
BRACKETS = re.compile(r"[\[\](){}]")
DIGITS = re.compile(rf"[0-9][0-9:_]{{{MAX_DIGITS}}}")


@dataclass(frozen=True)
class Refusal:
    """The guard that refuses a text, and its reason."""

    rule: str
    message: str


def is_deep(text: str) -> bool:
    """Tells brackets that are nested deeper than MAX_DEPTH.

    Those in strings count too: it is a bound, not a parse.
    """
    if text.count("[") + text.count("(") + text.count("{") <= MAX_DEPTH:
        return False
    level = 0
    for match in BRACKETS.finditer(text):
        level = level + 1 if match.group() in "[({" else max(0, level - 1)
        if level > MAX_DEPTH:
            return True
    return False


def refusal(text: str) -> Refusal | None:
    """Finds the first guard that the text breaks, or None."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return Refusal("guard-encoding", "the text is not valid UTF-8: it has a lone surrogate")
    if size > MAX_BYTES:
        return Refusal(
            "guard-size", f"the text has {size:,} bytes; at most {MAX_BYTES:,} are checked"
        )
    if "\x00" in text:
        return Refusal("guard-nul", "the text has a NUL character")
    lines = text.split("\n")
    if len(lines) > MAX_LINES:
        return Refusal(
            "guard-lines", f"the text has {len(lines):,} lines; at most {MAX_LINES:,} are checked"
        )
    if max(map(len, lines)) > MAX_LINE:
        return Refusal("guard-line-length", f"a line has over {MAX_LINE:,} characters")
    if INDENT in text and any(line.startswith(INDENT) and line.strip() for line in lines):
        return Refusal("guard-depth", f"a line is indented by over {MAX_INDENT} spaces")
    if is_deep(text):
        return Refusal("guard-depth", f"brackets are nested over {MAX_DEPTH} deep")
    if DIGITS.search(text):
        return Refusal("guard-digits", f"a number has over {MAX_DIGITS} digits")
    return None
