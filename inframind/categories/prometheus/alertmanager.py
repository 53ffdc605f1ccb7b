"""Alertmanager's configuration: routes, receivers, inhibitions and time intervals."""

import re
from collections.abc import Iterator
from typing import Any

from inframind.categories.base import Configuration, Link, Resource
from inframind.categories.prometheus import promql, rules
from inframind.categories.prometheus.document import (
    LABEL_NAME,
    Document,
    duplicates,
    text_of,
    texts,
)
from inframind.categories.prometheus.server import authentication_findings
from inframind.types import Finding

MATCHER = re.compile(r'\s*"?([^\s"=!~,{}]+)"?\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*"|[^\s"{},]*)\s*')
# 24:00 is the end of a day (docs: time_interval).
TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00")
DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
MONTHS = tuple(
    "january february march april may june july august september october november december".split()
)
RANGES: dict[str, tuple[int, int, tuple[str, ...]]] = {
    "weekdays": (0, 6, DAYS),
    "days_of_month": (-31, 31, ()),
    "months": (1, 12, MONTHS),
    "years": (1, 9999, ()),
}
UNVERIFIED = frozenset(
    f"{name}_configs"
    for name in "pushover sns webex wechat jira rocketchat mattermost incidentio".split()
)
# What an integration needs: one of the first fields, or one of the global fields behind them.
NEEDS: dict[str, tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]] = {
    "email_configs": ((("from",), ("smtp_from",)), (("smarthost",), ("smtp_smarthost",))),
    "slack_configs": (
        (
            ("api_url", "api_url_file", "app_token", "app_token_file"),
            ("slack_api_url", "slack_api_url_file", "slack_app_token", "slack_app_token_file"),
        ),
    ),
    "pagerduty_configs": (
        (("routing_key", "routing_key_file", "service_key", "service_key_file"), ()),
    ),
    "webhook_configs": ((("url", "url_file"), ()),),
    "opsgenie_configs": (
        (("api_key", "api_key_file"), ("opsgenie_api_key", "opsgenie_api_key_file")),
    ),
    "discord_configs": ((("webhook_url", "webhook_url_file"), ()),),
    "msteams_configs": ((("webhook_url", "webhook_url_file"), ()),),
    "msteamsv2_configs": ((("webhook_url", "webhook_url_file"), ()),),
    "telegram_configs": (
        (("bot_token", "bot_token_file"), ("telegram_bot_token", "telegram_bot_token_file")),
    ),
    "victorops_configs": (
        (("api_key", "api_key_file"), ("victorops_api_key", "victorops_api_key_file")),
    ),
}
URLS = ("url", "api_url", "webhook_url")
Path = tuple[str | int, ...]


def routes(
    node: dict[str, Any], *path: str | int
) -> Iterator[tuple[Path, dict[str, Any], dict[str, Any] | None]]:
    """Yield (path, route, parent) of the tree below a route."""
    todo: list[tuple[Path, dict[str, Any], dict[str, Any] | None]] = [(path, node, None)]
    while todo:
        here, route, parent = todo.pop()
        yield here, route, parent
        todo += [
            ((*here, "routes", index), child, route)
            for index, child in enumerate(route.get("routes", ()))
        ]


def matchers(part: dict[str, Any], prefix: str = "") -> list[dict[str, str]]:
    """Read all matchers of a route or inhibition in one form.

    Raises ValueError if one cannot be read, or its label or expression is wrong.
    """
    read = [
        {"label": name, "op": "=", "value": value}
        for name, value in texts(part.get(f"{prefix}match")).items()
    ]
    read += [
        {"label": name, "op": "=~", "value": value}
        for name, value in texts(part.get(f"{prefix}match_re")).items()
    ]
    for written in map(text_of, part.get(f"{prefix}matchers", ())):
        for piece in _pieces(written):
            match = MATCHER.fullmatch(piece)
            if match is None:
                raise ValueError(f'{piece!r} is not a matcher such as severity="page"')
            value = match.group(3)
            value = re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
            read.append({"label": match.group(1), "op": match.group(2), "value": value})
    for item in read:
        if not LABEL_NAME.fullmatch(item["label"]):
            raise ValueError(f"{item['label']!r} is not a label name")
        if item["op"].endswith("~") and not promql.is_regex(item["value"]):
            raise ValueError(f"{item['value']!r} is not an RE2 expression")
    return read


def _pieces(written: str) -> list[str]:
    inner = written.strip()
    inner = inner[1:-1] if inner.startswith("{") and inner.endswith("}") else inner
    return [
        piece for piece in re.findall(r'(?:"(?:[^"\\]|\\.)*"|[^,"])+', inner) if piece.strip()
    ] or [inner]


