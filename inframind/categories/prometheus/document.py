"""The parsed file: one of three kinds, and the duties that the kinds share."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from inframind.categories.base import Rule
from inframind.categories.prometheus import rules
from inframind.categories.shared.yaml import line_of
from inframind.types import Finding

Kind = Literal["rules", "config", "alertmanager"]
CONFIG_KEYS = frozenset(
    "scrape_configs scrape_config_files rule_files alerting remote_write remote_read storage "
    "tracing otlp runtime".split()
)
LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
# https://prometheus.io/docs/prometheus/latest/configuration/configuration/: <duration>
DURATION = re.compile(r"(?:\d+y)?(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?(?:\d+ms)?")
DURATION_FIELDS = frozenset(
    "interval query_offset for keep_firing_for scrape_interval scrape_timeout evaluation_interval "
    "rule_query_offset refresh_interval remote_timeout batch_send_deadline min_backoff max_backoff "
    "sample_age_limit send_interval out_of_order_time_window resolve_timeout group_wait "
    "group_interval repeat_interval timeout".split()
)
# Milliseconds; a day has 24 hours, a week 7 days, a year 365.
UNITS = {
    "y": 31_536_000_000,
    "w": 604_800_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1000,
    "ms": 1,
}
FREE = frozenset("labels annotations external_labels params details headers matchers equal".split())
"""Fields whose mappings have names of the user's own."""


@dataclass(frozen=True)
class Document:
    """Hold a text, its mapping and its kind."""

    text: str
    written: dict[str, Any]
    kind: Kind

    @cached_property
    def fields(self) -> dict[str, Any]:
        """Copy the mapping without empty values: Go reads them as not given."""
        fields: dict[str, Any] = without_null(self.written)
        return fields

    @cached_property
    def entries(self) -> list[tuple[tuple[str | int, ...], str, Any]]:
        """List (path, field, value) of everything in the file, but nothing inside labels."""
        return list(entries(self.fields))

    def line(self, *path: str | int) -> int | None:
        """Find the 1-based line of a path."""
        return line_of(self.text, path)


def kind_of(fields: dict[str, Any]) -> Kind | None:
    """Recognize the kind of a file by its top-level keys, or return None."""
    keys = set(fields)
    if "groups" in keys:
        return "rules"
    if keys & {"route", "receivers", "inhibit_rules"}:
        return "alertmanager"
    return "config" if keys & CONFIG_KEYS or keys == {"global"} else None


def without_null(node: Any) -> Any:
    """Copy a node without mapping entries that have no value.

    Empty list items stay: they are errors.
    """
    if isinstance(node, dict):
        return {key: without_null(value) for key, value in node.items() if value is not None}
    return [without_null(item) for item in node] if isinstance(node, list) else node


def text_of(value: Any) -> str:
    """Write a scalar as Go reads it into a text."""
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def texts(mapping: Any) -> dict[str, str]:
    """Read a mapping of labels as texts."""
    return (
        {name: text_of(value) for name, value in mapping.items()}
        if isinstance(mapping, dict)
        else {}
    )


def milliseconds(duration: str) -> int | None:
    """Measure a duration such as `1h30m`; None if it is none."""
    if duration == "0":
        return 0
    # The pattern takes the empty text too, since each unit may be missing.
    if not duration or len(duration) > 100 or not DURATION.fullmatch(duration):
        return None
    return sum(
        int(number) * UNITS[unit] for number, unit in re.findall(r"(\d+)(ms|[ywdhms])", duration)
    )


def entries(node: Any, *path: str | int) -> Iterator[tuple[tuple[str | int, ...], str, Any]]:
    """Yield (path, field, value) of everything below a node, but nothing inside labels."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield (*path, key), key, value
            if key not in FREE:
                yield from entries(value, *path, key)
    elif isinstance(node, list):
        for index, item in enumerate(node):
            yield from entries(item, *path, index)


def format_findings(document: Document) -> Iterator[Finding]:
    """Check durations and label names, wherever they stand."""
    for path, key, value in document.entries:
        if (
            key in DURATION_FIELDS
            and not isinstance(value, dict | list)
            and milliseconds(text_of(value)) is None
        ):
            yield rules.DURATION.finding(
                f"{key} {value!r} is not a duration such as 30s, 5m or 1h30m", document.line(*path)
            )
        if key in ("labels", "annotations", "external_labels") and isinstance(value, dict):
            for name in value:
                # The metric's name is no label that a rule may set.
                if not LABEL_NAME.fullmatch(name) or name == "__name__":
                    yield rules.LABEL.finding(
                        f"{name!r} is not a label name", document.line(*path, name)
                    )


def duplicates(
    document: Document, names: Iterable[tuple[str, tuple[str | int, ...]]], what: str, rule: Rule
) -> Iterator[Finding]:
    """Report names that stand twice."""
    seen: set[str] = set()
    for name, path in names:
        if name in seen:
            yield rule.finding(f"there are two {what} called {name!r}", document.line(*path))
        seen.add(name)
