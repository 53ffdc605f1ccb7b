"""Terraform's functions on known arguments: those that touch no file, no clock and no randomness
(https://developer.hashicorp.com/terraform/language/functions). A CallError is an error of
`terraform validate` too.
"""

import base64
import binascii
import ipaddress
import json
import re
from collections.abc import Callable
from itertools import chain
from typing import Any

from inframind.categories.terraform.fit import NUMBER, as_set
from inframind.categories.terraform.values import SetValue, Value, as_text

# "Terraform imposes an artificial limit of 1024 numbers": functions/range.
MAX_RANGE = 1024
MAX_PATTERN = 200
SIMPLE_PATTERN = re.compile(r"\^?(?:[A-Za-z0-9 _/:.=@-]|\\[dwsDWS.])*\$?")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
DURATION = re.compile(r"[+-]?(?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+|0")
FORMAT_VERB = re.compile(r"%(?:%|[-+ #0]*\d*(?:\.\d+)?(?:\[\d+\])?([a-zA-Z]))")


class CallError(Exception):
    """The call fails for these arguments."""


def need(condition: bool, message: str) -> None:
    """Raises CallError with the message unless the condition holds."""
    if not condition:
        raise CallError(message)


def number(value: Value) -> int | float:
    """Converts a number, or a text that is one. Raises CallError."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise CallError("a number is required")
    if isinstance(value, str):
        need(NUMBER.fullmatch(value) is not None, f"a number is required, not {value!r}")
        value = float(value)
    return int(value) if float(value).is_integer() else value


def whole(value: Value) -> int:
    """Converts a whole number, or a text that is one. Raises CallError."""
    result = number(value)
    need(isinstance(result, int), "a whole number is required")
    return int(result)


def sequence(value: Value, name: str = "the argument") -> list[Value]:
    """Passes a list, a tuple or a set on; CallError for anything else."""
    if not isinstance(value, list):
        raise CallError(f"{name} must be a list, a set or a tuple")
    return value


def mapping(value: Value, name: str = "the argument") -> dict[str, Value]:
    """Passes a map or an object on; CallError for anything else."""
    if not isinstance(value, dict):
        raise CallError(f"{name} must be a map or an object")
    return value


def to_boolean(value: Value) -> Value:
    need(
        value is None or isinstance(value, bool) or value in ("true", "false"),
        f"cannot convert {value!r} to bool",
    )
    return value if value is None or isinstance(value, bool) else value == "true"


def to_number(value: Value) -> Value:
    return None if value is None else number(value)


def lookup(table: Value, key: Value, *default: Value) -> Value:
    entries = mapping(table, "the first argument of lookup")
    need(
        as_text(key) in entries or bool(default),
        f"the given object has no attribute {as_text(key)!r}",
    )
    return entries[as_text(key)] if as_text(key) in entries else default[0]


def element(items: Value, index: Value) -> Value:
    members, position = sequence(items, "the first argument of element"), whole(index)
    need(bool(members), "cannot use element with an empty list")
    need(position >= 0, "cannot use element with a negative index")
    # The index wraps around: functions/element.
    return members[position % len(members)]


def merge(*maps: Value) -> Value:
    return dict(
        chain.from_iterable(
            mapping(part, "each argument of merge").items() for part in maps if part is not None
        )
    )


def concat(*lists: Value) -> Value:
    return [item for part in lists for item in sequence(part, "each argument of concat")]


def flatten(items: Value) -> Value:
    members: list[Value] = []
    for item in sequence(items):
        members += flatten(item) if isinstance(item, list) else [item]
    return members


def slice_(items: Value, start: Value, end: Value) -> Value:
    members, low, high = sequence(items), whole(start), whole(end)
    need(0 <= low <= high <= len(members), "the slice ends beyond the list")
    return members[low:high]


def numbers(*bounds: Value) -> Value:
    """Counts as range(end), range(start, end) or range(start, end, step)."""
    need(1 <= len(bounds) <= 3, "range takes one to three numbers")
    start, end = (
        (0, number(bounds[0])) if len(bounds) == 1 else (number(bounds[0]), number(bounds[1]))
    )
    step = number(bounds[2]) if len(bounds) == 3 else (1 if start <= end else -1)
    need(step != 0 and (end - start) * step >= 0, "the step leads away from the end")
    values: list[Value] = []
    while (start < end if step > 0 else start > end) and len(values) <= MAX_RANGE:
        values.append(start)
        start += step
    need(len(values) <= MAX_RANGE, f"more than {MAX_RANGE} values")
    return values


def zipmap(keys: Value, values: Value) -> Value:
    names, items = sequence(keys), sequence(values)
    need(
        len(names) == len(items),
        f"number of keys ({len(names)}) does not match number of values ({len(items)})",
    )
    return dict(zip(map(as_text, names), items, strict=True))


def network(text: Value) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        need("/" in as_text(text), f"invalid CIDR expression {text!r}")
        return ipaddress.ip_network(as_text(text), strict=False)
    except ValueError:
        raise CallError(f"invalid CIDR expression {text!r}") from None


def cidrsubnet(prefix: Value, bits: Value, index: Value) -> Value:
    base, length, netnum = network(prefix), whole(bits), whole(index)
    need(
        base.prefixlen + length <= base.max_prefixlen,
        f"insufficient address space to extend prefix of {base.prefixlen} by {length}",
    )
    need(
        0 <= netnum < 2**length,
        f"prefix extension of {length} does not accommodate a subnet numbered {netnum}",
    )
    size = base.prefixlen + length
    start = int(base.network_address) + (netnum << (base.max_prefixlen - size))
    return f"{ipaddress.ip_address(start)}/{size}"


def cidrhost(prefix: Value, index: Value) -> Value:
    base, hostnum = network(prefix), whole(index)
    need(
        -base.num_addresses <= hostnum < base.num_addresses,
        f"prefix of {base.prefixlen} does not accommodate a host numbered {hostnum}",
    )
    return str(base[hostnum])


def jsondecode(text: Value) -> Value:
    try:
        return json.loads(as_text(text))
    except (ValueError, RecursionError):
        raise CallError("the text is not JSON") from None


def base64decode(text: Value) -> Value:
    try:
        return base64.b64decode(as_text(text), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise CallError("failed to decode base64 data") from None


def format_(pattern: Value, *values: Value) -> Value:
    """Fills in `%s`, `%d`, `%v`, `%q` without width, and counts other verbs."""
    # `%[2]s` and `%*d` choose and take arguments out of order, and are left to Terraform.
    verbs = [match for match in FORMAT_VERB.finditer(as_text(pattern)) if match.group(1)]
    if any("[" in match.group() or "*" in match.group() for match in verbs):
        raise LookupError
    need(
        len(verbs) <= len(values), f"not enough arguments: {len(verbs)} verbs, {len(values)} values"
    )
    need(len(verbs) >= len(values), f"too many arguments; only {len(verbs)} used by format string")
    rest = iter(values)

    def fill(match: re.Match[str]) -> str:
        if match.group(1) is None:
            return "%"
        value = next(rest)
        if match.group(1) in "dbeEfFgGoxX":
            value = number(value)
        if match.group() == "%q":
            return json.dumps(as_text(value))
        if (
            len(match.group()) > 2
            or match.group(1) not in "sdv"
            or isinstance(value, list | dict)
            or value is None
        ):
            raise LookupError
        return as_text(value)

    return FORMAT_VERB.sub(fill, as_text(pattern))


def coalesce(*values: Value) -> Value:
    # Empty texts are passed over like null: functions/coalesce.
    first = next((value for value in values if value is not None and value != ""), None)
    need(first is not None, "no non-null, non-empty-string arguments")
    return first


def one(items: Value) -> Value:
    members = sequence(items)
    need(len(members) <= 1, "must be a list, set, or tuple value with either zero or one elements")
    return members[0] if members else None


def index(items: Value, value: Value) -> Value:
    members = sequence(items)
    need(value in members, "item not found")
    return members.index(value)


def extreme(pick: Callable[[list[int | float]], int | float]) -> Callable[..., Value]:
    def choose(*values: Value) -> Value:
        need(bool(values), "must pass at least one number")
        return pick(list(map(number, values)))

    return choose


def length(value: Value) -> Value:
    need(
        isinstance(value, str | list | dict),
        "argument must be a string, a collection type, or a structural type",
    )
    return len(value)


def contains(items: Value, value: Value) -> Value:
    return value in sequence(items)


def total(items: Value) -> Value:
    addends = list(map(number, sequence(items)))
    need(bool(addends), "cannot sum an empty list")
    return sum(addends)


def reverse(items: Value) -> Value:
    return sequence(items)[::-1]


def set_union(*sets: Value) -> Value:
    return as_set([item for part in sets for item in sequence(part)])


def set_intersection(first: Value, *others: Value) -> Value:
    return as_set(
        [item for item in sequence(first) if all(item in sequence(part) for part in others)]
    )


def set_subtract(first: Value, second: Value) -> Value:
    return as_set([item for item in sequence(first) if item not in sequence(second)])


def join(separator: Value, *lists: Value) -> Value:
    return as_text(separator).join(as_text(item) for part in lists for item in sequence(part))


def split(separator: Value, text: Value) -> Value:
    if as_text(text) == "":
        return []
    return as_text(text).split(as_text(separator)) if separator != "" else list(as_text(text))


def replace(text: Value, old: Value, new: Value) -> Value:
    # Between slashes stands a regular expression: functions/replace.
    if len(as_text(old)) > 1 and as_text(old).startswith("/") and as_text(old).endswith("/"):
        raise LookupError
    return as_text(text).replace(as_text(old), as_text(new))


def substr(text: Value, offset: Value, count: Value) -> Value:
    start, size = whole(offset), whole(count)
    whole_text = as_text(text)
    start = start + len(whole_text) if start < 0 else start
    # A length of -1 means the rest of the text: functions/substr.
    return whole_text[start:] if size == -1 else whole_text[start : start + size]


def regex(pattern: Value, text: Value) -> Value:
    """Tries simple patterns on short texts: matching takes linear time in Terraform's RE2, but not
    here.
    """
    source = as_text(pattern)
    if (
        len(source) > MAX_PATTERN
        or len(as_text(text)) > MAX_PATTERN
        or not SIMPLE_PATTERN.fullmatch(source)
    ):
        raise LookupError
    match = re.search(source, as_text(text))
    need(match is not None, "pattern did not match any part of the given string")
    raise LookupError


def timeadd(moment: Value, duration: Value) -> Value:
    """Judges the forms of moment and duration alone."""
    need(TIME.fullmatch(as_text(moment)) is not None, "not a valid RFC3339 timestamp")
    need(DURATION.fullmatch(as_text(duration)) is not None, "not a valid duration")
    raise LookupError


def to_list(items: Value) -> Value:
    if items is None:
        return None
    members = sequence(items)
    need(
        len({_family(item) for item in members if item is not None}) < 2,
        "the elements have no type in common",
    )
    return list(members)


def to_map(table: Value) -> Value:
    if table is None:
        return None
    entries = mapping(table)
    need(
        len({_family(item) for item in entries.values() if item is not None}) < 2,
        "the elements have no type in common",
    )
    return entries


def _family(value: Value) -> str:
    return "list" if isinstance(value, list) else "object" if isinstance(value, dict) else "text"


PURE: dict[str, Callable[..., Any]] = {
    "abs": lambda value: abs(number(value)),
    "alltrue": lambda items: all(value in (True, "true") for value in sequence(items)),
    "anytrue": lambda items: any(value in (True, "true") for value in sequence(items)),
    "base64decode": base64decode,
    "base64encode": lambda text: base64.b64encode(as_text(text).encode()).decode(),
    "ceil": lambda value: -int(-number(value) // 1),
    "cidrhost": cidrhost,
    "cidrsubnet": cidrsubnet,
    "coalesce": coalesce,
    "compact": lambda items: [item for item in sequence(items) if item not in (None, "")],
    "concat": concat,
    "contains": contains,
    "distinct": lambda items: list(as_set(sequence(items))),
    "element": element,
    "endswith": lambda text, end: as_text(text).endswith(as_text(end)),
    "flatten": flatten,
    "floor": lambda value: int(number(value) // 1),
    "format": format_,
    "index": index,
    "join": join,
    "jsondecode": jsondecode,
    "jsonencode": lambda value: json.dumps(value, separators=(",", ":")),
    "keys": lambda table: sorted(mapping(table)),
    "length": length,
    "lookup": lookup,
    "lower": lambda text: as_text(text).lower(),
    "max": extreme(max),
    "merge": merge,
    "min": extreme(min),
    "nonsensitive": lambda value: value,
    "one": one,
    "range": numbers,
    "regex": regex,
    "replace": replace,
    "reverse": reverse,
    "sensitive": lambda value: value,
    "setintersection": set_intersection,
    "setsubtract": set_subtract,
    "setunion": set_union,
    "slice": slice_,
    "sort": lambda items: sorted(map(as_text, sequence(items))),
    "split": split,
    "startswith": lambda text, start: as_text(text).startswith(as_text(start)),
    "strcontains": lambda text, part: as_text(part) in as_text(text),
    "substr": substr,
    "sum": total,
    "tobool": to_boolean,
    "timeadd": timeadd,
    "tolist": to_list,
    "tomap": to_map,
    "tonumber": to_number,
    "toset": lambda items: items if items is None else SetValue(as_set(sequence(items))),
    "tostring": lambda value: None if value is None else as_text(value),
    "trim": lambda text, cut: as_text(text).strip(as_text(cut)),
    "trimprefix": lambda text, cut: as_text(text).removeprefix(as_text(cut)),
    "trimspace": lambda text: as_text(text).strip(),
    "trimsuffix": lambda text, cut: as_text(text).removesuffix(as_text(cut)),
    "upper": lambda text: as_text(text).upper(),
    # In the order of the keys: functions/values.
    "values": lambda table: [item for _, item in sorted(mapping(table).items())],
    "zipmap": zipmap,
}
"""Function -> its result for known arguments; raises CallError where Terraform does, LookupError
where it is not known here.
"""
SHAPES: dict[str, tuple[int, tuple[str, ...]]] = {
    # These parameters are cty.DynamicPseudoType, and the functions' own code looks at the shape
    # (most of them in go-cty, cty/function/stdlib).
    "concat": (0, ("list", "set", "tuple")),
    "element": (0, ("list", "tuple", "set")),
    "flatten": (0, ("list", "set", "tuple")),
    "contains": (0, ("list", "set", "tuple")),
    "keys": (0, ("map", "object")),
    "values": (0, ("map", "object")),
    "lookup": (0, ("map", "object")),
    "merge": (0, ("map", "object")),
    "length": (0, ("string", "list", "set", "tuple", "map", "object")),
}
"""Functions whose first argument must have one of these shapes although the signature says
`dynamic`.
"""
