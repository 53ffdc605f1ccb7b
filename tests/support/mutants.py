"""Small wounds of an answer: a line left out, one value changed in one place or in all."""

import re
from collections.abc import Iterator

TOKEN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*|\d+")
OPPOSITES = {"true": "false", "false": "true", "always": "never", "read": "write", "write": "read"}


def mutants(text: str) -> Iterator[str]:
    """Every line left out once; every word or number changed once, the last ones of a line first;
    each changed everywhere."""
    lines = text.splitlines(keepends=True)
    for index, line in enumerate(lines):
        before, after = "".join(lines[:index]), "".join(lines[index + 1 :])
        for match in reversed(list(TOKEN.finditer(line))):
            yield (
                before + line[: match.start()] + other(match.group()) + line[match.end() :] + after
            )
        yield before + after
    for token in dict.fromkeys(TOKEN.findall(text)):
        # A name that others refer to can only change together with them.
        yield re.sub(rf"(?<![A-Za-z0-9_]){re.escape(token)}(?![A-Za-z0-9_])", other(token), text)


def other(token: str) -> str:
    """Another token of the same form."""
    if token in OPPOSITES:
        return OPPOSITES[token]
    last = re.search(r"\d+(?=\D*$)", token)
    if last:
        return token[: last.start()] + str(int(last.group()) + 1) + token[last.end() :]
    return token[:-1] + ("b" if token[-1] == "a" else "a")
