"""Reads what a provider's validators say (SDK v2, the plugin framework and the AWS provider's own)
into constraints.

Sources of the messages: terraform-plugin-sdk `helper/validation` and `helper/schema`,
terraform-plugin-framework-validators, terraform-provider-aws `internal/verify` and
`internal/framework/validators`.
"""

import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any

from inframind.categories.terraform.constraints import violation

Kind = tuple[str, str]
"""(mode, type): ("resource", "aws_vpc")."""
WORDS = re.compile(r'"((?:[^"\\]|\\.)*)"')
PATHS = re.compile(r"[a-z0-9_]+(?:\.[a-z0-9_]+)*")
NUMBER = r"(-?[\d.]+(?:e\+?\d+)?)"

EXCLUSIVE = frozenset(
    "account arn bool cidr clock ipv4 ipv6 json policy region time uuid week-clock".split()
)
"""Formats of which no value has two."""
SIMPLE: tuple[tuple[str, str], ...] = (
    ("contains an invalid JSON policy|Invalid IAM Policy Value", "policy"),
    (
        "invalid JSON|Invalid JSON String Value|parse as JSON|Invalid format of .*looking for "
        "beginning of value",
        "json",
    ),
    (
        "invalid ARN|Invalid ARN|ARN String Value|must be a valid ARN|cannot be parsed as an ARN",
        "arn",
    ),
    ("valid IPv4 CIDR|valid IPv6 CIDR|CIDR", "cidr"),
    ("valid RFC3339|in RFC3339 time format|Invalid RFC3339", "time"),
    ("AWS Account ID|valid AWS account ID", "account"),
    ("valid IPv4 address", "ipv4"),
    ("valid IPv6 address", "ipv6"),
    ("valid IP,|valid IP address", "ip"),
    ("valid port number or 0", "port-or-0"),
    ("valid port number", "port"),
    ("as boolean: strconv", "bool"),
    ("as int: strconv|64-bit integer", "int"),
    ("as float: strconv", "float"),
    ("valid UUID", "uuid"),
    ("look like AWS Region", "region"),
    ("as a? ?duration|Go Time Duration", "duration"),
    (r"ddd:hh24:mi-ddd:hh24:mi", "week-window"),
    (r"hh24:mi-hh24:mi", "day-window"),
    (r"\(must be in the format HH:MM\)", "clock"),
    (r"\(must be in the format d:HH:MM\)", "week-clock"),
    ("not to be an empty string|to not be an empty string", "not-empty"),
    ("to have a host", "url"),
)
"""Messages that name a well-known format."""
RANGES: tuple[tuple[str, str], ...] = (
    (rf"length of \S+ to be in the range \({NUMBER} - {NUMBER}\)", "length"),
    (rf"string length must be between {NUMBER} and {NUMBER}", "length"),
    (rf"to be in the range \({NUMBER} - {NUMBER}\)", "range"),
    (rf"value must be between {NUMBER} and {NUMBER}", "range"),
    (rf"to be at least \({NUMBER}\)()", "range"),
    (rf"to be at most \(()?{NUMBER}\)", "range"),
    (rf"value must be at least {NUMBER}()", "range"),
    (rf"value must be at most ()?{NUMBER}", "range"),
    (rf"string length must be at least {NUMBER}()", "length"),
    (rf"string length must be at most ()?{NUMBER}", "length"),
)


def bound(text: str | None) -> float | None:
    """A bound's number; None for an open one."""
    if not text:
        return None
    number = float(text)
    return int(number) if number.is_integer() else number


def plain_path(text: str) -> str:
    """`a.0.b` and `a[0].b` as `a.b`."""
    return re.sub(r"\.\d+(?=\.|$)|\[[^\]]*\]", "", text.strip('`" '))


