"""Dashboards: schema, grid, times, queries and variables."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema_rs
import promql_parser

from inframind.categories.grafana import rules
from inframind.categories.grafana.document import Dashboard, mappings_at, used_variables
from inframind.categories.shared import json_schema
from inframind.categories.shared.values import repeated
from inframind.categories.shared.yaml import packaged
from inframind.types import Finding

PACKAGE = "inframind.categories.grafana"
ANY: dict[str, Any] = {}
OBJECT = {"type": ["object", "null"]}
OBJECTS = {"type": ["array", "null"], "items": {"type": "object"}}
# https://github.com/grafana/grafana/tree/main/public/app/plugins/panel
CORE = frozenset(
    "alertlist annolist barchart bargauge candlestick canvas dashlist datagrid debug "
    "flamegraph gauge geomap gettingstarted heatmap histogram live logs logstable news "
    "nodeGraph piechart row stat state-timeline status-history table text timeseries traces "
    "trend welcome xychart".split()
)
LEGACY = frozenset(
    "graph singlestat table-old grafana-piechart-panel grafana-singlestat-panel "
    "grafana-worldmap-panel".split()
)
"""Angular panels: Grafana migrates them when it loads the dashboard."""
# Grafana's dateMath: steps, then rounding; `fQ` and `fy` are the fiscal quarter and year.
MOMENT = re.compile(r"now(?:[+-]\d+[smhdwMyQ])*(?:/[smhdwMyQ]|/fQ|/fy)?")
DATE = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?Z?(?:[+-]\d{2}:?\d{2})?)?|\d{10,13}"
)
INTERVAL = re.compile(r"[<>]?=?(?:\d+(?:ms|[smhdwMy]))+")
BUILT_IN = frozenset(
    "timeFilter timeFrom timeTo timeGroup unixEpochFilter unixEpochGroup unixEpochFrom "
    "unixEpochTo time interval timeGroupAlias".split()
)
MACRO = re.compile(r"\$__\w+|\$\{__[^}]*\}|\[\[__\w+\]\]")


def loosened() -> dict[str, Any]:
    """Adapt Grafana's types to what it reads: carried fields, data sources by name, no defaults.

    A panel keeps what its earlier kinds left behind: what it has beyond the schema is for the
    policy rung.
    """
    definitions: dict[str, Any] = dict(json_schema.load(PACKAGE, "schema")["definitions"])
    carried = packaged(PACKAGE, "carried.yaml")
    changes: dict[str, dict[str, Any]] = {
        "Dashboard": dict.fromkeys(carried["dashboard"], ANY)
        | {
            "panels": OBJECTS,
            "links": OBJECTS,
            "annotations": OBJECT,
            "timepicker": OBJECT,
            "snapshot": ANY,
        }
        | {
            "refresh": {"type": ["string", "boolean", "null"]},
            "gnetId": {"type": ["string", "integer", "null"]},
        },
        "Panel": {
            "options": ANY,
            "links": ANY,
            "transformations": ANY,
            "maxDataPoints": {"type": ["number", "string", "null"]},
        },
        "RowPanel": {"panels": OBJECTS},
        "VariableModel": dict.fromkeys(
            (*carried["variable"], "query", "current", "options", "refresh", "hide", "sort"), ANY
        ),
        "FieldConfig": {"mappings": OBJECTS, "decimals": ANY, "nullValueMode": ANY, "title": ANY},
    }
    required = {
        "Dashboard": ["title"],
        "ThresholdsConfig": ["steps"],
        "Threshold": ["color"],
        "FieldConfigSource": [],
        "RowPanel": ["type"],
    }
    for name, properties in changes.items():
        definitions[name] = definitions[name] | {
            "properties": definitions[name]["properties"] | properties
        }
    for name, fields in required.items():
        definitions[name] = definitions[name] | {"required": fields}
    for name in ("Panel", "RowPanel", "Threshold", "FieldColor", "DataSourceRef"):
        definitions[name] = definitions[name] | {"additionalProperties": True}
    definitions["DataSourceRef"] = {
        "anyOf": [definitions["DataSourceRef"], {"type": ["string", "null"]}]
    }
    return definitions


@cache
def validator(name: str) -> jsonschema_rs.Validator:
    """Compile the schema of one of Grafana's types, once a process."""
    return json_schema.compile_definition(loosened(), name)


