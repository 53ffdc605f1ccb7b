"""From a model's answer to the one file in it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from inframind.types import AnswerFormat

FENCE = re.compile(r"^(`{3,}|~{3,})[ \t]*([^\s`]*)[^\n`]*$", re.MULTILINE)
THINK = re.compile(r"<think>.*?</think>", re.DOTALL)


@dataclass(frozen=True)
class Extracted:
    """The file's text, or the rule that was broken and why."""

    text: str = ""
    rule: str | None = None
    message: str = ""


def extract(text: str, languages: Sequence[str], form: AnswerFormat = "auto") -> Extracted:
    """The text of the one fenced block of an answer. `file`: the text itself; `auto`: an answer if a fence or `<think>` is there.

    Two blocks are refused: which of them would be the answer is not for a verifier to guess.
    """
    fenced = FENCE.search(text) is not None
    if form == "file" or (form == "auto" and not fenced and "<think>" not in text):
        return Extracted(text)
    if text.count("<think>") != text.count("</think>"):
        return Extracted(rule="think-unclosed", message="<think> is not closed: write </think> before the answer")
    answer = THINK.sub("", text)
    fences = list(FENCE.finditer(answer))
    if not fences:
        return Extracted(rule="no-fence", message="the answer has no fenced block: put the file between ``` lines")
    opening = fences[0]
    closing = next(
        (f for f in fences[1:] if f.group(1)[0] == opening.group(1)[0] and f.group(1) >= opening.group(1) and not f.group(2)),
        None,
    )
    if closing is None:
        return Extracted(rule="fence-unclosed", message="the fenced block is not closed")
    if any(f.start() > closing.start() for f in fences):
        return Extracted(rule="several-fences", message="the answer has more than one fenced block: give exactly one file")
    label = opening.group(2).lower()
    if label and languages and label not in languages:
        return Extracted(rule="wrong-language", message=f"the block is labelled {label!r}; expected {languages[0]!r}")
    return Extracted(answer[opening.end() + 1 : closing.start()])
