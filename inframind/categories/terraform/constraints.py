"""Constraints from the provider's own code: enumerations, formats, ranges, and arguments that need
or exclude one another.

The data come from tools/terraform/constraints.py and details.py. Only values that are known without
running Terraform are judged.
"""

import binascii
import ipaddress
import json
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from inframind.categories.shared import json_schema
from inframind.categories.shared.formats import newest_known
from inframind.categories.terraform.fit import NUMBER
from inframind.categories.terraform.provider import PACKAGE
from inframind.categories.terraform.values import Value, as_text

SHOWN = 12
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html, as terraform-provider-aws
# checks it
ARN = re.compile(r"arn:[^:]+:[^:]+:[^:]*:[^:]*:.+", re.S)
DAY = r"(?:mon|tue|wed|thu|fri|sat|sun)"
CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d"
PATTERNS: dict[str, tuple[str, str]] = {
    "account": (
        r"\d{12}|aws|aws-managed|third-party|aws-marketplace|",
        "an AWS account id of 12 digits",
    ),
    # https://pkg.go.dev/strconv#ParseBool
    "bool": (r"1|t|T|true|TRUE|True|0|f|F|false|FALSE|False|", "true or false"),
    "int": (r"[+-]?\d+|", "a whole number"),
    "port": (r"\d{1,5}", "a port"),
    "region": (r"[a-z]{2,4}(-[a-z]+)+-\d{1,2}|", "an AWS region such as us-east-1"),
    "uuid": (r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", "a UUID"),
    # https://pkg.go.dev/time#ParseDuration
    "duration": (r"[+-]?(?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+|0|", "a duration such as 1h30m"),
    "time": (
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)|",
        "a time such as 2030-01-02T15:04:05Z",
    ),
    "clock": (CLOCK, "a time such as 04:30"),
    "week-clock": (rf"[1-7]:{CLOCK}", "a time such as 1:04:30"),
    "day-window": (rf"{CLOCK}-{CLOCK}|", "a window such as 04:00-05:00"),
    "week-window": (rf"(?i:{DAY}:{CLOCK}-{DAY}:{CLOCK})|", "a window such as sun:04:00-sun:05:00"),
    "not-empty": (r"(?s:.+)", "a text that is not empty"),
    "url": (r"[a-zA-Z][a-zA-Z0-9+.-]*://[^/\s]+.*", "a URL"),
}
"""Formats as regular expressions, with how they are called."""


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return "/" in text


def _is_address(text: str, version: int | None = None) -> bool:
    try:
        return version in (None, ipaddress.ip_address(text).version)
    except ValueError:
        return False


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _is_base64(text: str) -> bool:
    try:
        b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


FORMATS: dict[str, tuple[Callable[[str], bool], str]] = {
    "arn": (
        lambda text: not text or ARN.fullmatch(text) is not None,
        "an ARN such as arn:aws:iam::123456789012:role/name",
    ),
    "cidr": (lambda text: not text or _is_network(text), "a CIDR block such as 10.0.0.0/16"),
    "json": (lambda text: not text or _is_json(text), "JSON: write jsonencode({ ... })"),
    "policy": (
        lambda text: not text or (text.lstrip().startswith("{") and _is_json(text)),
        "a JSON policy: write jsonencode({ ... })",
    ),
    "ip": (_is_address, "an IP address"),
    "ipv4": (lambda text: _is_address(text, 4), "an IPv4 address"),
    "ipv6": (lambda text: _is_address(text, 6), "an IPv6 address"),
    "base64": (_is_base64, "base64"),
    "float": (lambda text: not text or NUMBER.fullmatch(text) is not None, "a number"),
}


@dataclass(frozen=True)
class Constraints:
    """Those of one resource type."""

    values: Mapping[str, list[list[Any]]]
    """path -> constraints, each [name, arguments ...]; of ["either", constraints] one has to
    hold.
    """
    together: list[list[Any]]
    """["any" | "at-most-one" | "with", path, paths] or ["conflict", path, other]."""
    members: Mapping[str, list[str]] = field(default_factory=dict)
    """path of a list of objects -> what each must have where they are written as blocks."""

    def violation(self, path: str, value: Value) -> str | None:
        """Says how a value breaks a constraint of its path; None if all hold.

        Elements of a list are judged one by one.
        """
        constraints = self.values.get(path, [])
        items = value if isinstance(value, list) else [value]
        for item in items if constraints else ():
            if isinstance(item, str | int | float) and not isinstance(item, bool):
                for constraint in constraints:
                    why = violation(constraint, item)
                    if why:
                        return why
        return None

    def newest_known(self, path: str, value: Value) -> str | None:
        """Finds the last of an enumeration's versions where the value is a later one, else None.

        The service may have added it since the list was made.
        """
        lists = [constraint[1] for constraint in self.values.get(path, []) if constraint[0] == "in"]
        if not isinstance(value, str):
            return None
        return next(
            (newest for words in lists if (newest := newest_known(value, map(as_text, words)))),
            None,
        )


