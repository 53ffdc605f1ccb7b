"""`${{ }}` expressions: their delimiters, and the contexts and functions they use."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

OPEN = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^']|'')*')"
    r"|(?P<number>-?(?:0x[0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?))"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_-]*)|(?P<operator>&&|\|\||==|!=|<=|>=|[<>!().,*\[\]]))"
)
CONTEXTS = frozenset(
    "github env vars job jobs steps runner secrets strategy matrix needs inputs".split()
)
FUNCTIONS = frozenset(
    "contains startswith endswith format join tojson fromjson hashfiles success always cancelled "
    "failure case".split()
)
Token = tuple[str, str]
CONSTANTS = frozenset({"true", "false", "null", "nan", "infinity"})


class ExpressionError(ValueError):
    """An expression cannot be read; the message says why."""


@dataclass(frozen=True)
class Use:
    """Hold one use of `context.first.second`; parts are empty where the index is computed."""

    context: str
    first: str = ""
    second: str = ""


def inside(text: str) -> Iterator[str]:
    """Yield the expressions in a text.

    Raises ExpressionError for one that is not closed.
    """
    rest = OPEN.sub("", text)
    if "${{" in rest:
        raise ExpressionError("${{ is not closed by }}")
    for match in OPEN.finditer(text):
        yield match.group(1)


def uses(expression: str) -> list[Use]:
    """List the contexts that an expression uses.

    Raises ExpressionError if it cannot be read, or names an unknown context or function.
    """
    read = tokens(expression)
    if not read:
        raise ExpressionError("the expression is empty")
    _balanced(read)
    used: list[Use] = []
    for index, (kind, value) in enumerate(read):
        before = read[index - 1][1] if index else ""
        if kind != "name" or before == ".":
            continue
        called = index + 1 < len(read) and read[index + 1][1] == "("
        if called and value.lower() not in FUNCTIONS:
            raise ExpressionError(f"there is no function {value}")
        if not called and value.lower() not in CONSTANTS:
            if value.lower() not in CONTEXTS:
                raise ExpressionError(
                    f"there is no context {value!r}; a text stands in single quotes"
                )
            used.append(Use(value.lower(), *_parts(read[index + 1 : index + 8])))
    return used


def tokens(expression: str) -> list[Token]:
    """Split an expression into (kind, text): `string`, `number`, `name` or `operator`.

    Raises ExpressionError.
    """
    read: list[Token] = []
    position = 0
    while expression[position:].strip():
        match = TOKEN.match(expression, position)
        if match is None:
            raise ExpressionError(f"cannot read {expression[position:].strip()[:30]!r}")
        kind = match.lastgroup or ""
        read.append((kind, match.group(kind)))
        position = match.end()
    return read


def _balanced(tokens: list[Token]) -> None:
    closing = {"(": ")", "[": "]"}
    stack: list[str] = []
    operands = False
    for kind, value in tokens:
        operand = kind != "operator" or value == "*"
        if operand and operands:
            raise ExpressionError(f"an operator is missing before {value!r}")
        operands = operand or value in (")", "]")
        if kind == "operator" and value in closing:
            stack.append(closing[value])
        elif kind == "operator" and value in (")", "]") and (not stack or stack.pop() != value):
            raise ExpressionError(f"{value!r} closes nothing")
    if stack:
        raise ExpressionError(f"{stack[-1]!r} is missing")
    if tokens[-1][0] == "operator" and tokens[-1][1] not in (")", "]", "*"):
        raise ExpressionError(f"the expression ends with {tokens[-1][1]!r}")


def _parts(tokens: list[Token]) -> tuple[str, ...]:
    parts: list[str] = []
    index = 0
    while index + 1 < len(tokens) and len(parts) < 2:
        if tokens[index][1] == "." and tokens[index + 1][0] == "name":
            parts.append(tokens[index + 1][1])
            index += 2
        elif (
            tokens[index][1] == "[" and tokens[index + 1][0] == "string" and index + 2 < len(tokens)
        ):
            parts.append(tokens[index + 1][1].strip("'"))
            index += 3
        else:
            break
    return tuple(parts)
