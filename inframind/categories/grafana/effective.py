"""What a dashboard shows: its panels, the queries that run, its variables; and good practice."""

from collections.abc import Iterator
from typing import Any

from inframind.categories.base import Configuration, Link, Resource
from inframind.categories.grafana import rules
from inframind.categories.grafana.document import Dashboard, mappings_at, used_variables
from inframind.categories.grafana.panels import LEGACY, PACKAGE
from inframind.categories.shared import json_schema
from inframind.types import Finding

MAX_OVERLAPS = 500
"""Panels compared pairwise at most."""
FAST = frozenset({"1s", "2s", "3s", "4s"})


def seen(target: dict[str, Any], panel: dict[str, Any]) -> dict[str, Any]:
    """A query with the data source that it inherits and the panel's title."""
    source = target.get("datasource") or panel.get("datasource")
    return (
        target
        | ({"datasource": source} if source else {})
        | {"panel": str(panel.get("title") or "")}
    )


def effective(dashboard: Dashboard) -> Configuration:
    """`dashboard` (one), each panel as its type, `row`, `target`, `variable` and `annotation`.

    Hidden queries and disabled annotations are left out.
    """
    found: list[Resource] = []
    links: list[Link] = []
    names = {str(variable.get("name")) for variable in dashboard.variables}

    def add(kind: str, name: str, fields: dict[str, Any]) -> None:
        for key, value in fields.items():
            links.extend(
                Link(len(found), key, "variable", used)
                for used in sorted(names & set(used_variables(value)))
            )
        if isinstance(fields.get("repeat"), str) and fields["repeat"] in names:
            links.append(Link(len(found), "repeat", "variable", fields["repeat"]))
        found.append(Resource(kind, name, fields, dashboard.find(f'"{name}"') if name else None))

    whole = {
        key: value
        for key, value in dashboard.fields.items()
        if key not in ("panels", "templating", "annotations")
    }
    found.append(
        Resource(
            "dashboard",
            str(whole.get("title")),
            whole | {"panels": [str(p.get("title") or "") for p in dashboard.panels]},
            1,
        )
    )
    for panel, row in dashboard.placed():
        if panel.get("type") == "row":
            add("row", row, {key: value for key, value in panel.items() if key != "panels"})
            continue
        targets = [
            seen(target, panel)
            for target in mappings_at(panel, "targets")
            if target.get("hide") is not True
        ]
        add(
            str(panel.get("type")),
            str(panel.get("title") or ""),
            panel | {"targets": targets, "row": row},
        )
        for target in targets:
            add("target", str(target.get("refId") or ""), target)
    for variable in dashboard.variables:
        add("variable", str(variable.get("name")), variable)
    for annotation in mappings_at(dashboard.fields.get("annotations"), "list"):
        if annotation.get("enable") is not False:
            add("annotation", str(annotation.get("name")), annotation)
    return Configuration(tuple(found), tuple(links))


def policy_findings(dashboard: Dashboard) -> Iterator[Finding]:
    """Titles, overlaps, refresh, units, thresholds and removed kinds of panels."""
    if dashboard.fields.get("refresh") in FAST:
        yield rules.REFRESH.finding(
            f"refresh {dashboard.fields['refresh']} loads the data source",
            dashboard.find('"refresh"'),
        )
    units = frozenset(json_schema.load(PACKAGE, "schema")["units"])
    known = json_schema.load(PACKAGE, "schema")["definitions"]["Panel"]["properties"].keys()
    for panel in dashboard.panels:
        title = panel.get("title")
        if not title and panel.get("type") not in ("text", "news", "welcome"):
            yield rules.TITLE.finding(f"panel {panel.get('id')} has no title")
        if panel.get("type") in LEGACY:
            yield rules.LEGACY.finding(
                f"panel {title!r}: {panel['type']} was removed with Angular",
                dashboard.find(f'"{panel["type"]}"'),
            )
        unknown = (
            panel.keys() - known
            if panel.get("type") not in LEGACY and "pluginVersion" not in panel
            else set()
        )
        if unknown:
            yield rules.FIELD.finding(
                f"panel {title!r}: {', '.join(sorted(unknown))} is not read",
                dashboard.find(f'"{min(unknown)}"'),
            )
        defaults = (panel.get("fieldConfig") or {}).get("defaults") or {}
        unit = defaults.get("unit")
        if isinstance(unit, str) and unit and unit not in units and ":" not in unit:
            yield rules.UNIT.finding(
                f"panel {title!r}: {unit!r} is shown as it stands", dashboard.find(f'"{unit}"')
            )
        values = [step.get("value") for step in mappings_at(defaults.get("thresholds"), "steps")]
        numbers = [value for value in values[1:] if isinstance(value, int | float)]
        if values and (
            values[0] is not None or numbers != sorted(numbers) or len(numbers) < len(values) - 1
        ):
            yield rules.THRESHOLDS.finding(
                f"panel {title!r}: thresholds {values}", dashboard.find('"thresholds"')
            )
    yield from _overlaps(dashboard)


def _overlaps(dashboard: Dashboard) -> Iterator[Finding]:
    boxes = []
    for panel in mappings_at(dashboard.fields, "panels")[:MAX_OVERLAPS]:
        grid = panel.get("gridPos")
        if isinstance(grid, dict):
            x, y = grid.get("x", 0), grid.get("y", 0)
            boxes.append(
                (y, x, y + grid.get("h", 0), x + grid.get("w", 0), str(panel.get("title")))
            )
    for index, (top, left, bottom, right, title) in enumerate(boxes):
        for other_top, other_left, other_bottom, other_right, other in boxes[index + 1 :]:
            if (
                left < other_right
                and other_left < right
                and top < other_bottom
                and other_top < bottom
            ):
                yield rules.OVERLAP.finding(
                    f"panels {title!r} and {other!r} overlap", dashboard.find('"gridPos"')
                )
                break