def violation(constraint: list[Any], value: str | int | float) -> str | None:
    """Says how a value breaks one constraint, [name, arguments ...]; None if it holds."""
    name, *arguments = constraint
    text = as_text(value)
    if name == "either":
        reasons = [violation(alternative, value) for alternative in arguments[0]]
        return " and ".join(map(str, reasons)) if all(reasons) else None
    if name == "in":
        return _not_in(arguments[0], text, any_case=len(arguments) > 1)
    if name in ("range", "length", "multiple", "port", "port-or-0"):
        return _out_of_range(name, arguments, value)
    if name in FORMATS:
        return None if FORMATS[name][0](text) else f"{text[:80]!r} is not {FORMATS[name][1]}"
    if name in PATTERNS:
        return (
            None
            if re.fullmatch(PATTERNS[name][0], text)
            else f"{text[:80]!r} is not {PATTERNS[name][1]}"
        )
    if name == "prefix":
        return (
            None
            if text.startswith(arguments[0])
            else f"{text[:80]!r} does not begin with {arguments[0]}"
        )
    if name == "without":
        return _forbidden(arguments[0], text)
    if name == "match":
        return (
            None
            if re.search(arguments[0], text)
            else f"{text[:80]!r} does not match {arguments[0]}"
        )
    return None


def _not_in(allowed: list[Any], text: str, *, any_case: bool) -> str | None:
    words = [as_text(word) for word in allowed]
    # validation.StringInSlice(valid, ignoreCase).
    if text in words or (any_case and text.casefold() in map(str.casefold, words)):
        return None
    more = " ..." if len(words) > SHOWN else ""
    return f"{text[:80]!r} is not one of {', '.join(words[:SHOWN])}{more}"


def _out_of_range(name: str, arguments: list[Any], value: str | int | float) -> str | None:
    if name == "length":
        if not isinstance(value, str):
            return None
        # validation.StringLenBetween takes Go's len, which counts bytes.
        value = len(value.encode())
    elif isinstance(value, str):
        if not NUMBER.fullmatch(value):
            return None
        value = float(value)
    if name == "multiple":
        return (
            None if value % arguments[0] == 0 else f"{value:g} is not a multiple of {arguments[0]}"
        )
    # validation.IsPortNumber and IsPortNumberOrZero of terraform-plugin-sdk.
    low, high = arguments if arguments else (0 if name == "port-or-0" else 1, 65535)
    if (low is not None and value < low) or (high is not None and value > high):
        what = "a text of length" if name == "length" else "a number"
        bounds = " and ".join("-" if bound is None else str(bound) for bound in (low, high))
        return f"{what} between {bounds} is required, not {value:g}"
    return None


def _forbidden(characters: str, text: str) -> str | None:
    """Says which forbidden character a text holds; None if it holds none.

    `A` stands for capital letters, `é` for what is not ASCII.

    Where a name stands, an ARN may stand too.
    """
    if text.startswith("arn:"):
        return None
    refused = next(
        (c for c in text if c in characters or ("A" in characters and c.isupper())), None
    )
    if refused is None and "é" in characters and not text.isascii():
        refused = next(character for character in text if not character.isascii())
    return f"{text[:80]!r} may not hold {refused!r}" if refused else None


@cache
def constraints(provider: str, mode: str, kind: str) -> Constraints | None:
    """Reads the constraints of a resource type, decoded at first use."""
    packed = _data(f"{provider}-constraints").get(mode, {}).get(kind)
    details = _data(f"{provider}-details").get(mode, {}).get(kind)
    if packed is None and details is None:
        return None
    values, together = json.loads(packed) if packed else ({}, [])
    pool = _data(f"{provider}-constraints").get("constraints", [])
    decoded = {
        path: [json.loads(pool[index]) for index in indices] for path, indices in values.items()
    }
    forbidden, members = json.loads(details) if details else ({}, {})
    for path, characters in forbidden.items():
        decoded.setdefault(path, []).append(["without", characters])
    return Constraints(decoded, together, members)


def _data(name: str) -> dict[str, Any]:
    """Reads a data file; empty for a provider that has none."""
    exists = (files(PACKAGE) / "data" / f"{name}.json.gz").is_file()
    data: dict[str, Any] = json_schema.load(PACKAGE, name) if exists else {}
    return data
