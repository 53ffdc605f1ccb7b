"""Helm charts: templates, Chart.yaml, values.yaml, alone or together in one text."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import jsonschema_rs

from inframind.categories.base import Category, Configuration, Evidence, Link, Resource
from inframind.categories.helm import chart as charts
from inframind.categories.helm import objects, rules
from inframind.categories.helm.chart import Chart
from inframind.categories.helm.functions import arities
from inframind.categories.helm.syntax import operands, walk
from inframind.categories.helm.values import readable
from inframind.categories.kubernetes import effective as kubernetes_effective
from inframind.categories.kubernetes import references as kubernetes_references
from inframind.categories.shared import json_schema
from inframind.categories.shared.policies import is_secret_field
from inframind.categories.shared.values import children
from inframind.categories.shared.yaml import packaged
from inframind.types import Finding

TEMPLATE = re.compile(
    r"\{\{-?\s*(?:define|include|template|toYaml|with|range|if|end|\$|\()"
    r"|\{\{-?\s*\$?\.(?:Values|Release|Chart|Capabilities|Files)\b"
)
HELM = re.compile(r"\.(?:Values|Release|Chart|Capabilities)\b|\b(?:include|define) \"|\| *nindent ")
MARKED = re.compile(
    r"^# Source: \S*(?:templates/\S+|Chart\.yaml|values\.yaml)[ \t]*$", re.MULTILINE
)
CHART = re.compile(
    r"^apiVersion: v[12]$.*^version:|^version:.*^apiVersion: v[12]$", re.MULTILINE | re.DOTALL
)
NAME = re.compile(r"^name:", re.MULTILINE)
# Helm reads versions as leniently as Masterminds/semver: `v1` and `1.2` will do.
SEMVER = re.compile(r"v?\d+(?:\.\d+){0,2}(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?")
OPEN_RANGE = re.compile(r"\s*(?:\*|x|>=?\s*[\d.]+|latest|)\s*")


@dataclass
class Document:
    """Hold a chart, rendered when first asked for."""

    text: str
    chart: Chart

    @cached_property
    def rendered(self) -> objects.Rendered:
        return objects.render(self.chart)


@cache
def chart_schema() -> jsonschema_rs.Validator:
    """Compile the schema of Chart.yaml, once a process."""
    return jsonschema_rs.validator_for(packaged("inframind.categories.helm", "chart.yaml"))


class Helm(Category[Document]):
    """The category `helm`."""

    id = "helm"
    title = "Helm"
    languages = ("yaml", "yml", "helm", "gotmpl", "tpl")
    filename = "templates/template.yaml"
    rules = rules.RULES

    def detect(self, text: str, filename: str | None) -> Evidence:
        if MARKED.search(text) or (TEMPLATE.search(text) and HELM.search(text)):
            return Evidence.CERTAIN
        name = (filename or "").rpartition("/")[2]
        is_metadata = CHART.search(text) and NAME.search(text)
        if is_metadata or name in ("values.yaml", "_helpers.tpl"):
            return Evidence.LIKELY
        return Evidence.NONE

    def parse(self, text: str) -> Document:
        return Document(text, charts.parsed(text))

    def schema(self, document: Document) -> Sequence[Finding]:
        chart = document.chart
        findings = [*metadata_findings(chart), *function_findings(chart)]
        # A variable that is not declared has no value: the references rung says so.
        if findings or any(True for _ in variables(chart)):
            return findings
        rendered = document.rendered
        return [
            *rendered.schema,
            *(
                finding
                for path, item in rendered.items
                for finding in objects.object_findings(path, item)
            ),
        ]

    def references(self, document: Document) -> Sequence[Finding]:
        chart = document.chart
        findings = [*variables(chart), *named_findings(chart)]
        if not findings:
            findings = [
                *document.rendered.references,
                *objects.reference_findings(document.rendered),
            ]
        return findings

    def effective(self, document: Document) -> Configuration:
        """Collect the rendered objects, and the chart's own files.

        The files are of the kinds `chart`, `values` and `template`.
        """
        chart = document.chart
        shown = [
            Resource(item.kind, str(readable(item.name)), readable(item.fields))
            for _, item in document.rendered.items
            if kubernetes_effective.runs(item)
        ]
        links = list(kubernetes_references.links(shown))
        if chart.metadata is not None:
            shown.append(Resource("chart", str(chart.metadata.get("name")), chart.metadata))
        if chart.values is not None:
            shown.append(Resource("values", "", chart.values))
        defined = {name: path for path in chart.templates for name in _defined(chart, path)}
        for path in chart.templates:
            uses = {
                "values": chart.used_values(path),
                "includes": sorted(chart.includes(path)),
                "defines": _defined(chart, path),
            }
            links += [
                Link(len(shown), "includes", "template", defined[name])
                for name in uses["includes"]
                if name in defined
            ]
            shown.append(Resource("template", path, uses))
        return Configuration(tuple(shown), tuple(links))

    def policy(self, document: Document) -> Sequence[Finding]:
        return [*objects.policy_findings(document.rendered), *value_findings(document.chart)]


def _defined(chart: Chart, path: str) -> list[str]:
    return sorted(
        {node.text for node in walk(chart.templates[path]) if node.kind in ("define", "block")}
    )


def metadata_findings(chart: Chart) -> Iterator[Finding]:
    """Check Chart.yaml: its schema, its version, its dependencies' names."""
    if chart.metadata is None:
        return
    file = chart.files["Chart.yaml"]
    errors = json_schema.findings(chart_schema(), chart.metadata, rules.CHART, file.text)
    for finding in errors:
        versions = re.match(r"(?:version|appVersion|dependencies\.\d+\.version):", finding.message)
        line = (finding.line or 1) + file.start
        if versions:
            yield rules.VERSION.finding(finding.message, line)
        else:
            yield finding.model_copy(update={"line": line})
    if not errors and not SEMVER.fullmatch(chart.metadata["version"]):
        yield rules.VERSION.finding(
            f"version {chart.metadata['version']!r} is not SemVer, such as 1.2.3", file.start + 1
        )
    # Two dependencies of one name would share one key of the values: an alias tells them apart.
    names = (
        [
            dependency.get("alias") or dependency["name"]
            for dependency in chart.metadata.get("dependencies", ())
        ]
        if not errors
        else []
    )
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield rules.DUPLICATE.finding(
            f"dependencies: {name!r} is there twice: give one an alias", file.start + 1
        )


