"""Provisioning: data sources, dashboards, alert rules, contact points, policies, mute timings."""

from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema_rs

from inframind.categories.base import Configuration, Link, Resource
from inframind.categories.grafana import rules
from inframind.categories.grafana.document import Provisioning, mappings_at
from inframind.categories.grafana.panels import expression_inputs, promql_problem
from inframind.categories.shared import json_schema
from inframind.categories.shared.values import repeated
from inframind.categories.shared.yaml import packaged
from inframind.types import Finding

# Grafana's own data source for server-side expressions, and the number it had before.
EXPRESSION_UIDS = ("__expr__", "-100")
DEFAULT_RECEIVER = "grafana-default-email"
SECRETS = ("password", "basicAuthPassword")


@cache
def validator() -> jsonschema_rs.Validator:
    """Compile the schema of `provisioning.yaml`, once a process."""
    return jsonschema_rs.validator_for(
        packaged("inframind.categories.grafana", "provisioning.yaml")
    )


def rules_of(
    file: Provisioning,
) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any], dict[str, Any]]]:
    """Yield (path, group, rule) for every alert rule."""
    for index, group in enumerate(mappings_at(file.fields, "groups")):
        for number, rule in enumerate(mappings_at(group, "rules")):
            yield ("groups", index, "rules", number), group, rule


