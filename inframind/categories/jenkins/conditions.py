"""Conditions of `when`: known, complete, and able to hold."""

from collections.abc import Iterator
from typing import Any

from inframind.categories.jenkins.syntax import Statement
from inframind.categories.jenkins.tokens import Token, value_of
from inframind.categories.jenkins.vocabulary import (
    CONDITIONS,
    WHEN_FLAGS,
    field_names,
    missing_fields,
)

MAX_TOKENS = 100
"""Longer conditions are not folded: each operator costs a level of recursion."""
CONSTANTS = {"true": True, "false": False, "null": None}


def problems(when: Statement) -> Iterator[str]:
    """Explain what is wrong with a `when` block."""
    conditions = [part for part in when.inner if part.name not in WHEN_FLAGS]
    if not conditions:
        yield "when has no condition"
    for part in when.inner:
        if part.name in WHEN_FLAGS:
            if not isinstance(part.value, bool):
                yield f"{part.name} is true or false"
        else:
            yield from _problems(part)


def _problems(part: Statement) -> Iterator[str]:
    if part.name not in CONDITIONS or part.assigns:
        yield f"when has no condition {part.name or part.text[:40]!r}"
        return
    spec = CONDITIONS[part.name]
    if spec is None:
        if not part.inner or (part.name == "not" and len(part.inner) != 1):
            yield (
                f"{part.name} takes {'one condition' if part.name == 'not' else 'conditions'} in a "
                "block"
            )
        for inner in part.inner:
            yield from _problems(inner)
        return
    if part.name == "expression":
        if part.block is None or not part.inner:
            yield "expression takes a block with code"
        return
    fields = field_names(spec)
    unknown = set(part.named) - set(fields)
    if unknown:
        yield f"{part.name} has no field {sorted(unknown)[0]!r}"
    if len(part.args) > (1 if fields else 0):
        yield f"{part.name} takes {'one value' if fields else 'nothing'}"
    present = set(part.named) | set(fields[:1] if part.args else ())
    if missing := missing_fields(spec, present):
        yield f"{part.name} needs {' and '.join(missing)}"


def never(when: Statement | None) -> bool:
    """Tell whether the conditions of a `when` cannot hold together."""
    return when is not None and any(
        _truth(part) is False for part in when.inner if part.name not in WHEN_FLAGS
    )


def _truth(part: Statement) -> bool | None:
    truths = (
        [_truth(inner) for inner in part.inner] if part.name in ("allOf", "anyOf", "not") else []
    )
    if part.name == "not":
        return None if len(truths) != 1 or truths[0] is None else not truths[0]
    # One condition that cannot hold decides, whatever the unknown ones are.
    if part.name == "allOf":
        return False if False in truths else True if truths and None not in truths else None
    if part.name == "anyOf":
        return True if True in truths else False if truths and None not in truths else None
    if part.name == "equals":
        sides = part.named.get("expected"), part.named.get("actual")
        # Variables and calls are read as mappings: only literals can be compared.
        literal = (
            len(part.named) == 2
            and not part.interpolated
            and not any(isinstance(side, dict | list) for side in sides)
        )
        return sides[0] == sides[1] if literal else None
    return _body_truth(part) if part.name == "expression" and part.inner else None


def _body_truth(part: Statement) -> bool | None:
    """Decide the truth of the last statement of a block of code."""
    last = part.inner[-1]
    tokens = [token for token in part.source.tokens[last.start : last.end] if token.text != "\n"]
    returns = [
        token
        for token in part.source.tokens[part.inner[0].start : last.start]
        if token.text == "return"
    ]
    if tokens and tokens[0].text == "return":
        tokens = tokens[1:]
    return None if returns else constant(tokens)


def constant(tokens: list[Token]) -> bool | None:
    """Decide an expression of constants; None if it depends on the run."""
    if len(tokens) > MAX_TOKENS:
        return None
    # The loosest operator first: it splits the expression at its top.
    for operator, decisive in (("||", True), ("&&", False)):
        parts = _split(tokens, operator)
        if len(parts) > 1:
            truths = [constant(part) for part in parts]
            return decisive if decisive in truths else None if None in truths else not decisive
    if tokens and tokens[0].text == "!":
        inner = constant(tokens[1:])
        return None if inner is None else not inner
    if (
        len(tokens) > 2
        and tokens[0].text == "("
        and tokens[-1].text == ")"
        and len(_split(tokens, "(")) == 1
    ):
        return constant(tokens[1:-1])
    for operator, equal in (("==", True), ("!=", False)):
        sides = [_literal(part) for part in _split(tokens, operator)]
        if len(sides) == 2:
            return None if UNKNOWN in sides else (sides[0] == sides[1]) is equal
    value = _literal(tokens)
    return None if value is UNKNOWN else bool(value)


UNKNOWN: Any = object()


def _literal(tokens: list[Token]) -> Any:
    if len(tokens) != 1:
        return UNKNOWN
    token = tokens[0]
    if token.text in CONSTANTS:
        return CONSTANTS[token.text]
    if token.kind == "text" or (token.kind == "gstring" and "$" not in token.text):
        return value_of(token)
    return float(token.text) if token.kind == "number" and token.text.isdigit() else UNKNOWN


def _split(tokens: list[Token], operator: str) -> list[list[Token]]:
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth -= token.text in (")", "]", "}")
        if token.text == operator and depth == 0 and operator != "(":
            parts.append([])
        else:
            parts[-1].append(token)
        depth += token.text in ("(", "[", "{")
    return parts
