"""Prometheus' own configuration: what to scrape, where to write, whom to alert."""

import re
from collections.abc import Iterator
from typing import Any

from inframind.categories.base import Configuration, Resource
from inframind.categories.prometheus import promql, rules
from inframind.categories.prometheus.document import (
    LABEL_NAME,
    Document,
    duplicates,
    milliseconds,
    text_of,
)
from inframind.types import Finding

TARGET = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[^\s/:\[\]]+|\$\{?\w+\}?)(?::(?:\d{1,5}|\$\{?\w+\}?))?")
# Groups of the regex may stand in the name: relabelling expands them.
RELABEL_LABEL = re.compile(r"(?:[a-zA-Z_]|\$(?:\{\w+\}|\w+))(?:[a-zA-Z0-9_]|\$(?:\{\w+\}|\w+))*")
# The star may stand only in the last part of the path (docs: file_sd_config).
SD_FILE = re.compile(r"[^*]*(?:\*[^/]*)?\.(?:json|yml|yaml|JSON|YML|YAML)")
NEEDS_TARGET = frozenset({"replace", "hashmod", "lowercase", "uppercase", "keepequal", "dropequal"})
# https://prometheus.io/docs/prometheus/latest/configuration/configuration/: one at most.
WAYS = ("basic_auth", "authorization", "oauth2", "bearer_token", "bearer_token_file")
ONE_OF_PAIR = (
    ("password", "password_file"),
    ("username", "username_file"),
    ("credentials", "credentials_file"),
    ("client_secret", "client_secret_file"),
)
UNVERIFIED = frozenset(
    f"{name}_sd_configs"
    for name in (
        "openstack digitalocean eureka hetzner ionos kuma lightsail linode marathon nerve nomad "
        "ovhcloud puppetdb scaleway serverset stackit triton uyuni vultr"
    ).split()
)
ANYTHING = frozenset({"(.*)", ".*"})


def findings(document: Document) -> Iterator[Finding]:
    """Check targets, relabelling, files, timeouts and authentication of a configuration."""
    for path, key, value in document.entries:
        if key == "targets" and isinstance(value, list):
            yield from target_findings(document, value, path)
        elif key.endswith("relabel_configs") and isinstance(value, list):
            for index, item in enumerate(value):
                yield from relabel_findings(document, item, *path, index)
        elif key == "files" and isinstance(value, list):
            if not value:
                yield rules.TARGET.finding("file_sd_configs needs a file", document.line(*path))
            for name in map(text_of, value):
                if not SD_FILE.fullmatch(name):
                    yield rules.TARGET.finding(
                        f"{name!r} is not a .json, .yml or .yaml file", document.line(*path)
                    )
        elif key in UNVERIFIED:
            yield rules.FOREIGN.finding(
                f"the fields of {key} are not verified", document.line(*path)
            )
    for job_index, scrape in enumerate(document.fields.get("scrape_configs", ())):
        yield from timeout_findings(document, scrape, job_index)
    yield from authentication_findings(document)


def target_findings(
    document: Document, targets: list[Any], path: tuple[str | int, ...]
) -> Iterator[Finding]:
    """Check the targets of a static configuration.

    Where relabelling writes the address, they may be anything.
    """
    owner: Any = document.fields
    for part in path[: path.index("static_configs")] if "static_configs" in path else ():
        owner = owner[part]
    # A probe puts URLs here and moves them into a parameter, as for the blackbox exporter.
    free = "__address__" in str(owner.get("relabel_configs"))
    for target in map(text_of, targets):
        if not free and not TARGET.fullmatch(target):
            yield rules.TARGET.finding(
                f"{target!r} is not host:port; the path is metrics_path", document.line(*path)
            )


def relabel_findings(
    document: Document, item: dict[str, Any], *path: str | int
) -> Iterator[Finding]:
    """Check the fields that a relabelling's action needs, and its regular expression."""
    action = item.get("action", "replace")
    target = text_of(item.get("target_label", ""))
    if action in NEEDS_TARGET and not target:
        yield rules.RELABEL.finding(f"{action} needs target_label", document.line(*path))
    if target and not RELABEL_LABEL.fullmatch(target):
        yield rules.RELABEL.finding(f"{target!r} is not a label name", document.line(*path))
    if (action == "hashmod") != bool(item.get("modulus")):
        yield rules.RELABEL.finding("hashmod and modulus go together", document.line(*path))
    # Both match the names of labels and read nothing else (relabel.Config.Validate).
    if action in ("labeldrop", "labelkeep") and set(item) & {
        "source_labels",
        "target_label",
        "modulus",
        "separator",
        "replacement",
    }:
        yield rules.RELABEL.finding(f"{action} takes a regex alone", document.line(*path))
    for label in map(text_of, item.get("source_labels", ())):
        if not LABEL_NAME.fullmatch(label):
            yield rules.RELABEL.finding(f"{label!r} is not a label name", document.line(*path))
    if "regex" in item and not promql.is_regex(text_of(item["regex"])):
        yield rules.REGEX.finding(
            f"{item['regex']!r} is not an RE2 expression", document.line(*path)
        )


