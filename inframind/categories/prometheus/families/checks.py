"""Checks that several families of Prometheus ask for."""

from inframind.bench.family import contains, equals
from inframind.categories.prometheus.promql import read
from inframind.types import Check


def expression(kind: str, name: str, expr: str) -> Check:
    """The rule's expression means the same: both are written by the parser."""
    return equals(kind, name, "expr", read(expr).text)


def severity(alert: str, value: str) -> Check:
    """The alert's severity."""
    return equals("alert", alert, "labels.severity", value)


def waits(alert: str, duration: str) -> Check:
    """How long the condition must hold."""
    return equals("alert", alert, "for", duration)


def in_group(kind: str, rule: str, group: str) -> Check:
    """The rule stands in the group."""
    return equals(kind, rule, "group", group)


def scrapes(job: str, target: str) -> Check:
    """The job has the static target."""
    return contains("scrape_config", job, "targets", target)


def matches_label(receiver: str, label: str, value: str) -> Check:
    """A route to the receiver takes alerts whose label has the value."""
    matcher = {"label": label, "op": "=", "value": value}
    return Check(
        op="contains",
        id=f"{label}={value} -> {receiver}",
        kind="route",
        name=receiver,
        path="matchers",
        value=matcher,
    )
