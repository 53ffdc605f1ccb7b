"""Compiles the two small languages of a check: JMESPath for places, regular expressions for texts.

Each expression is compiled once, and refused before any text is judged by it.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import jmespath
import jsonschema_rs
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions

from inframind.errors import DataError
from inframind.types import Json

MAX_PATTERN = 1000
MAX_MATCHED = 10_000
"""Characters of a value that a regular expression sees; a longer value matches nothing."""
FUNCTIONS: dict[str, Any] = Functions.FUNCTION_TABLE


@lru_cache(maxsize=4096)
def compiled(path: str) -> Any:
    """Compiles JMESPath (https://jmespath.org/specification.html). Raises DataError."""
    try:
        expression = jmespath.compile(path)
        problem = next(_problems(expression.parsed), None)
    except JMESPathError as error:
        problem = str(error).splitlines()[0]
    except RecursionError:
        problem = "it is nested too deep"
    if problem:
        raise DataError(f"{path!r} is not JMESPath: {problem}", param="path")
    return expression


def _problems(node: Json) -> Iterator[str]:
    """Yields what would fail only while the expression runs.

    Functions that do not exist, their number of arguments, a slice with step 0.
    """
    if not isinstance(node, dict):
        return
    children = node.get("children", ())
    if node["type"] == "function_expression":
        yield from _call_problems(node["value"], len(children))
    if node["type"] == "slice" and children[2] == 0:
        yield "a slice cannot have step 0"
    for child in children:
        yield from _problems(child)


def _call_problems(name: str, num_arguments: int) -> Iterator[str]:
    if name not in FUNCTIONS:
        yield f"there is no function {name}()"
        return
    signature = FUNCTIONS[name]["signature"]
    variadic = bool(signature) and signature[-1].get("variadic", False)
    missing = len(signature) - num_arguments
    if missing > 0 or (missing < 0 and not variadic):
        yield f"{name}() takes {len(signature)} arguments, not {num_arguments}"


@lru_cache(maxsize=4096)
def _keys(path: str) -> tuple[str, ...] | None:
    """Splits a path that only goes down, such as `spec.replicas`; None for every other expression.

    Raises DataError if it is no expression.
    """

    def below(node: Json) -> Iterator[str | None]:
        if node["type"] == "subexpression":
            for child in node["children"]:
                yield from below(child)
        else:
            yield node["value"] if node["type"] == "field" else None

    keys = list(below(compiled(path).parsed))
    return None if None in keys else tuple(key for key in keys if key is not None)


def search(path: str, data: Json) -> Json:
    """Evaluates `path`; None where the expression does not apply.

    Raises DataError if it is not JMESPath.
    """
    keys = _keys(path)
    if keys is not None:
        # Most paths are of this kind, and walking them takes a tenth of the interpreter's time.
        for key in keys:
            data = data.get(key) if isinstance(data, dict) else None
        return data
    try:
        return compiled(path).search(data)
    except JMESPathError:
        # A function met a type that it does not take (`keys` of a text): nothing is there.
        return None


@lru_cache(maxsize=4096)
def pattern(text: str) -> jsonschema_rs.Validator:
    """Compiles a regular expression, anchored at both ends. Raises DataError.

    The engine takes linear time (https://docs.rs/regex), so no pattern can stall on a text; it has
    no look-around and no back-references for that reason.
    """
    try:
        return jsonschema_rs.validator_for(
            {"pattern": f"^(?:{text})$"}, pattern_options=jsonschema_rs.RegexOptions()
        )
    except jsonschema_rs.ValidationError:
        limits = "no look-around, no back-references, no huge repetitions"
        raise DataError(
            f"{text[:100]!r} is not a regular expression here ({limits})", param="value"
        ) from None


def matches(text: str, wanted: str) -> bool:
    """Tells that all of `text` matches the regular expression `wanted`."""
    return len(text) <= MAX_MATCHED and bool(pattern(wanted).is_valid(text))