def schema_findings(dashboard: Dashboard) -> Iterator[Finding]:
    """Check a dashboard: schemas and, where they hold, the grid, times and queries."""
    findings = list(_errors(dashboard, "Dashboard", dashboard.fields, "the dashboard"))
    for panel, _ in dashboard.placed():
        kind = panel.get("type")
        where = f"panel {panel.get('title') or panel.get('id')!r}"
        findings += _errors(dashboard, "RowPanel" if kind == "row" else "Panel", panel, where)
        if isinstance(kind, str) and kind not in CORE | LEGACY and "libraryPanel" not in panel:
            findings.append(
                rules.PLUGIN.finding(
                    f"{where}: {kind!r} is no panel of Grafana itself", dashboard.find(f'"{kind}"')
                )
            )
    yield from findings
    if not findings:
        yield from _grid_findings(dashboard)
        yield from _time_findings(dashboard)
        for panel in dashboard.panels:
            yield from _target_findings(dashboard, panel)


def _errors(dashboard: Dashboard, kind: str, value: Any, where: str) -> Iterator[Finding]:
    if validator(kind).is_valid(value):
        return
    for error in list(validator(kind).iter_errors(value))[: json_schema.MAX_FINDINGS]:
        path = ".".join(map(str, error.instance_path))
        keys = [f'"{part}"' for part in error.instance_path if isinstance(part, str)][-1:]
        yield rules.DASHBOARD.of_error(error).finding(
            f"{where}{': ' + path if path else ''}: {error.message[:300]}", dashboard.find(*keys)
        )


def _grid_findings(dashboard: Dashboard) -> Iterator[Finding]:
    for panel, _ in dashboard.placed():
        grid = panel.get("gridPos")
        if not isinstance(grid, dict):
            continue
        x, y, w, h = (grid.get(key, 0) for key in "xywh")
        numbers = all(isinstance(value, int | float) for value in (x, y, w, h))
        # The grid has 24 columns and grows downwards.
        if not numbers or x < 0 or y < 0 or w < 1 or h < 1 or x + w > 24:
            message = (
                f"panel {panel.get('title')!r}: x {x}, y {y}, w {w}, h {h}; x + w is 24 at most, w "
                "and h are at least 1"
            )
            yield rules.GRID.finding(message, dashboard.find('"gridPos"'))


def is_moment(text: Any) -> bool:
    """Tell whether a value is a point in time: `now-6h`, `now/d` or a date."""
    return isinstance(text, str) and (
        MOMENT.fullmatch(text) is not None or DATE.fullmatch(text) is not None
    )


def _time_findings(dashboard: Dashboard) -> Iterator[Finding]:
    time, refresh = dashboard.fields.get("time") or {}, dashboard.fields.get("refresh")
    for key in ("from", "to"):
        if time and not is_moment(time.get(key)) and "$" not in str(time.get(key)):
            yield rules.TIME.finding(
                f"time.{key} {time.get(key)!r} is neither `now-6h` nor a date",
                dashboard.find('"time"'),
            )
    if (
        isinstance(refresh, str)
        and refresh not in ("", "auto")
        and "$" not in refresh
        and not INTERVAL.fullmatch(refresh)
    ):
        yield rules.TIME.finding(
            f"refresh {refresh!r} is not an interval such as 30s", dashboard.find('"refresh"')
        )
    for panel in dashboard.panels:
        for key in ("interval", "timeFrom", "timeShift"):
            value = panel.get(key)
            if (
                value
                and "$" not in value
                and not INTERVAL.fullmatch(value)
                and not MOMENT.fullmatch(value)
            ):
                yield rules.TIME.finding(
                    f"panel {panel.get('title')!r}: {key} {value!r} is not an interval",
                    dashboard.find(f'"{value}"'),
                )


def source_type(*nodes: Any) -> str | None:
    """Name the type of the first data source that one of the nodes gives."""
    for node in nodes:
        source = node.get("datasource") if isinstance(node, dict) else None
        if isinstance(source, dict) and isinstance(source.get("type"), str):
            return str(source["type"])
        if isinstance(source, str) and source.lower().startswith("prometheus"):
            return "prometheus"
    return None


def _target_findings(dashboard: Dashboard, panel: dict[str, Any]) -> Iterator[Finding]:
    for target in mappings_at(panel, "targets"):
        kind = source_type(target, panel)
        where = f"panel {panel.get('title')!r}, query {target.get('refId')}"
        expression = target.get("expr")
        if kind in ("prometheus", "loki") and not isinstance(expression, str):
            yield rules.TARGET.finding(
                f"{where}: a {kind} query stands in `expr`", dashboard.find('"targets"')
            )
        elif kind == "prometheus" and expression and (problem := promql_problem(str(expression))):
            yield rules.PROMQL_SYNTAX.finding(f"{where}: {problem}", dashboard.find('"expr"'))


