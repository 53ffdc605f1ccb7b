"""The parsed Grafana file: a dashboard or a provisioning file."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from inframind.categories.base import ParseError
from inframind.categories.grafana import rules
from inframind.categories.shared import json_text
from inframind.categories.shared.values import texts
from inframind.categories.shared.yaml import line_of, yaml_documents

# https://grafana.com/docs/grafana/latest/administration/provisioning/ and alerting's own.
SECTIONS = tuple(
    "datasources deleteDatasources providers groups deleteRules contactPoints "
    "deleteContactPoints policies resetPolicies templates deleteTemplates muteTimes "
    "deleteMuteTimes apps".split()
)
# The three ways to write a variable: `${name:format}`, `[[name]]` and `$name`.
USED = re.compile(r"\$\{(\w+)(?:\.\w+)?(?::[^}]*)?\}|\[\[(\w+)(?::\w+)?\]\]|\$(\w+)")


@dataclass(frozen=True)
class Dashboard:
    """Hold a dashboard, taken out of the wrappers in which Grafana's APIs carry it."""

    text: str
    fields: dict[str, Any]

    @property
    def panels(self) -> list[dict[str, Any]]:
        """List all panels, those inside rows too; rows themselves are left out."""
        return [panel for panel, _ in self.placed() if panel.get("type") != "row"]

    def placed(self) -> Iterator[tuple[dict[str, Any], str]]:
        """Yield each panel or row with the title of the row that it stands below."""
        row = ""
        for panel in mappings_at(self.fields, "panels"):
            # A collapsed row holds its panels; those of an open row follow it in the list.
            if panel.get("type") == "row":
                row = str(panel.get("title") or "")
            yield panel, row
            for inner in mappings_at(panel, "panels") if panel.get("type") == "row" else ():
                yield inner, row

    @property
    def variables(self) -> list[dict[str, Any]]:
        """List the template variables."""
        return mappings_at(self.fields.get("templating"), "list")

    def find(self, *needles: str) -> int | None:
        """Find the 1-based line of the first needle that the text has."""
        position = next(
            (
                position
                for position in (self.text.find(needle) for needle in needles)
                if position >= 0
            ),
            -1,
        )
        return self.text.count("\n", 0, position) + 1 if position >= 0 else None


@dataclass(frozen=True)
class Provisioning:
    """Hold a provisioning file."""

    text: str
    fields: dict[str, Any]

    def line(self, *path: str | int) -> int | None:
        return line_of(self.text, path)


def mappings_at(fields: Any, key: str) -> list[dict[str, Any]]:
    """List the mappings in the list at `key`."""
    items = fields.get(key) if isinstance(fields, dict) else None
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def parsed(text: str) -> Dashboard | Provisioning:
    """Parse a text into a dashboard or a provisioning file.

    Raises ParseError if it is neither.
    """
    if text.lstrip().startswith("{"):
        return _dashboard(text)
    documents = yaml_documents(text, rules.YAML)
    fields = documents[0] if len(documents) == 1 else None
    if not isinstance(fields, dict) or not any(section in fields for section in SECTIONS):
        raise ParseError(
            rules.KIND.finding(
                f"neither a JSON object nor a mapping with one of {', '.join(SECTIONS)}", 1
            )
        )
    return Provisioning(text, fields)


def _dashboard(text: str) -> Dashboard:
    try:
        fields = json_text.load(text)
    except json_text.JsonError as error:
        raise ParseError(rules.JSON.finding(str(error), error.line)) from None
    # POST /api/dashboards/db, and the resource form of dashboard.grafana.app
    for wrapper in ("dashboard", "spec"):
        if isinstance(fields.get(wrapper), dict) and "panels" not in fields:
            fields = fields[wrapper]
    if not {"panels", "schemaVersion", "title"} & fields.keys():
        raise ParseError(
            rules.KIND.finding("the object has neither panels nor a title: it is no dashboard", 1)
        )
    return Dashboard(text, fields)


def used_variables(node: Any) -> Iterator[str]:
    """Yield the names of the variables in all texts below a value."""
    for text in texts(node):
        for match in USED.finditer(text):
            yield next(group for group in match.groups() if group)