def policies_of(nodes: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield every notification policy and the routes below it."""
    for node in nodes:
        yield node
        yield from policies_of(mappings_at(node, "routes"))


def schema_findings(file: Provisioning) -> list[Finding]:
    """Check a provisioning file's schema and, where it holds, the queries of its rules."""
    findings = json_schema.findings(validator(), file.fields, rules.PROVISIONING, file.text)
    for path, _, rule in rules_of(file) if not findings else ():
        for query in rule["data"]:
            model, line = query["model"], file.line(*path, "data")
            expression = query["datasourceUid"] in EXPRESSION_UIDS
            text = model.get("expr") if not expression and "queryType" not in model else None
            # A query of Loki begins with its stream selector.
            problem = (
                promql_problem(text) if isinstance(text, str) and not text.startswith("{") else None
            )
            if problem:
                findings.append(
                    rules.PROMQL_SYNTAX.finding(
                        f"rule {rule['title']!r}, query {query['refId']}: {problem}", line
                    )
                )
            if expression and not isinstance(model.get("type"), str):
                findings.append(
                    rules.TARGET.finding(
                        f"rule {rule['title']!r}: the expression {query['refId']} has no type", line
                    )
                )
    return findings


def reference_findings(file: Provisioning) -> Iterator[Finding]:
    """Check names, uids, conditions, contact points and mute timings."""
    yield from _source_findings(file)
    for path, _, rule in rules_of(file):
        queries = Counter(str(query["refId"]) for query in rule["data"])
        line = file.line(*path)
        for name, count in repeated(queries):
            yield rules.PANEL_ID.finding(
                f"rule {rule['title']!r}: {count} queries have the refId {name}", line
            )
        # A recording rule names its query in `record.from` instead.
        if "record" not in rule and rule.get("condition") not in queries:
            yield rules.EXPRESSION.finding(
                f"rule {rule['title']!r}: the condition {rule.get('condition')!r} is no refId of "
                "its data",
                line,
            )
        for query in rule["data"]:
            for name in (
                expression_inputs(query["model"])
                if query["datasourceUid"] in EXPRESSION_UIDS
                else ()
            ):
                if name not in queries:
                    message = (
                        f"rule {rule['title']!r}: the expression {query['refId']} reads {name!r}, "
                        "which is no query"
                    )
                    yield rules.EXPRESSION.finding(message, line)
    yield from _receiver_findings(file)


def _source_findings(file: Provisioning) -> Iterator[Finding]:
    sources = mappings_at(file.fields, "datasources")
    uids = Counter(str(rule["uid"]) for _, _, rule in rules_of(file))
    uids.update(str(source["uid"]) for source in sources if source.get("uid"))
    for name, count in repeated(uids):
        yield rules.DATASOURCE.finding(f"the uid {name!r} is given {count} times")
    names = Counter((source["name"], str(source.get("orgId", 1))) for source in sources)
    names.update(
        (f"provider {provider['name']}", str(provider.get("orgId", 1)))
        for provider in mappings_at(file.fields, "providers")
    )
    for (name, _), count in repeated(names):
        yield rules.DATASOURCE.finding(f"{name!r} is given {count} times", file.line("datasources"))
    # Data sources belong to an organisation, the first one by default.
    defaults = (str(source.get("orgId", 1)) for source in sources if source.get("isDefault"))
    if any(repeated(defaults)):
        yield rules.DATASOURCE.finding(
            "only one data source of an organisation is the default", file.line("datasources")
        )


def _receiver_findings(file: Provisioning) -> Iterator[Finding]:
    points = {point["name"] for point in mappings_at(file.fields, "contactPoints")}
    timings = {timing["name"] for timing in mappings_at(file.fields, "muteTimes")}
    for policy in policies_of(mappings_at(file.fields, "policies")):
        # A file without contact points refers to those of another file.
        if points and policy.get("receiver") not in (None, DEFAULT_RECEIVER, *points):
            yield rules.RECEIVER.finding(
                f"there is no contact point {policy['receiver']!r}", file.line("policies")
            )
        for name in [
            *policy.get("mute_time_intervals", ()),
            *policy.get("active_time_intervals", ()),
        ]:
            if timings and name not in timings:
                yield rules.RECEIVER.finding(
                    f"there is no mute timing {name!r}", file.line("policies")
                )


def effective(file: Provisioning) -> Configuration:
    """Collect the provisioned objects; paused rules never fire and are left out."""
    resources: list[Resource] = []
    links: list[Link] = []
    for key, kind in (
        ("datasources", "datasource"),
        ("providers", "provider"),
        ("contactPoints", "contact-point"),
        ("muteTimes", "mute-timing"),
    ):
        for index, node in enumerate(mappings_at(file.fields, key)):
            resources.append(Resource(kind, str(node["name"]), node, file.line(key, index)))
    uids = {
        str(source["uid"]): source["name"]
        for source in mappings_at(file.fields, "datasources")
        if source.get("uid")
    }
    for path, group, rule in rules_of(file):
        if rule.get("isPaused") is not True:
            links += [
                Link(len(resources), "data.datasourceUid", "datasource", uids[q["datasourceUid"]])
                for q in rule["data"]
                if q["datasourceUid"] in uids
            ]
            fields = rule | {
                "group": group["name"],
                "folder": group["folder"],
                "interval": group["interval"],
            }
            resources.append(Resource("alert-rule", rule["title"], fields, file.line(*path)))
    present = {(resource.kind, resource.name) for resource in resources}
    for policy in policies_of(mappings_at(file.fields, "policies")):
        targets = [("receiver", "contact-point", policy.get("receiver"))]
        targets += [
            ("mute_time_intervals", "mute-timing", name)
            for name in policy.get("mute_time_intervals", ())
        ]
        links += [
            Link(len(resources), path, kind, str(name))
            for path, kind, name in targets
            if (kind, name) in present
        ]
        resources.append(Resource("policy", str(policy["receiver"]), policy, file.line("policies")))
    return Configuration(tuple(resources), tuple(links))


def policy_findings(file: Provisioning) -> Iterator[Finding]:
    """Judge secrets and certificates of data sources."""
    for index, source in enumerate(mappings_at(file.fields, "datasources")):
        line = file.line("datasources", index)
        secrets = {key: source.get(key) for key in SECRETS} | (source.get("secureJsonData") or {})
        for key, value in secrets.items():
            # Grafana fills in `$VARIABLE` and `$__file{}` when it reads the file.
            if isinstance(value, str) and value and not value.startswith("$"):
                yield rules.SECRET.finding(
                    f"{source.get('name')}: {key} is written in plain: use $VARIABLE or "
                    f"$__file{{...}}",
                    line,
                )
        if (source.get("jsonData") or {}).get("tlsSkipVerify") is True:
            yield rules.TLS.finding(
                f"{source.get('name')}: tlsSkipVerify accepts any certificate", line
            )
