"""Evaluates intent checks on the effective configuration: the meaning of docs/contracts/task.md."""

import json
from collections.abc import Callable, Mapping, Sequence

from inframind.categories.base import Configuration, Resource
from inframind.errors import DataError
from inframind.types import NEGATIVE_OPS, Check, CheckResult, Json, Selector
from inframind.verifier import rego
from inframind.verifier.paths import MAX_PATTERN, compiled, matches, pattern, search

NEEDS_PATH = frozenset(
    {"equals", "not_equals", "one_of", "matches", "contains", "at_least", "at_most"}
)
# `any_of` takes 8 options at most (types.Check): four levels of it are 4,096 questions.
MAX_CHECKS, MAX_NESTING = 256, 4
MAX_MESSAGE, MAX_VALUE = 300, 80


def validate_checks(checks: Sequence[Check], where: str = "checks", nesting: int = 0) -> None:
    """Raises DataError naming the check and the field when a check can have no meaning."""
    if len(checks) > MAX_CHECKS or nesting > MAX_NESTING:
        raise DataError(
            f"{where}: at most {MAX_CHECKS} checks, `any_of` nested at most {MAX_NESTING} deep",
            param=where,
        )
    for index, check in enumerate(checks):
        here = f"{where}.{index}"
        if check.op == "any_of":
            if not check.checks:
                raise DataError(
                    f"{here}: any_of needs at least one check in `checks`", param=f"{here}.checks"
                )
            validate_checks(check.checks, f"{here}.checks", nesting + 1)
        elif check.op == "rego":
            rego.validate(check.value, f"{here}.value")
        else:
            _validate_json(check, here)
            _validate_fields(check, here)
            _validate_value(check, here)
            _validate_paths(check, here)


def _validate_json(check: Check, here: str) -> None:
    """Holds the values to JSON: Python's reads NaN, and lone surrogates, which UTF-8 has not."""
    targets = check.to.where if check.to else {}
    for param, value in (("value", check.value), ("where", check.where), ("to.where", targets)):
        try:
            json.dumps(value, allow_nan=False, ensure_ascii=False, default=str).encode()
        except UnicodeEncodeError:
            message = f"{here}: a lone surrogate is no Unicode text"
            raise DataError(message, param=f"{here}.{param}") from None
        except ValueError:
            # The file of a dataset would have null for it, which asks for nothing.
            message = f"{here}: NaN and infinite numbers are no JSON"
            raise DataError(message, param=f"{here}.{param}") from None


def _validate_fields(check: Check, here: str) -> None:
    if not check.kind:
        raise DataError(f"{here}: {check.op} needs `kind`", param=f"{here}.kind")
    if check.op in NEEDS_PATH and not check.path:
        raise DataError(f"{here}: {check.op} needs `path`", param=f"{here}.path")
    if check.op == "references" and check.to is None:
        raise DataError(f"{here}: references needs `to`", param=f"{here}.to")
    if check.checks:
        raise DataError(f"{here}: only any_of takes `checks`", param=f"{here}.checks")


def _validate_value(check: Check, here: str) -> None:
    if check.op in ("equals", "not_equals") and check.value is None:
        # A check that is written without its value would hold for whatever is missing.
        raise DataError(
            f"{here}: {check.op} needs a `value`; `absent` and `exists` ask for none and for any",
            param=f"{here}.value",
        )
    if check.op in ("at_least", "at_most", "count") and not _is_number(check.value):
        raise DataError(f"{here}: {check.op} needs a number as `value`", param=f"{here}.value")
    if check.op == "one_of" and not (isinstance(check.value, list) and check.value):
        raise DataError(f"{here}: one_of needs a list as `value`", param=f"{here}.value")
    if check.op == "contains" and check.value is None:
        raise DataError(f"{here}: contains needs a `value`", param=f"{here}.value")
    if check.op == "matches":
        if not isinstance(check.value, str) or len(check.value) > MAX_PATTERN:
            raise DataError(
                f"{here}: matches needs a text of at most {MAX_PATTERN} characters as `value`",
                param=f"{here}.value",
            )
        # Compiled before any text is read: a bad pattern is the request's fault, not the text's.
        try:
            pattern(check.value)
        except DataError as error:
            raise DataError(f"{here}: {error}", param=f"{here}.value") from None


