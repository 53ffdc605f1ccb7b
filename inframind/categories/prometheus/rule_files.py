"""Rule files: groups of recording and alerting rules."""

import re
from collections.abc import Iterator
from typing import Any

from inframind.categories.base import Configuration, Link, Resource
from inframind.categories.prometheus import promql, rules, templates
from inframind.categories.prometheus.document import Document, duplicates, text_of, texts
from inframind.types import Finding

# https://prometheus.io/docs/concepts/data_model/: colons are for recording rules.
METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
ONLY_ALERT = ("for", "keep_firing_for", "annotations")


def each(document: Document) -> Iterator[tuple[int, dict[str, Any], int, dict[str, Any]]]:
    """Yield (index of the group, group, index of the rule, rule) for all rules."""
    for group_index, group in enumerate(document.fields["groups"]):
        for index, rule in enumerate(group.get("rules", ())):
            yield group_index, group, index, rule


def kind_of(rule: dict[str, Any]) -> str:
    """Name a rule's kind, `alert` or `record`: Go takes an empty text for none."""
    return "alert" if text_of(rule.get("alert", "")) else "record"


def findings(document: Document) -> Iterator[Finding]:
    """Check the names of groups, and each rule."""
    for group_index, group in enumerate(document.fields["groups"]):
        if not text_of(group["name"]):
            yield rules.FIELDS.missing.finding(
                "a group has no name", document.line("groups", group_index)
            )
    for group_index, _, index, rule in each(document):
        yield from rule_findings(document, rule, "groups", group_index, "rules", index)


def rule_findings(document: Document, rule: dict[str, Any], *path: str | int) -> Iterator[Finding]:
    """Check one rule: its kind, its metric, its expression, its templates."""
    alert, record = text_of(rule.get("alert", "")), text_of(rule.get("record", ""))
    if bool(alert) == bool(record):
        yield rules.RECORD_OR_ALERT.finding(
            "a rule has one of record and alert", document.line(*path)
        )
    if record:
        for key in ONLY_ALERT:
            if key in rule:
                yield rules.RECORD_OR_ALERT.finding(
                    f"{record}: {key} is for alerts", document.line(*path, key)
                )
        if not METRIC.fullmatch(record):
            yield rules.METRIC.finding(
                f"{record!r} is not a metric name", document.line(*path, "record")
            )
    try:
        promql.read(text_of(rule["expr"]))
    except promql.PromqlError as error:
        yield rules.PROMQL.finding(f"{alert or record}: {error}", document.line(*path, "expr"))
    for key in ("labels", "annotations") if alert else ():
        for name, text in texts(rule.get(key)).items():
            try:
                templates.check(text)
            except templates.TemplateError as error:
                yield rules.TEMPLATE.finding(
                    f"{alert}: {name}: {error}", document.line(*path, key, name)
                )


def references(document: Document) -> Iterator[Finding]:
    """Check that groups have names of their own."""
    names = [
        (text_of(group["name"]), ("groups", group_index))
        for group_index, group in enumerate(document.fields["groups"])
    ]
    yield from duplicates(document, names, "groups", rules.DUPLICATE)


def effective(document: Document) -> Configuration:
    """Collect the groups, and the rules that can give something."""
    resources: list[Resource] = []
    for group_index, group in enumerate(document.fields["groups"]):
        fields = {key: value for key, value in group.items() if key != "rules"} | {
            "rules": len(group.get("rules", ()))
        }
        resources.append(
            Resource("group", text_of(group["name"]), fields, document.line("groups", group_index))
        )
    links: list[Link] = []
    for group_index, group, index, rule in each(document):
        expression = promql.read(text_of(rule["expr"]))
        kind = kind_of(rule)
        if expression.never:
            continue
        fields = rule | {
            "group": text_of(group["name"]),
            "expr": expression.text,
            "metrics": list(expression.metrics),
            "comparison": expression.comparison,
            "labels": texts(group.get("labels")) | texts(rule.get("labels")),
            "annotations": texts(rule.get("annotations")),
        }
        links += [Link(len(resources), "expr", "record", metric) for metric in expression.metrics]
        links.append(Link(len(resources), "group", "group", text_of(group["name"])))
        resources.append(
            Resource(
                kind,
                text_of(rule[kind]),
                fields,
                document.line("groups", group_index, "rules", index),
            )
        )
    present = {(resource.kind, resource.name) for resource in resources}
    return Configuration(
        tuple(resources), tuple(link for link in links if (link.kind, link.name) in present)
    )


def policy(document: Document) -> Iterator[Finding]:
    """Judge the names, labels, annotations and delays of rules."""
    seen: set[str] = set()
    for group_index, _, index, rule in each(document):
        line, kind = document.line("groups", group_index, "rules", index), kind_of(rule)
        labels, name = texts(rule.get("labels")), text_of(rule[kind])
        key = repr((name, sorted(labels.items())))
        if key in seen:
            yield rules.SAME_RULE.finding(f"{name} stands twice with the same labels", line)
        seen.add(key)
        if kind == "record":
            # https://prometheus.io/docs/practices/rules/
            if ":" not in name:
                yield rules.RECORD_NAME.finding(f"{name}: call it level:metric:operations", line)
            continue
        if "severity" not in labels:
            yield rules.SEVERITY.finding(f"{name} has no label severity", line)
        if not {"summary", "description", "message"} & set(texts(rule.get("annotations"))):
            yield rules.SUMMARY.finding(f"{name} has no annotation summary", line)
        if "for" not in rule:
            yield rules.NO_FOR.finding(f"{name} fires at once: give it a for", line)
        kept = promql.read(text_of(rule["expr"])).labels
        used = {
            label
            for text in texts(rule.get("annotations")).values()
            for label in templates.labels(text)
        }
        lost = used - kept if kept is not None else set()
        if lost:
            yield rules.LOST_LABEL.finding(
                f"{name}: the expression does not keep {', '.join(sorted(lost))}", line
            )
