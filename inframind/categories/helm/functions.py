"""Functions of templates (https://masterminds.github.io/sprig/), run while a chart is rendered."""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from inframind.categories.helm.values import (
    Hole,
    Missing,
    has_unknown,
    plain,
    text_of,
    truth,
    yaml_of,
)
from inframind.categories.shared.yaml import YamlError, load_all, packaged

# Charts choose the sizes of `repeat` and `untilStep` themselves: these bound them.
MAX_TEXT = 200_000
MAX_LIST = 1_000


class CallError(Exception):
    """A call fails, as it would in Helm."""


@cache
def arities() -> Mapping[str, tuple[int, int | None]]:
    """Map each function to its (least, most) number of arguments."""
    bounds = packaged("inframind.categories.helm", "functions.yaml")
    return {name: (low, high) for name, (low, high) in bounds.items()}


def _empty(value: Any) -> bool:
    return isinstance(value, Missing) or not value


def _number(value: Any) -> float | int:
    if isinstance(value, bool | int | float):
        return value
    try:
        return int(str(value))
    except ValueError:
        return 0


def _compare(left: Any, right: Any) -> tuple[Any, Any]:
    if isinstance(left, str) != isinstance(right, str) or isinstance(left, dict | list):
        raise CallError(f"incompatible types for comparison: {text_of(left)} and {text_of(right)}")
    return left, right


def _eq(first: Any, *others: Any) -> bool:
    # eq has several right sides, and refuses values of unlike kinds (text/template/funcs.go).
    for other in others:
        kinds = {
            type(None)
            if isinstance(value, Missing)
            else str
            if isinstance(value, str)
            else bool
            if isinstance(value, bool)
            else type(value)
            for value in (first, other)
        }
        numbers = all(
            isinstance(value, int | float) and not isinstance(value, bool)
            for value in (first, other)
        )
        if len(kinds) > 1 and not numbers and type(None) not in kinds:
            raise CallError(
                f"incompatible types for comparison: {text_of(first)} and {text_of(other)}"
            )
        if plain(first) == plain(other):
            return True
    return False


def _ternary(yes: Any, no: Any, test: Any) -> Any:
    return yes if test is True else no


def _default(fallback: Any, *values: Any) -> Any:
    return fallback if not values or _empty(values[-1]) else values[-1]


def _coalesce(*values: Any) -> Any:
    return next((value for value in values if not _empty(value)), None)


def _printf(form: Any, *values: Any) -> str:
    rest = list(values)

    def fill(match: re.Match[str]) -> str:
        if match.group() == "%%":
            return "%"
        if not rest:
            raise CallError(f"printf {form!r} has more verbs than values")
        value = rest.pop(0)
        if match.group(1) == "q":
            return json.dumps(text_of(value))
        if match.group(1) == "t":
            return text_of(bool(value))
        return text_of(value)

    return re.sub(r"%%|%[-+# 0]*\d*(?:\.\d+)?([a-zA-Z])", fill, text_of(form))


def _indent(count: Any, text: Any) -> str:
    space = " " * min(int(_number(count)), 200)
    return "\n".join(space + line for line in text_of(text).split("\n"))


def _dict(*pairs: Any) -> dict[str, Any]:
    return {
        # Sprig gives a last key without a value the empty text.
        text_of(pairs[index]): pairs[index + 1] if index + 1 < len(pairs) else ""
        for index in range(0, len(pairs), 2)
    }


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        if isinstance(value, dict):
            value = value.get(text_of(key), Missing(text_of(key)))
        elif isinstance(value, list) and isinstance(key, int) and 0 <= key < len(value):
            value = value[key]
        elif isinstance(value, list):
            raise CallError(f"index {text_of(key)} is out of range")
        else:
            raise CallError(f"index of {text_of(value) or 'nil'}")
    return value


def _merge(target: Any, *sources: Any, overwrite: bool = False) -> Any:
    # Sprig's merge keeps what the target has; mergeOverwrite replaces it.
    merged = dict(target) if isinstance(target, dict) else {}
    for source in sources:
        for key, value in (source if isinstance(source, dict) else {}).items():
            if isinstance(value, dict) and isinstance(merged.get(key), dict):
                merged[key] = _merge(merged[key], value, overwrite=overwrite)
            elif key not in merged or overwrite:
                merged[key] = value
    return merged


def _range(*bounds: Any) -> list[int]:
    start, stop, step = (
        (0, bounds[0], 1) if len(bounds) == 1 else (*bounds, 1) if len(bounds) == 2 else bounds
    )
    numbers = range(int(_number(start)), int(_number(stop)), int(_number(step)) or 1)
    if len(numbers) > MAX_LIST:
        raise CallError(f"a list of {len(numbers)} numbers")
    return list(numbers)