def _validate_paths(check: Check, here: str) -> None:
    paths = {f"{here}.where": path for path in check.where}
    paths |= {f"{here}.to.where": path for path in (check.to.where if check.to else ())}
    if check.path and check.op != "references":
        paths[f"{here}.path"] = check.path
    for param, path in paths.items():
        try:
            compiled(path)
        except DataError as error:
            raise DataError(f"{here}: {error}", param=param) from None


def same(left: Json, right: Json) -> bool:
    """Compares JSON values; numbers by value, but neither a boolean nor a text is a number."""
    # To Python True is 1: `replicas: true` would equal one replica.
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    return (type(left) is type(right) and left == right) or (
        _is_number(left) and _is_number(right) and left == right
    )


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def holds_entries(value: Json, wanted: Json) -> bool:
    """Tells that the values are equal, or mappings of which `value` has all wanted entries."""
    if isinstance(value, Mapping) and isinstance(wanted, Mapping):
        return all(key in value and holds_entries(value[key], wanted[key]) for key in wanted)
    return same(value, wanted)


def contains(value: Json, wanted: Json) -> bool:
    """Tells that a list has the element, a text the substring, a mapping the entries."""
    if isinstance(value, list | tuple):
        return any(holds_entries(item, wanted) for item in value)
    if isinstance(value, str):
        # A number is in no text: 80 would be found in "8080".
        return isinstance(wanted, str) and wanted in value
    return (
        isinstance(value, Mapping) and isinstance(wanted, Mapping) and holds_entries(value, wanted)
    )


def as_text(value: Json) -> str:
    """Writes a value for a pattern match or a message: a text as it is, all else as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False, default=str)


def size(value: Json) -> int | float | None:
    """Measures a value: a number is its own size, a list has its length, all else has none."""
    if isinstance(value, list | tuple):
        return len(value)
    return value if _is_number(value) else None


def is_empty(value: Json) -> bool:
    """Tells null, an empty list and an empty mapping from values. An empty text is a value."""
    return value is None or (isinstance(value, list | tuple | Mapping) and not value)


VALUE_TESTS: dict[str, Callable[[Json, Json], bool]] = {
    "equals": same,
    "not_equals": lambda value, wanted: not same(value, wanted),
    "one_of": lambda value, wanted: any(same(value, option) for option in wanted),
    "matches": lambda value, wanted: (
        isinstance(value, str | int | float) and matches(as_text(value), wanted)
    ),
    "contains": contains,
    "at_least": lambda value, wanted: (number := size(value)) is not None and number >= wanted,
    "at_most": lambda value, wanted: (number := size(value)) is not None and number <= wanted,
    "exists": lambda value, _: not is_empty(value),
    "absent": lambda value, _: is_empty(value),
}


ASKED: dict[str, str] = {
    "equals": "asked for {}",
    "not_equals": "asked for anything else",
    "one_of": "asked for one of {}",
    "matches": "asked for a text that matches {}",
    "contains": "asked for {} in it",
    "at_least": "asked for at least {}",
    "at_most": "asked for at most {}",
    "exists": "asked for a value",
    "absent": "asked for none",
}
"""The words of a message for what each operation asked for."""


def value_at(resource: Resource, path: str) -> Json:
    """Evaluates a JMESPath expression on the object's fields; None where it does not apply."""
    return search(path, resource.fields)


def select(configuration: Configuration, by: Selector | Check) -> list[int]:
    """Finds the indices of the objects that kind, name and `where` select."""
    return [
        index
        for index, resource in enumerate(configuration.resources)
        if resource.kind == by.kind
        and (by.name is None or resource.name == by.name)
        and all(same(value_at(resource, path), value) for path, value in by.where.items())
    ]


def describe(check: Check) -> str:
    """Names the check's subject for a message."""
    name = f" {check.name}" if check.name else ""
    where = "".join(f" with {path} = {as_text(value)}" for path, value in check.where.items())
    return f"{check.kind}{name}{where}"


def refers(configuration: Configuration, check: Check, sources: Sequence[int]) -> bool:
    """Tells that some (or every) source refers below `path` to an object that `to` selects."""
    assert check.to is not None
    targets = {
        (check.to.kind, configuration.resources[i].name) for i in select(configuration, check.to)
    }

    def linked(source: int) -> bool:
        return any(
            link.source == source
            # A link may lie deeper than the field that was asked for, as in `volumes.0.configMap`.
            and (
                check.path is None
                or link.path == check.path
                or link.path.startswith(f"{check.path}.")
            )
            and (link.kind, link.name) in targets
            for link in configuration.links
        )

    return bool(sources) and (all if check.every else any)(linked(source) for source in sources)