def function_findings(chart: Chart) -> Iterator[Finding]:
    """Check that functions exist and get as many arguments as they take."""
    for path, nodes in chart.templates.items():
        start = chart.files[path].start
        for node in walk(nodes):
            for operand, count in operands(node.pipeline):
                if operand.kind != "function":
                    continue
                bounds = arities().get(str(operand.value))
                if bounds is None:
                    yield rules.FUNCTION.finding(
                        f"{path}: there is no function {operand.value!r}", node.line + start
                    )
                elif count < bounds[0] or (bounds[1] is not None and count > bounds[1]):
                    wanted = (
                        bounds[0]
                        if bounds[0] == bounds[1]
                        else f"at least {bounds[0]}"
                        if bounds[1] is None
                        else f"{bounds[0]} to {bounds[1]}"
                    )
                    yield rules.FUNCTION.finding(
                        f"{path}: {operand.value} takes {wanted} arguments, not {count}",
                        node.line + start,
                    )


def variables(chart: Chart) -> Iterator[Finding]:
    """Report variables that are not declared, in all templates of a chart."""
    for path, nodes in chart.templates.items():
        yield from charts.variable_findings(chart.files[path], nodes)


def named_findings(chart: Chart) -> Iterator[Finding]:
    """Report included templates that no file of a whole chart defines."""
    defined = (
        chart.named().keys()
        | chart.templates.keys()
        | {f"{(chart.metadata or {}).get('name')}/{path}" for path in chart.templates}
    )
    for path in chart.templates if chart.whole else ():
        for name in sorted(chart.includes(path) - defined):
            yield rules.NAMED.finding(
                f"{path} includes {name!r}, which no file defines", chart.files[path].start + 1
            )


def value_findings(chart: Chart) -> Iterator[Finding]:
    """Judge secrets in values, and dependencies without a bound."""
    for path, value in _leaves(chart.values or {}, ""):
        if is_secret_field(path) and isinstance(value, str) and value:
            yield rules.SECRET_VALUE.finding(
                f"values.yaml: {path} has a default: leave it empty or name an existing Secret"
            )
    for dependency in (chart.metadata or {}).get("dependencies", ()):
        if OPEN_RANGE.fullmatch(str(dependency.get("version", ""))):
            yield rules.DEPENDENCY.finding(
                f"Chart.yaml: {dependency['name']} {dependency.get('version', '')!r} takes every "
                "later version"
            )


def _leaves(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    for key, child in children(node):
        yield from _leaves(child, f"{path}.{key}".lstrip("."))
    if not isinstance(node, dict | list):
        yield path, node


CATEGORY = Helm()