def findings(document: Document) -> Iterator[Finding]:
    """Check the root route, labels, matchers, receivers and times of a configuration."""
    fields = document.fields
    root = fields["route"]
    if not root.get("receiver"):
        yield rules.ROOT.finding("the root route has no receiver", document.line("route"))
    for key in (
        "match",
        "match_re",
        "matchers",
        "continue",
        "mute_time_intervals",
        "active_time_intervals",
    ):
        if root.get(key):
            yield rules.ROOT.finding(
                f"the root route takes no {key}: put it into routes", document.line("route", key)
            )
    for path, route, _ in routes(root, "route"):
        groups = [text_of(label) for label in route.get("group_by", ())]
        if ("..." in groups and len(groups) > 1) or not all(
            label == "..." or LABEL_NAME.fullmatch(label) for label in groups
        ):
            yield rules.LABEL.finding(
                "group_by names labels, or `...` alone", document.line(*path, "group_by")
            )
        if len(groups) > len(set(groups)):
            yield rules.LABEL.finding(
                "group_by names a label twice", document.line(*path, "group_by")
            )
        yield from matcher_findings(document, route, "", path)
    for index, rule in enumerate(fields.get("inhibit_rules", ())):
        for prefix in ("source_", "target_"):
            yield from matcher_findings(document, rule, prefix, ("inhibit_rules", index))
        if not all(LABEL_NAME.fullmatch(text_of(label)) for label in rule.get("equal", ())):
            yield rules.LABEL.finding(
                "equal names labels", document.line("inhibit_rules", index, "equal")
            )
    for index, receiver in enumerate(fields["receivers"]):
        yield from receiver_findings(document, receiver, index)
    yield from time_findings(document)
    yield from authentication_findings(document)


def matcher_findings(
    document: Document, part: dict[str, Any], prefix: str, path: Path
) -> Iterator[Finding]:
    """Report matchers that cannot be read."""
    try:
        matchers(part, prefix)
    except ValueError as error:
        yield rules.MATCHER.finding(str(error), document.line(*path, f"{prefix}matchers"))


def receiver_findings(
    document: Document, receiver: dict[str, Any], index: int
) -> Iterator[Finding]:
    """Check that each integration has what it needs, here or in `global`."""
    common, name = document.fields.get("global", {}), text_of(receiver["name"])
    for kind, items in receiver.items():
        if kind in UNVERIFIED:
            yield rules.FOREIGN.finding(
                f"{name}: the fields of {kind} are not verified",
                document.line("receivers", index, kind),
            )
        for item in items if kind in NEEDS else ():
            for problem in integration_problems(kind, item, common):
                yield rules.RECEIVER.finding(
                    f"{name}: {problem}", document.line("receivers", index, kind)
                )


def integration_problems(kind: str, item: dict[str, Any], common: dict[str, Any]) -> Iterator[str]:
    """Yield what one integration lacks, has twice or has wrong."""
    for fields, shared in NEEDS[kind]:
        present = [key for key in fields if item.get(key)]
        if not present and not any(common.get(key) for key in shared):
            yield f"{kind} needs {fields[0]}"
        if len(present) > 1:
            yield f"{kind}: give one of {' and '.join(present)}"
    for key in URLS:
        address = text_of(item.get(key, "http://"))
        # `<secret>` is how Alertmanager shows a URL in the configuration that it serves.
        if not address.startswith(("http://", "https://")) and address != "<secret>":
            yield f"{key} {address!r} is not an http address"
    if ":" not in text_of(item.get("smarthost", common.get("smtp_smarthost", ":"))):
        yield "the smarthost needs a port"


def time_findings(document: Document) -> Iterator[Finding]:
    """Check the ranges of the named intervals."""
    for path, key, value in document.entries:
        if path[0] not in ("time_intervals", "mute_time_intervals") or not isinstance(
            value, list | str | int
        ):
            continue
        if key in ("start_time", "end_time") and not TIME.fullmatch(text_of(value)):
            yield rules.TIMES.finding(
                f"{key} {value!r} is not a time such as 09:00", document.line(*path)
            )
        if key in RANGES and isinstance(value, list):
            wrong = [item for item in map(text_of, value) if not _in_range(item, *RANGES[key])]
            if wrong:
                yield rules.TIMES.finding(
                    f"{wrong[0]!r} is not valid in {key}", document.line(*path)
                )