def promql_problem(text: str) -> str | None:
    """Explain why a Prometheus query cannot be read once its variables are filled in, or None."""
    # A range has to be a duration, and so has an offset: any will do for the parser.
    plain = re.sub(r"\[[^\[\]]*\$[^\[\]]*\]", "[5m]", text)
    plain = re.sub(r"\boffset\s+-?\$\{?\w+\}?", "offset 5m", plain)
    plain = MACRO.sub("1", plain)
    plain = re.sub(r"\$\{(\w+)(?:[:.][^}]*)?\}|\[\[(\w+)(?::\w+)?\]\]|\$(\w+)", r"v_\1\2\3", plain)
    try:
        promql_parser.parse(plain)
    except ValueError as error:
        # A variable may stand for an operator or a whole part: then nothing is known.
        return (
            None
            if plain != text and "$" in re.sub(r'"[^"]*"|\'[^\']*\'|\[[^\]]*\]', "", text)
            else str(error).splitlines()[0]
        )
    return None


def reference_findings(dashboard: Dashboard) -> Iterator[Finding]:
    """Check ids, refIds, names and variables of a dashboard."""
    ids = (panel["id"] for panel, _ in dashboard.placed() if panel.get("id") is not None)
    for number, count in repeated(ids):
        yield rules.PANEL_ID.finding(
            f"{count} panels have the id {number}", dashboard.find(f'"id": {number}')
        )
    for panel in dashboard.panels:
        yield from _query_findings(dashboard, panel)
    names = Counter(str(variable.get("name")) for variable in dashboard.variables)
    for name, count in repeated(names):
        yield rules.PANEL_ID.finding(
            f"{count} variables are called {name!r}", dashboard.find(f'"{name}"')
        )
    for where, name in _uses(dashboard):
        if (
            name not in names
            and not name.startswith("__")
            and name not in BUILT_IN
            and not name.isdigit()
        ):
            # An export for sharing asks for these when it is imported (docs: Export a dashboard).
            if name.startswith(("DS_", "VAR_")) and "__inputs" in dashboard.fields:
                continue
            yield rules.VARIABLE.finding(
                f"{where} uses ${name}, which is not defined",
                dashboard.find(f"${name}", f"${{{name}"),
            )


def _uses(dashboard: Dashboard) -> Iterator[tuple[str, str]]:
    for panel, _ in dashboard.placed():
        where = f"panel {panel.get('title')!r}"
        if isinstance(panel.get("repeat"), str) and panel["repeat"]:
            yield where, panel["repeat"]
        queries = [
            {key: target.get(key) for key in ("expr", "datasource")}
            for target in mappings_at(panel, "targets")
        ]
        used = {
            name
            for part in (panel.get("title"), panel.get("datasource"), queries)
            for name in used_variables(part)
        }
        yield from ((where, name) for name in sorted(used))
    for variable in dashboard.variables:
        for name in sorted(
            set(used_variables([variable.get("query"), variable.get("datasource")]))
        ):
            yield f"variable {variable.get('name')}", name


def _query_findings(dashboard: Dashboard, panel: dict[str, Any]) -> Iterator[Finding]:
    targets = mappings_at(panel, "targets")
    names = Counter(str(target["refId"]) for target in targets if target.get("refId"))
    for name, count in repeated(names):
        yield rules.PANEL_ID.finding(
            f"panel {panel.get('title')!r}: {count} queries have the refId {name}",
            dashboard.find('"refId"'),
        )
    for target in targets:
        if source_type(target) == "__expr__":
            for name in expression_inputs(target):
                if name not in names:
                    message = (
                        f"panel {panel.get('title')!r}: the expression {target.get('refId')} reads "
                        f"${name}, which is no query"
                    )
                    yield rules.EXPRESSION.finding(message, dashboard.find('"expression"'))


def expression_inputs(target: dict[str, Any]) -> list[str]:
    """List the refIds that a server-side expression reads."""
    expression, kind = target.get("expression"), target.get("type")
    if not isinstance(expression, str) or kind in ("classic_conditions", "sql"):
        return []
    # These read one query, named with or without `$`.
    if kind in ("reduce", "resample", "threshold"):
        return [expression.strip().strip("${}")]
    return [first or second for first, second in re.findall(r"\$\{([^}]+)\}|\$(\w+)", expression)]