@dataclass
class ProviderConstraints:
    """Constraints by resource type."""

    values: dict[Kind, dict[str, list[list[Any]]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    """path -> constraints, each [name, arguments ...]."""
    together: dict[Kind, list[list[Any]]] = field(default_factory=lambda: defaultdict(list))
    """["any" | "at-most-one" | "with", path, paths] or ["conflict", path, other]."""
    conflicts: dict[Kind, dict[str, set[str]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(set))
    )
    """path -> what hides its messages."""

    def add(self, kind: Kind, path: str, constraint: list[Any]) -> None:
        """Records a constraint on the value at a path, once; two one-sided ranges become one."""
        recorded = self.values[kind][path]
        # `at least` and `at most` come in two messages, one for each probe text.
        if constraint[0] in ("range", "length"):
            for other in recorded:
                if other[0] == constraint[0]:
                    other[1] = other[1] if constraint[1] is None else constraint[1]
                    other[2] = other[2] if constraint[2] is None else constraint[2]
                    return
        if constraint not in recorded:
            recorded.append(constraint)

    def ignore_case(self, kind: Kind, path: str) -> None:
        """Records that the enumeration at a path is read in any case."""
        for constraint in self.values[kind][path]:
            if constraint[0] == "in":
                constraint[2:] = ["any-case"]

    def relate(self, kind: Kind, relation: list[Any]) -> None:
        """Records a relation between arguments, once."""
        if relation not in self.together[kind]:
            self.together[kind].append(relation)

    def compact(self, source: str) -> dict[str, Any]:
        """The data file: equal constraints are stored once."""
        constraints: dict[str, int] = {}

        def index(constraint: list[Any]) -> int:
            return constraints.setdefault(
                json.dumps(constraint, separators=(",", ":")), len(constraints)
            )

        kinds: dict[str, dict[str, str]] = {"resource": {}, "data": {}}
        for mode, kind in sorted(self.values.keys() | self.together.keys()):
            values = {
                path: [index(c) for c in alternatives(value_constraints)]
                for path, value_constraints in sorted(self.values[mode, kind].items())
            }
            kinds[mode][kind] = json.dumps(
                [values, self.together[mode, kind]], separators=(",", ":")
            )
        return {
            "source": f"{source}, messages of terraform validate",
            "licence": "MPL-2.0",
            **kinds,
            "constraints": list(constraints),
        }


def alternatives(constraints: list[list[Any]]) -> list[list[Any]]:
    """The constraints as they are, or as one `either` if no value could meet all: then the provider
    asks for any of them.
    """
    return (
        [["either", constraints]]
        if any(_exclude(left, right) for left, right in permutations(constraints, 2))
        else constraints
    )


def _exclude(left: list[Any], right: list[Any]) -> bool:
    if left[0] == "in":
        return all(violation(right, word) is not None for word in left[1])
    return left[0] in EXCLUSIVE and right[0] in EXCLUSIVE and left[0] != right[0]


def read_message(
    constraints: ProviderConstraints,
    kind: Kind,
    path: str,
    message: str,
    *,
    about: str,
    sent: tuple[str, str],
) -> None:
    """One message about the argument at `path`.

    `about`: only this path's messages count, if it is not empty.
    """
    # Providers break their messages into lines as they like.
    message = re.sub(r"\s+", " ", message)
    if _read_relation(constraints, kind, path, message):
        return
    path = path or path_in(message)
    if not path or (about and path != about):
        return
    constraint = _constraint(message)
    if constraint:
        constraints.add(kind, path, constraint)


def path_in(message: str) -> str:
    """The path that a message names, or nothing."""
    match = re.search(
        r"(?:expected|length of|value of|value for) "
        r'"?([a-z_0-9.]+\.\d+\.[a-z_0-9.]+)|^"([a-z_0-9.]+\.\d+\.[a-z_0-9.]+)"',
        message,
    )
    return plain_path(match.group(1) or match.group(2)) if match else ""


def _constraint(message: str) -> list[Any] | None:
    enumeration = _enumeration(message)
    if enumeration:
        return enumeration
    for pattern, name in RANGES:
        match = re.search(pattern, message)
        if match:
            low, high = match.groups()
            return [name, bound(low), bound(high)]
    match = re.search(r"to be divisible by (\d+)", message)
    if match:
        return ["multiple", int(match.group(1))]
    match = re.search(r'to match regular expression "((?:[^"\\]|\\.)*)"', message) or re.search(
        r"match regular expression '([^']*)'", message
    )
    if match:
        return _expression(match.group(1))
    match = re.search(r"to have prefix (\S+), got", message) or re.search(
        r"\([Mm]ust (?:start|begin) with [`\"]?([^\s`\")]+?)[`\"]?\.?\)", message
    )
    if match:
        return ["prefix", match.group(1)]
    return next(([name] for pattern, name in SIMPLE if re.search(pattern, message)), None)


def _enumeration(message: str) -> list[Any] | None:
    match = re.search(r"(?:to be|must be|be) one of:? \[(.*?)\](?:, got|$| )", message)
    if match:
        words = WORDS.findall(match.group(1))
        if words:
            return ["in", [word.replace('\\"', '"').strip('"') for word in words]]
        numbers = re.findall(r"-?\d+", match.group(1))
        return ["in", [int(number) for number in numbers]] if numbers else None
    match = re.search(r"does not match any valid values.*Valid Values: \[(.*?)\s*\]", message)
    return ["in", match.group(1).split()] if match and match.group(1) else None


def _expression(go: str) -> list[Any] | None:
    """Go's RE2 syntax is nearly Python's; what is not is left out."""
    text = go.replace("\\\\", "\\").replace('\\"', '"')
    try:
        re.compile(text)
    except re.error:
        return None
    return ["match", text]


def _read_relation(constraints: ProviderConstraints, kind: Kind, path: str, message: str) -> bool:
    """Messages about several arguments at once."""
    subject = re.search(
        r'"([a-z0-9_.]+)": (conflicts with|only one of|one of|all of) ?(.*)', message
    )
    if subject:
        own, verb, rest = plain_path(subject.group(1)), subject.group(2), subject.group(3)
        if verb == "conflicts with":
            other = plain_path(rest.split(" ")[0])
            constraints.conflicts[kind][own].add(other)
            # Sorted, so that the messages of both sides make one relation.
            constraints.relate(kind, ["conflict", *sorted((own, other))])
            return True
        listed = re.search(r"`([^`]*)`", rest)
        group = [plain_path(name) for name in listed.group(1).split(",")] if listed else []
        if verb == "only one of":
            constraints.conflicts[kind][own] |= set(group) - {own}
            constraints.relate(kind, ["at-most-one", own, group])
        else:
            constraints.relate(kind, ["any" if verb == "one of" else "with", own, group])
        return True
    return _read_framework_relation(constraints, kind, path, message)


def _read_framework_relation(
    constraints: ProviderConstraints, kind: Kind, path: str, message: str
) -> bool:
    match = re.search(
        r'Attribute "([^"]+)" cannot be specified when "([^"]+)" is specified', message
    )
    if match:
        subject, other = map(plain_path, match.groups())
        constraints.conflicts[kind][subject].add(other)
        constraints.conflicts[kind][other].add(subject)
        constraints.relate(kind, ["conflict", *sorted((subject, other))])
        return True
    match = re.search(r'Attribute "([^"]+)" must be specified when "([^"]+)" is specified', message)
    if match:
        subject, other = map(plain_path, match.groups())
        constraints.relate(kind, ["with", other, [subject]])
        return True
    match = re.search(
        r"must have a configuration value as the provider has marked it as required", message
    )
    if match:
        named = re.search(r"Block (?:configuration |definition )?(\S*) ?must have", message)
        name = plain_path(named.group(1)) if named else ""
        if PATHS.fullmatch(name):
            constraints.relate(kind, ["any", path or name, [name]])
        return True
    match = re.search(r"(Exactly one|At least one|one \(and only one\))[^\[]*\[([^\]]*)\]", message)
    if match:
        # Members carry their path; those of `a.<.b` cannot be read.
        group = [plain_path(name) for name in match.group(2).split(",")]
        if all(PATHS.fullmatch(name) for name in group):
            for name in group if "At least" not in match.group(1) else ():
                constraints.conflicts[kind][name] |= set(group) - {name}
            own = path or group[0]
            constraints.relate(kind, ["any", own, group])
            if "At least" not in match.group(1):
                constraints.relate(kind, ["at-most-one", own, group])
        return True
    return "Invalid Attribute Combination" in message