def _in_range(text: str, low: int, high: int, names: tuple[str, ...]) -> bool:
    numbers = []
    for part in text.lower().split(":"):
        if part in names:
            numbers.append(names.index(part) + max(low, 0))
        elif re.fullmatch(r"-?\d{1,4}", part) and not (names and low == 0):
            numbers.append(int(part))
        else:
            return False
    # Days of a month count from its end where they are negative: `1:-1` is all of it.
    ordered = numbers == sorted(numbers) or (low < 0 and numbers[0] > 0 > numbers[-1])
    return (
        len(numbers) <= 2
        and all(low <= number <= high for number in numbers)
        and ordered
        and not (low < 0 and 0 in numbers)
    )


def references(document: Document) -> Iterator[Finding]:
    """Check that receivers and intervals of routes exist, each once."""
    fields = document.fields
    named = [
        (text_of(item["name"]), ("receivers", index))
        for index, item in enumerate(fields["receivers"])
    ]
    intervals: list[tuple[str, Path]] = [
        (text_of(item["name"]), (section, index))
        for section in ("mute_time_intervals", "time_intervals")
        for index, item in enumerate(fields.get(section, ()))
    ]
    yield from duplicates(document, list(named), "receivers", rules.DUPLICATE)
    yield from duplicates(document, intervals, "time intervals", rules.DUPLICATE)
    receivers, times = {name for name, _ in named}, {name for name, _ in intervals}
    for path, route, _ in routes(fields["route"], "route"):
        receiver = text_of(route.get("receiver", ""))
        if receiver and receiver not in receivers:
            yield rules.UNDEFINED.finding(
                f"the receiver {receiver!r} is not defined", document.line(*path, "receiver")
            )
        for key in ("mute_time_intervals", "active_time_intervals"):
            for name in map(text_of, route.get(key, ())):
                if name not in times:
                    yield rules.UNDEFINED.finding(
                        f"the time interval {name!r} is not defined", document.line(*path, key)
                    )


def reached(node: dict[str, Any], *path: str | int) -> Iterator[tuple[Path, dict[str, Any], str]]:
    """Yield (path, route, receiver) of routes that an alert can reach.

    None is reached behind a sibling that takes everything.
    """
    # Routes are tried in order, and a receiver is inherited from the parent.
    todo: list[tuple[Path, dict[str, Any], str]] = [(path, node, text_of(node["receiver"]))]
    while todo:
        here, route, receiver = todo.pop(0)
        yield here, route, receiver
        for index, child in enumerate(route.get("routes", ())):
            todo.append(((*here, "routes", index), child, text_of(child.get("receiver", receiver))))
            # YAML 1.1 has several words for true, and go-yaml takes them all.
            if not matchers(child) and child.get("continue") not in (
                True,
                "yes",
                "on",
                "Yes",
                "On",
            ):
                break


def effective(document: Document) -> Configuration:
    """Collect the reachable routes, what they inherit, and the receivers they lead to."""
    fields = document.fields
    resources = [
        Resource(
            "alertmanager",
            "",
            {"global": fields.get("global", {}), "templates": fields.get("templates", [])},
            1,
        )
    ]
    links: list[Link] = []
    inherited: dict[Path, dict[str, Any]] = {}
    for path, route, receiver in reached(fields["route"], "route"):
        parent = inherited.get(path[:-2], {})
        written = {key: value for key, value in route.items() if key != "routes"}
        # https://prometheus.io/docs/alerting/latest/configuration/#route: what children inherit.
        kept = {
            key: parent[key]
            for key in ("group_by", "group_wait", "group_interval", "repeat_interval")
            if key in parent
        }
        long = (
            kept
            | written
            | {"receiver": receiver, "matchers": matchers(route), "depth": len(path) // 2}
        )
        inherited[path] = long
        links.append(Link(len(resources), "receiver", "receiver", receiver))
        for key in ("mute_time_intervals", "active_time_intervals"):
            links += [
                Link(len(resources), key, "time_interval", text_of(name))
                for name in route.get(key, ())
            ]
        resources.append(Resource("route", receiver, long, document.line(*path)))
    used = {link.name for link in links if link.kind == "receiver"}
    for index, item in enumerate(fields["receivers"]):
        if text_of(item["name"]) in used:
            resources.append(
                Resource("receiver", text_of(item["name"]), item, document.line("receivers", index))
            )
    for index, rule in enumerate(fields.get("inhibit_rules", ())):
        sides = {f"{side}_matchers": matchers(rule, f"{side}_") for side in ("source", "target")}
        resources.append(
            Resource(
                "inhibit_rule",
                text_of(rule.get("name", "")),
                rule | sides,
                document.line("inhibit_rules", index),
            )
        )
    for section in ("mute_time_intervals", "time_intervals"):
        for index, item in enumerate(fields.get(section, ())):
            resources.append(
                Resource(
                    "time_interval", text_of(item["name"]), item, document.line(section, index)
                )
            )
    return Configuration(tuple(resources), tuple(links))
