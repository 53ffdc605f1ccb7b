"""Statements of a block: calls with arguments and blocks, assignments, and everything else as
code.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from inframind.categories.jenkins.tokens import Token, interpolates, pairs, read, value_of

# A statement that begins with one of these is code and no call of a step.
KEYWORDS = frozenset(
    "def if else for while do try catch finally switch case return throw import package class "
    "final assert new boolean int long double float var in instanceof break continue void static "
    "public private String".split()
)
CONTINUES = frozenset("= == != =~ ==~ + - * / % && || , . ?. ? : -> < > <= >= ?: += -= ..".split())
CONSTANTS: dict[str, Any] = {"true": True, "false": False, "null": None}


@dataclass(frozen=True)
class Statement:
    """Hold `name args { block }`, `name = value`, or code (`name` is empty)."""

    source: "Source"
    start: int
    end: int
    name: str = ""
    args: tuple[Any, ...] = ()
    named: dict[str, Any] = field(default_factory=dict)
    block: tuple[int, int] | None = None
    """Token range inside the braces."""
    assigns: bool = False

    @property
    def line(self) -> int:
        return self.source.tokens[self.start].line

    @cached_property
    def inner(self) -> tuple["Statement", ...]:
        """Read the statements of the block."""
        return tuple(self.source.statements(*self.block)) if self.block else ()

    @cached_property
    def text(self) -> str:
        """Cut the statement out of the text as it is written."""
        return self.source.between(self.start, self.end)

    @property
    def interpolated(self) -> tuple[Token, ...]:
        """Collect the strings outside the block into which Groovy puts values."""
        end = self.block[0] if self.block else self.end
        return tuple(token for token in self.source.tokens[self.start : end] if interpolates(token))

    @property
    def value(self) -> Any:
        """Take the one argument; None if there are none or several."""
        return self.args[0] if len(self.args) == 1 and not self.named else None


class Source:
    """Hold the text and its tokens.

    Raises GroovyError if the text cannot be read.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = read(text)
        self.closing = pairs(self.tokens)
        self.opening = {close: start for start, close in self.closing.items()}

    def between(self, start: int, end: int) -> str:
        """Cut a token range out of the text."""
        return self.text[self.tokens[start].start : self.tokens[end - 1].end] if end > start else ""

    def statements(self, start: int, end: int) -> Iterator[Statement]:
        """Yield the statements of a token range."""
        index = start
        while index < end:
            if self.tokens[index].kind == "newline":
                index += 1
                continue
            stop = self._statement_end(index, end)
            yield self._statement(index, stop)
            index = stop

    def _statement_end(self, index: int, end: int) -> int:
        while index < end:
            token = self.tokens[index]
            if token.kind == "newline" and not self._goes_on(index, end):
                return index
            index = self.closing.get(index, index) + 1
        return end

    def _goes_on(self, index: int, end: int) -> bool:
        """Tell whether the line break at `index` is inside a statement."""
        if self.tokens[index].text == ";":
            return False
        # A line break ends a statement unless an operator or an open block joins the lines.
        before, after = self.tokens[index - 1], index
        while after < end and self.tokens[after].text == "\n":
            after += 1
        if after >= end:
            return False
        following = self.tokens[after].text
        opens = following == "{" and (before.kind == "name" or before.text == ")")
        return (
            before.text in CONTINUES or opens or following in (".", "?.", "&&", "||", "+", "?", ":")
        )

    def _statement(self, start: int, end: int) -> Statement:
        tokens = self.tokens
        while tokens[end - 1].text == "\n" and end > start + 1:
            end -= 1
        first = tokens[start]
        second = tokens[start + 1] if start + 1 < end else None
        if first.kind != "name" or first.text in KEYWORDS:
            return Statement(self, start, end)
        if second is None:
            return Statement(self, start, end, first.text)
        if second.text == "=":
            return Statement(
                self, start, end, first.text, (self.value(start + 2, end),), assigns=True
            )
        if second.text == "\n":
            second = next(token for token in tokens[start + 1 : end] if token.text != "\n")
        if (
            second.text == "{"
            or second.text == "("
            or second.kind in ("text", "gstring", "number", "name")
            or second.text in "[-"
        ):
            return self._call(start, end)
        return Statement(self, start, end)

    def _call(self, start: int, end: int) -> Statement:
        """Read `name(args) { }`, `name args { }` or `name { }`."""
        name, block, last = self.tokens[start].text, None, end
        if self.tokens[end - 1].text == "}":
            opened = self.opening[end - 1]
            before = self.tokens[opened - 1]
            # Behind an operator the braces are a closure that is a value, and no block of the call.
            if before.text not in CONTINUES - {","}:
                block, last = (opened + 1, end - 1), opened
        index = start + 1
        while last > index and self.tokens[last - 1].text in ("\n", ","):
            last -= 1
        if index < last and self.tokens[index].text == "(":
            if self.closing[index] != last - 1:
                return Statement(self, start, end)
            index, last = index + 1, last - 1
        args, named = self._arguments(index, last)
        return Statement(self, start, end, name, args, named, block)

    def _arguments(self, start: int, end: int) -> tuple[tuple[Any, ...], dict[str, Any]]:
        args: list[Any] = []
        named: dict[str, Any] = {}
        for first, last in self._pieces(start, end):
            key = self.tokens[first]
            if (
                last - first > 2
                and self.tokens[first + 1].text == ":"
                and key.kind in ("name", "text", "gstring")
            ):
                named[key.text if key.kind == "name" else value_of(key)] = self.value(
                    first + 2, last
                )
            else:
                args.append(self.value(first, last))
        return tuple(args), named

    def _pieces(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield the ranges between commas."""
        index = first = start
        while index < end:
            if self.tokens[index].text == ",":
                yield self._trimmed(first, index)
                first = index + 1
            index = self.closing.get(index, index) + 1
        if first < end and any(token.text != "\n" for token in self.tokens[first:end]):
            yield self._trimmed(first, end)

    def _trimmed(self, first: int, last: int) -> tuple[int, int]:
        while first < last and self.tokens[first].text == "\n":
            first += 1
        while last > first and self.tokens[last - 1].text == "\n":
            last -= 1
        return first, last

    def value(self, start: int, end: int) -> Any:
        """Read a literal as JSON, a call as `$call` with its arguments, all else as `$expr`."""
        start, end = self._trimmed(start, end)
        if end - start == 1:
            return self._single(self.tokens[start])
        if end - start >= 2:
            first, last = self.tokens[start], self.tokens[end - 1]
            if first.text == "[" and self.closing[start] == end - 1:
                return self._collection(start + 1, end - 1)
            if first.text == "-" and end - start == 2 and last.kind == "number":
                return -_number(last.text)
            if (
                first.kind == "name"
                and self.tokens[start + 1].text == "("
                and self.closing[start + 1] == end - 1
            ):
                args, named = self._arguments(start + 2, end - 1)
                return {"$call": first.text, "args": list(args)} | named
        return {"$expr": self.between(start, end)}

    def _single(self, token: Token) -> Any:
        if token.kind in ("text", "gstring"):
            return value_of(token)
        if token.kind == "number":
            return _number(token.text)
        return CONSTANTS.get(token.text, {"$expr": token.text})

    def _collection(self, start: int, end: int) -> Any:
        args, named = self._arguments(start, end)
        if self.between(start, end).strip() == ":":
            return {}
        return named if named and not args else list(args)


def _number(text: str) -> int | float:
    # Groovy's suffixes name the type of a number; `_` groups its digits.
    digits = re.sub(r"[_LlIiGgDdFf]", "", text)
    return float(digits) if "." in digits else int(digits)