def _from_yaml(text: Any) -> Any:
    try:
        documents = load_all(text_of(text))
    except YamlError as error:
        # Helm's fromYaml does not fail: it puts the message into the map (pkg/engine/funcs.go).
        return {"Error": str(error)}
    return documents[0] if documents else {}


def _kind(value: Any) -> str:
    kinds: tuple[tuple[type, str], ...] = (
        # Before int: in Python a bool is one.
        (bool, "bool"),
        (str, "string"),
        (int, "int"),
        (float, "float64"),
        (dict, "map"),
        (list, "slice"),
    )
    return next((name for kind, name in kinds if isinstance(value, kind)), "invalid")


def _required(message: Any, value: Any) -> Any:
    # 0 and false are given: Helm's required takes only nil and the empty text for missing.
    if isinstance(value, Missing) or value is None or value == "":
        raise CallError(text_of(message))
    return value


def _fail(message: Any) -> Any:
    raise CallError(text_of(message))


def _repeat(count: Any, text: Any) -> str:
    if int(_number(count)) * len(text_of(text)) > MAX_TEXT:
        raise CallError("the text is too long")
    return text_of(text) * max(0, int(_number(count)))


def _truncated(count: Any, text: Any) -> str:
    size = int(_number(count))
    return text_of(text)[:size] if size >= 0 else text_of(text)[size:]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _camel(text: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[_\s-]+", text))


def _dashed(text: str, mark: str) -> str:
    return re.sub(r"[_\s-]+", mark, re.sub(r"(?<=[a-z0-9])(?=[A-Z])", mark, text)).lower()


def _product(*values: Any) -> Any:
    product: Any = 1
    for value in values:
        product *= _number(value)
        # Sprig multiplies in int64, which ends at 9.2e18.
        if abs(product) > 1e18:
            raise CallError("the product is too large")
    return product


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "eq": _eq,
    "ne": lambda left, right: not _eq(left, right),
    "lt": lambda left, right: (pair := _compare(left, right))[0] < pair[1],
    "le": lambda left, right: (pair := _compare(left, right))[0] <= pair[1],
    "gt": lambda left, right: (pair := _compare(left, right))[0] > pair[1],
    "ge": lambda left, right: (pair := _compare(left, right))[0] >= pair[1],
    "not": lambda value: not truth(value),
    "len": lambda value: len(value) if isinstance(value, str | list | dict) else 0,
    "index": _index,
    "print": lambda *values: "".join(map(text_of, values)),
    "printf": _printf,
    "println": lambda *values: " ".join(map(text_of, values)) + "\n",
    "default": _default,
    "coalesce": _coalesce,
    "empty": _empty,
    "ternary": _ternary,
    "required": _required,
    "fail": _fail,
    "quote": lambda *values: " ".join(
        json.dumps(text_of(value), ensure_ascii=False)
        for value in values
        if not isinstance(value, Missing)
    ),
    "squote": lambda *values: " ".join(f"'{text_of(value)}'" for value in values),
    "toString": text_of,
    "upper": lambda text: text_of(text).upper(),
    "lower": lambda text: text_of(text).lower(),
    "title": lambda text: text_of(text).title(),
    "trim": lambda text: text_of(text).strip(),
    "trimSuffix": lambda end, text: text_of(text).removesuffix(text_of(end)),
    "trimPrefix": lambda start, text: text_of(text).removeprefix(text_of(start)),
    "trimAll": lambda marks, text: text_of(text).strip(text_of(marks)),
    "trunc": _truncated,
    "replace": lambda old, new, text: (
        text_of(text).replace(text_of(old), text_of(new)) if text_of(old) else text_of(text)
    ),
    "contains": lambda part, text: text_of(part) in text_of(text),
    "hasPrefix": lambda part, text: text_of(text).startswith(text_of(part)),
    "hasSuffix": lambda part, text: text_of(text).endswith(text_of(part)),
    "nospace": lambda text: re.sub(r"\s", "", text_of(text)),
    "repeat": _repeat,
    "cat": lambda *values: " ".join(map(text_of, values)),
    "kebabcase": lambda text: _dashed(text_of(text), "-"),
    "snakecase": lambda text: _dashed(text_of(text), "_"),
    "camelcase": lambda text: _camel(text_of(text)),
    "indent": _indent,
    "nindent": lambda count, text: "\n" + _indent(count, text),
    "splitList": lambda mark, text: (
        text_of(text).split(text_of(mark)) if text_of(mark) else list(text_of(text))
    ),
    "split": lambda mark, text: {
        f"_{index}": part for index, part in enumerate(text_of(text).split(text_of(mark) or " "))
    },
    "join": lambda mark, values: (
        text_of(mark).join(map(text_of, values)) if isinstance(values, list) else text_of(values)
    ),
    "list": lambda *values: list(values),
    "tuple": lambda *values: list(values),
    "dict": _dict,
    "get": lambda value, key: value.get(text_of(key), "") if isinstance(value, dict) else "",
    "hasKey": lambda value, key: isinstance(value, dict) and text_of(key) in value,
    "keys": lambda *values: [key for value in values if isinstance(value, dict) for key in value],
    "values": lambda value: list(value.values()) if isinstance(value, dict) else [],
    "merge": _merge,
    "mergeOverwrite": lambda *values: _merge(*values, overwrite=True),
    "omit": lambda value, *keys: {
        key: item
        for key, item in (value if isinstance(value, dict) else {}).items()
        if key not in keys
    },
    "pick": lambda value, *keys: {
        key: item for key, item in (value if isinstance(value, dict) else {}).items() if key in keys
    },
    "deepCopy": lambda value: value,
    "first": lambda value: next(iter(_list(value)), None),
    "last": lambda value: _list(value)[-1] if _list(value) else None,
    "rest": lambda value: _list(value)[1:],
    "initial": lambda value: _list(value)[:-1],
    "append": lambda value, item: [*_list(value), item],
    "prepend": lambda value, item: [item, *_list(value)],
    "concat": lambda *values: [item for value in values for item in _list(value)],
    "has": lambda item, value: item in _list(value),
    "uniq": lambda value: [
        item
        for index, item in enumerate(_list(value)[:MAX_LIST])
        if item not in _list(value)[:index]
    ],
    "compact": lambda value: [item for item in _list(value) if not _empty(item)],
    "sortAlpha": lambda value: sorted(map(text_of, _list(value))),
    "reverse": lambda value: list(reversed(_list(value))),
    "until": _range,
    "untilStep": _range,
    "add": lambda *values: sum(map(_number, values)),
    "add1": lambda value: _number(value) + 1,
    "sub": lambda left, right: _number(left) - _number(right),
    "mul": _product,
    "div": lambda left, right: (
        int(_number(left) / _number(right)) if _number(right) else _fail("division by zero")
    ),
    "mod": lambda left, right: (
        int(_number(left)) % int(_number(right)) if _number(right) else _fail("division by zero")
    ),
    "max": lambda *values: max(map(_number, values)),
    "min": lambda *values: min(map(_number, values)),
    "int": lambda value: int(_number(value)),
    "int64": lambda value: int(_number(value)),
    "float64": lambda value: float(_number(value)),
    "atoi": lambda value: int(_number(value)),
    "toYaml": lambda value: (
        yaml_of(plain(value))
        if not _empty(value) or isinstance(value, dict | list)
        else "null"
        if value is None
        else yaml_of(plain(value))
    ),
    "toJson": lambda value: json.dumps(plain(value), separators=(",", ":"), ensure_ascii=False),
    "toPrettyJson": lambda value: json.dumps(plain(value), indent=2, ensure_ascii=False),
    "fromYaml": _from_yaml,
    "fromJson": _from_yaml,
    "b64enc": lambda text: base64.b64encode(text_of(text).encode()).decode(),
    "sha256sum": lambda text: hashlib.sha256(text_of(text).encode()).hexdigest(),
    "kindOf": _kind,
    "kindIs": lambda kind, value: _kind(value) == kind,
    "typeOf": _kind,
    "typeIs": lambda kind, value: _kind(value) == kind,
}
LINES = {"nindent", "indent"}


