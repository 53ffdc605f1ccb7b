"""Takes the one file out of a model's answer."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from inframind.types import AnswerFormat

OPEN, CLOSE = "<think>", "</think>"
FENCE = re.compile(r"^(`{3,}|~{3,})[ \t]*([^\s`]*)[^\n`]*$", re.MULTILINE)
START = re.compile(rf"{OPEN}|{FENCE.pattern}", re.MULTILINE)


@dataclass(frozen=True)
class Extracted:
    """The file's text, or the rule that the answer breaks and why."""

    text: str = ""
    rule: str | None = None
    message: str = ""


@dataclass(frozen=True)
class _Part:
    """A stretch of an answer, without its marks; a block's label may be empty."""

    kind: Literal["thought", "block", "prose"]
    text: str
    label: str = ""


class _BrokenAnswerError(Exception):
    """(rule, message): the answer has no readable block."""


def extract(text: str, languages: Sequence[str] = (), form: AnswerFormat = "auto") -> Extracted:
    """Takes the text of the one fenced block of an answer, or says which rule the answer breaks.

    `form` is `file` for the text as it is, `answer` for a block, and `auto` for a block where a
    fence or `<think>` is there. A fence stands in column 0
    (https://spec.commonmark.org/0.31.2/#fenced-code-blocks); its label, if any, is one of
    `languages`. Thoughts are left out, also those whose `<think>` the prompt held. Two blocks are
    refused: which of them would be the answer is not for a verifier to guess.
    """
    if form == "file" or (form == "auto" and not is_answer(text)):
        return Extracted(text)
    try:
        blocks = [part for part in _parts(text) if part.kind == "block"]
    except _BrokenAnswerError as error:
        rule, message = error.args
        return Extracted(rule=rule, message=message)
    if not blocks:
        return Extracted(
            rule="no-fence",
            message="the answer has no fenced block: put the file between ``` lines",
        )
    if len(blocks) > 1:
        return Extracted(
            rule="several-fences",
            message="the answer has more than one fenced block: give exactly one file",
        )
    block = blocks[0]
    # CommonMark gives the label no meaning of its own: a block without one is no mistake.
    if block.label and languages and block.label.lower() not in languages:
        return Extracted(
            rule="wrong-language",
            message=f"the block is labelled {block.label[:40]!r}; expected {languages[0]!r}",
        )
    return Extracted(block.text)


def beside(text: str) -> tuple[str, str]:
    """Gives thoughts and prose of an answer that `extract` reads, joined by blank lines."""
    parts = list(_parts(text)) if is_answer(text) else []
    thoughts, prose = (
        [part.text.strip() for part in parts if part.kind == kind and part.text.strip()]
        for kind in ("thought", "prose")
    )
    return "\n\n".join(thoughts), "\n\n".join(prose)


def is_answer(text: str) -> bool:
    """Tells a model's answer from a file: it has a fence, or the mark of a thought."""
    return OPEN in text or CLOSE in text or FENCE.search(text) is not None


def _parts(text: str) -> Iterator[_Part]:
    """Yields thoughts, fenced blocks and the prose around them, in order."""
    # Templates of thinking models end the prompt with `<think>`: the answer begins within it.
    opened, closed = text.find(OPEN), text.find(CLOSE)
    position = 0
    if closed >= 0 and not 0 <= opened < closed:
        yield _Part("thought", text[:closed])
        position = closed + len(CLOSE)
    while start := START.search(text, position):
        yield _Part("prose", text[position : start.start()])
        if start.group() == OPEN:
            closed = text.find(CLOSE, start.end())
            if closed < 0:
                raise _BrokenAnswerError(
                    "think-unclosed", "<think> is not closed: write </think> before the answer"
                )
            yield _Part("thought", text[start.end() : closed])
            position = closed + len(CLOSE)
            continue
        end = _closing(text, start)
        if end is None:
            raise _BrokenAnswerError("fence-unclosed", "the fenced block is not closed")
        yield _Part("block", text[start.end() + 1 : end.start()], start.group(2))
        position = end.end()
    yield _Part("prose", text[position:])


def _closing(text: str, start: re.Match[str]) -> re.Match[str] | None:
    """Finds the next fence of the same character, at least as long and without a label."""
    closings = re.compile(rf"^{start.group(1)[0]}{{{len(start.group(1))},}}[ \t\r]*$", re.MULTILINE)
    return closings.search(text, start.end())
