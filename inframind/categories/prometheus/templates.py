"""Go templates of labels and annotations: delimiters, blocks, functions and variables.

https://prometheus.io/docs/prometheus/latest/configuration/template_reference/
"""

import re
from collections.abc import Iterator
from itertools import pairwise

ACTION = re.compile(r"\{\{-?(.*?)-?\}\}", re.DOTALL)
TOKEN = re.compile(
    r'\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|`[^`]*`)|(?P<word>\$?[\w.]+|\$)|(?P<mark>:=|[|()=,-]))'
)
# Go's own functions, and those that Prometheus adds (template_reference).
FUNCTIONS = frozenset(
    "query first label value sortByLabel strvalue args reReplaceAll match safeHtml title toUpper "
    "toLower graphLink tableLink stripPort stripDomain humanize humanize1024 humanizeDuration "
    "humanizePercentage humanizeTimestamp toTime toDuration now externalURL pathPrefix "
    "parseDuration tmpl urlQueryEscape and or not len index slice print printf println html js "
    "urlquery call eq ne lt le gt ge true false nil".split()
)
BLOCKS = frozenset({"if", "range", "with", "define", "block"})
# https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/#templating
VARIABLES = frozenset({"$", "$labels", "$value", "$externalLabels", "$externalURL"})


class TemplateError(ValueError):
    """A template cannot be read; the message says why."""


def check(text: str) -> None:
    """Check the actions, blocks, functions and variables of a template.

    Raises TemplateError.
    """
    rest = ACTION.sub("", text)
    if "{{" in rest:
        raise TemplateError("{{ is not closed by }}")
    depth, declared = 0, set(VARIABLES)
    for action in ACTION.findall(text):
        words = list(_words(action))
        head = words[0] if words else ""
        depth += (head in BLOCKS) - (head == "end")
        if depth < 0 or (head == "else" and not depth):
            raise TemplateError(f"{head} closes nothing")
        declared |= {
            word for word, after in pairwise(words) if word.startswith("$") and after in (":=", ",")
        }
        _names(words, declared)
    if depth:
        raise TemplateError("a block has no {{ end }}")


def labels(text: str) -> set[str]:
    """Collect the alert's labels that the template uses."""
    return set(re.findall(r"(?:\$labels|\.Labels)\.(\w+)", text))


def _words(action: str) -> Iterator[str]:
    if action.strip().startswith("/*"):
        return
    position, end = 0, len(action.rstrip())
    if not end:
        raise TemplateError("an action is empty")
    while position < end:
        match = TOKEN.match(action, position)
        if match is None:
            raise TemplateError(f"cannot read {action[position:].strip()[:30]!r}")
        yield match.group(match.lastgroup or 0)
        position = match.end()


def _names(words: list[str], declared: set[str]) -> None:
    keywords = BLOCKS | {"else", "end", "template", "break", "continue"}
    for index, word in enumerate(words):
        if word.startswith("$"):
            if word.partition(".")[0] not in declared:
                raise TemplateError(f"there is no variable {word.partition('.')[0]}")
        elif (
            (word[0].isalpha() or word[0] == "_")
            and word not in FUNCTIONS
            # `else if` puts a keyword second.
            and not (index <= 1 and word in keywords)
        ):
            raise TemplateError(f"there is no function {word}")
    if words and words[0] not in ("if", "with", "range", "else", "template") and words[-1] == "|":
        raise TemplateError("nothing stands after |")