def call(name: str, arguments: list[Any], source: str) -> Any:
    """Call a function; the value is a Hole where an argument or the outcome is not known.

    Raises CallError if Helm's function would fail.
    """
    # Whether Helm would fail depends on what is not known.
    if name in ("fail", "required") and any(map(has_unknown, arguments)):
        return Hole(source)
    if any(map(has_unknown, arguments)) and name not in (
        "list",
        "dict",
        "tuple",
        "hasKey",
        "keys",
        "omit",
        "merge",
        "mergeOverwrite",
        "index",
        "get",
        "first",
        "concat",
        "append",
        "toYaml",
    ):
        block = (
            int(_number(arguments[0]))
            if name in LINES and not isinstance(arguments[0], Hole)
            else None
        )
        values = [value for value in arguments[1:] if not isinstance(value, Hole)]
        if name in LINES and values:
            # Known text with holes in it.
            return FUNCTIONS[name](*arguments)
        return Hole(source, block)
    if name not in FUNCTIONS or any(
        isinstance(value, Hole)
        for value in arguments[:1]
        if name
        in (
            "index",
            "get",
            "keys",
            "omit",
            "first",
            "hasKey",
            "merge",
            "mergeOverwrite",
            "concat",
            "append",
            "toYaml",
        )
    ):
        return Hole(source)
    try:
        return FUNCTIONS[name](*arguments)
    except (TypeError, ValueError, AttributeError, KeyError, OverflowError) as error:
        raise CallError(f"{name}: {error}") from None
