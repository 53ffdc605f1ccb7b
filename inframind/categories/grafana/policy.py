"""Good practice of dashboards."""

from collections.abc import Iterator

from inframind.categories.grafana import rules
from inframind.categories.grafana.document import Dashboard, mappings_at
from inframind.categories.grafana.panels import LEGACY, PACKAGE
from inframind.categories.shared import json_schema
from inframind.types import Finding

MAX_OVERLAPS = 500
"""Panels compared pairwise at most."""
FAST = frozenset({"1s", "2s", "3s", "4s"})


def findings(dashboard: Dashboard) -> Iterator[Finding]:
    """Judge titles, overlaps, refresh, units, thresholds and removed kinds of panels."""
    if dashboard.fields.get("refresh") in FAST:
        yield rules.REFRESH.finding(
            f"refresh {dashboard.fields['refresh']} loads the data source",
            dashboard.find('"refresh"'),
        )
    units = frozenset(json_schema.load(PACKAGE, "schema")["units"])
    panel_fields = json_schema.load(PACKAGE, "schema")["definitions"]["Panel"]["properties"].keys()
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
            panel.keys() - panel_fields
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
        # The first step is the base: its value is null, for minus infinity.
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
