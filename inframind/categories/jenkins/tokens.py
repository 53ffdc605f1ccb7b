"""Groovy's words: names, strings, numbers and brackets, with comments left out and brackets paired.

https://groovy-lang.org/syntax.html. Enough for declarative pipelines; code in `script` blocks is
only balanced.
"""

import re
from dataclasses import dataclass

NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
NUMBER = re.compile(r"\d[\d_]*(?:\.\d+)?[LlIiGgDdFf]?")
OPERATOR = re.compile(
    r"==~|=~|<=>|\?\.|\*\.|->|\?:|&&|\|\||[=!<>+*/%-]=|\+\+|--|\.\.<?|[-+*/%=<>!?:.,@&|^~]"
)
# A backslash joins lines, and the first may be for the shell (`#!`).
BLANK = re.compile(r"[ \t\r]+|\\\n|//[^\n]*|/\*.*?\*/|\A#![^\n]*", re.DOTALL)
ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.|\n)", re.DOTALL)
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "\n": ""}
CLOSING = {"(": ")", "[": "]", "{": "}"}


class GroovyError(ValueError):
    """A text cannot be read; `line` is 1-based."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class Token:
    """Hold one word. `kind`: name, text, gstring, number, newline, bracket or operator."""

    kind: str
    text: str
    line: int
    start: int
    end: int


def read(source: str) -> list[Token]:
    """Split a text into tokens.

    Raises GroovyError.
    """
    tokens: list[Token] = []
    position, line = 0, 1
    while position < len(source):
        blank = BLANK.match(source, position)
        if blank:
            line += blank.group().count("\n")
            position = blank.end()
            continue
        if source.startswith("/*", position):
            raise GroovyError("a comment is not closed", line)
        token = _token(source, position, line, tokens[-1] if tokens else None)
        tokens.append(token)
        line += source.count("\n", token.start, token.end)
        position = token.end
    return tokens


def pairs(tokens: list[Token]) -> dict[int, int]:
    """Map the index of each opening bracket to that of its closing one.

    Raises GroovyError for a bracket without its pair.
    """
    closing: dict[int, int] = {}
    stack: list[int] = []
    for index, token in enumerate(tokens):
        if token.kind != "bracket":
            continue
        if token.text in CLOSING:
            stack.append(index)
        elif not stack or CLOSING[tokens[stack[-1]].text] != token.text:
            raise GroovyError(f"{token.text!r} closes nothing", token.line)
        else:
            closing[stack.pop()] = index
    if stack:
        opened = tokens[stack[-1]]
        raise GroovyError(f"{opened.text!r} is not closed", opened.line)
    return closing


def _token(source: str, position: int, line: int, before: Token | None) -> Token:
    char = source[position]
    if char in "\n;":
        return Token("newline", char, line, position, position + 1)
    if char in "()[]{}":
        return Token("bracket", char, line, position, position + 1)
    if char in "'\"":
        return _string(source, position, line)
    # A slash begins a text only where a value may stand; elsewhere it divides.
    if char == "/" and (
        before is None
        or before.kind in ("operator", "newline")
        or before.text in ("(", "[", "return")
    ):
        end = _slashy_end(source, position, line)
        return Token("gstring", source[position:end], line, position, end)
    for kind, pattern in (("name", NAME), ("number", NUMBER), ("operator", OPERATOR)):
        match = pattern.match(source, position)
        if match:
            return Token(kind, match.group(), line, position, match.end())
    raise GroovyError(f"cannot read {char!r}", line)


def _slashy_end(source: str, position: int, line: int) -> int:
    end = position + 1
    while (end := source.find("/", end)) >= 0 and source[end - 1] == "\\":
        end += 1
    if end < 0:
        raise GroovyError("a slashy text is not closed", line)
    return end + 1


def _string(source: str, position: int, line: int) -> Token:
    quote = (
        source[position] * 3
        if source.startswith(source[position] * 3, position)
        else source[position]
    )
    end, kind = position + len(quote), "text" if quote[0] == "'" else "gstring"
    while not source.startswith(quote, end):
        if end >= len(source) or (len(quote) == 1 and source[end] == "\n"):
            raise GroovyError("a text is not closed", line)
        if source[end] == "\\":
            end += 2
        # An interpolation may hold quotes of its own.
        elif kind == "gstring" and source.startswith("${", end):
            end = _interpolation_end(source, end + 2, line)
        else:
            end += 1
    return Token(kind, source[position : end + len(quote)], line, position, end + len(quote))


def _interpolation_end(source: str, position: int, line: int) -> int:
    """Find the index behind the `}` of an interpolation; texts inside may hold brackets."""
    depth = 1
    while position < len(source):
        char = source[position]
        if char in "'\"":
            closing = source.find(char, position + 1)
            if closing < 0:
                break
            position = closing
        depth += (char == "{") - (char == "}")
        position += 1
        if depth == 0:
            return position
    raise GroovyError("an interpolation is not closed", line)


def value_of(token: Token) -> str:
    """Read the text of a string token, escapes resolved; interpolations stay as written."""
    quote = 3 if token.text[:3] in ("'''", '"""') else 1
    inner = token.text[quote:-quote]
    if token.text[0] == "/":
        # A slashy text escapes nothing but the slash.
        return inner.replace("\\/", "/")

    def plain(match: re.Match[str]) -> str:
        code = match.group(1)
        return chr(int(code[1:], 16)) if len(code) == 5 else ESCAPES.get(code, code)

    return ESCAPE.sub(plain, inner)


def interpolates(token: Token) -> bool:
    """Tell whether Groovy puts values into the string."""
    return token.kind == "gstring" and re.search(r"(?<!\\)\$[{A-Za-z_]", token.text) is not None