def timeout_findings(
    document: Document, scrape: dict[str, Any], job_index: int
) -> Iterator[Finding]:
    """Check a job's timeout against its interval, with the global values."""
    common = document.fields.get("global", {})
    # 1m is Prometheus' default; a timeout that is not given never exceeds the interval.
    interval = milliseconds(
        text_of(scrape.get("scrape_interval", common.get("scrape_interval", "1m")))
    )
    timeout = milliseconds(text_of(scrape.get("scrape_timeout", common.get("scrape_timeout", "0"))))
    if interval is not None and timeout is not None and timeout > interval:
        name = text_of(scrape["job_name"])
        yield rules.TIMEOUT.finding(
            f"{name}: scrape_timeout is above scrape_interval",
            document.line("scrape_configs", job_index),
        )


def authentication_findings(document: Document) -> Iterator[Finding]:
    """Report several ways to authenticate at once, or one secret from two places."""
    for path, _, value in document.entries:
        for index, item in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(item, dict):
                continue
            place = path if index is None else (*path, index)
            ways = [way for way in WAYS if way in item]
            if len(ways) > 1:
                yield rules.AUTH.finding(f"give one of {' and '.join(ways)}", document.line(*place))
            for first, other in ONE_OF_PAIR:
                if first in item and other in item:
                    yield rules.AUTH.finding(
                        f"give one of {first} and {other}", document.line(*place)
                    )


def references(document: Document) -> Iterator[Finding]:
    """Check that jobs and remote stores have names of their own."""
    for section, key, what in (
        ("scrape_configs", "job_name", "jobs"),
        ("remote_write", "name", "remote stores"),
    ):
        named = [
            (text_of(item[key]), (section, index))
            for index, item in enumerate(document.fields.get(section, ()))
            if key in item
        ]
        yield from duplicates(document, named, what, rules.DUPLICATE)


def drops_everything(items: list[dict[str, Any]]) -> bool:
    """Tell whether a relabelling leaves nothing.

    It drops whatever there is, or keeps what no empty text matches.
    """
    for item in items:
        regex, action = text_of(item.get("regex", "(.*)")), item.get("action")
        if action == "drop" and regex in ANYTHING:
            return True
        # Without source labels the regex meets the empty text.
        if action == "keep" and not item.get("source_labels") and regex not in ANYTHING:
            return True
    return False


def scrapes(scrape: dict[str, Any]) -> bool:
    """Tell whether a job has targets and keeps something of them."""
    dynamic = any(key.endswith("_sd_configs") and value for key, value in scrape.items())
    relabelling = drops_everything(scrape.get("relabel_configs", [])) or drops_everything(
        scrape.get("metric_relabel_configs", [])
    )
    return (bool(targets_of(scrape)) or dynamic) and not relabelling


def targets_of(part: dict[str, Any]) -> list[str]:
    """List all static targets of a job or an Alertmanager."""
    return [
        text_of(target)
        for static in part.get("static_configs", ())
        for target in static.get("targets", ())
    ]


def with_texts(part: dict[str, Any]) -> dict[str, Any]:
    """Copy a part with its relabellings' expressions as texts, however they were written."""
    converted = dict(part)
    for key in [key for key in part if key.endswith("relabel_configs")]:
        converted[key] = [
            {k: text_of(v) if k in ("regex", "replacement") else v for k, v in item.items()}
            for item in part[key]
        ]
    return converted


def effective(document: Document) -> Configuration:
    """Collect the configuration, and the jobs that scrape something."""
    fields = document.fields
    common = {key: value for key, value in fields.items() if key != "scrape_configs"}
    defaults = {"metrics_path": "/metrics", "scheme": "http"}
    defaults |= {
        key: value
        for key, value in fields.get("global", {}).items()
        if key in ("scrape_interval", "scrape_timeout")
    }
    resources = [Resource("config", "", {"global": {}} | common, 1)]
    for index, scrape in enumerate(fields.get("scrape_configs", ())):
        if scrapes(scrape):
            long = defaults | with_texts(scrape) | {"targets": targets_of(scrape)}
            resources.append(
                Resource(
                    "scrape_config",
                    text_of(scrape["job_name"]),
                    long,
                    document.line("scrape_configs", index),
                )
            )
    for index, remote in enumerate(fields.get("remote_write", ())):
        resources.append(
            Resource(
                "remote_write",
                text_of(remote.get("name", "")),
                with_texts(remote),
                document.line("remote_write", index),
            )
        )
    for index, manager in enumerate(fields.get("alerting", {}).get("alertmanagers", ())):
        line = document.line("alerting", "alertmanagers", index)
        resources.append(
            Resource("alertmanager", "", manager | {"targets": targets_of(manager)}, line)
        )
    return Configuration(tuple(resources))