def evaluate(check: Check, configuration: Configuration, where: str = "checks") -> CheckResult:
    """Decides one check; the message of one that fails says what is there instead.

    Raises DataError, naming the field below `where`, for a policy that cannot be evaluated at all.
    """
    label = check.id or check.path or f"{check.op} {check.kind}".strip()
    if check.op == "any_of":
        results = [
            evaluate(option, configuration, f"{where}.checks.{index}")
            for index, option in enumerate(check.checks)
        ]
        if any(result.passed for result in results):
            return CheckResult(id=label, passed=True)
        return CheckResult(
            id=label,
            passed=False,
            message=" or ".join(result.message for result in results)[:MAX_MESSAGE],
        )
    if check.op == "rego":
        reasons = rego.denials(check.value, configuration, f"{where}.value")
        return CheckResult(id=label, passed=not reasons, message="; ".join(reasons)[:MAX_MESSAGE])
    chosen = select(configuration, check)
    values = _values(check, configuration, chosen)
    if _holds(check, configuration, chosen, values):
        return CheckResult(id=label, passed=True)
    return CheckResult(id=label, passed=False, message=_missed(check, chosen, values)[:MAX_MESSAGE])


def _values(check: Check, configuration: Configuration, chosen: Sequence[int]) -> list[Json]:
    """Collects the values at the check's path, one for each object that it selects."""
    if check.path is None or check.op in ("count", "references"):
        return []
    return [value_at(configuration.resources[index], check.path) for index in chosen]


def _holds(
    check: Check, configuration: Configuration, chosen: Sequence[int], values: Sequence[Json]
) -> bool:
    if check.op == "count":
        # Objects are counted before anything is read of them: `path` has no part in it.
        return bool(len(chosen) == check.value)
    if check.op == "references":
        return refers(configuration, check, chosen)
    if check.path is None:
        return bool(chosen) == (check.op == "exists")
    if not chosen:
        return check.op == "absent"
    # "It is not so" is said of all: one clean object does not excuse another.
    every = check.every or check.op in ("absent", "not_equals")
    return (all if every else any)(VALUE_TESTS[check.op](value, check.value) for value in values)


def _missed(check: Check, chosen: Sequence[int], values: Sequence[Json]) -> str:
    """Says what is there instead, for a check that does not hold."""
    subject = describe(check)
    if check.op == "count":
        return f"there are {len(chosen)} of {subject}, asked for {check.value}"
    if not chosen:
        return f"there is no {subject}"
    if check.op == "references":
        target = f"{check.to.kind} {check.to.name or ''}".strip() if check.to else ""
        return f"{subject} does not refer to {target}{f' at {check.path}' if check.path else ''}"
    if check.path is None:
        return f"there is a {subject}"
    wrong = next((value for value in values if not VALUE_TESTS[check.op](value, check.value)), None)
    actual = "missing" if wrong is None else as_text(wrong)[:MAX_VALUE]
    expectation = ASKED[check.op].format(as_text(check.value)[:MAX_VALUE])
    return f"{check.path} of {subject} is {actual}, {expectation}"


def has_rego(checks: Sequence[Check]) -> bool:
    """Tells that a Rego policy is among the checks."""
    return any(check.op == "rego" or has_rego(check.checks) for check in checks)


def is_negative(check: Check) -> bool:
    """Tells a check that an empty answer satisfies as well."""
    if check.op == "any_of":
        return any(is_negative(option) for option in check.checks)
    return check.op in NEGATIVE_OPS or (check.op == "count" and check.value == 0)


def intent_share(checks: Sequence[Check], results: Sequence[CheckResult]) -> float:
    """Computes the share of the checks that hold, in [0, 1].

    It is 0 after a failed gate, and where nothing holds but negative checks, which an empty text
    meets too.
    """
    pairs = list(zip(checks, results, strict=True))
    if any(check.gate and not result.passed for check, result in pairs):
        return 0.0
    if not any(result.passed and not is_negative(check) for check, result in pairs):
        return 0.0
    return sum(result.passed for result in results) / len(results)
