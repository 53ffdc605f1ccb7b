"""The content that a dashboard shows: its panels, the queries that run, its variables."""

from typing import Any

from inframind.categories.base import Configuration, Link, Resource
from inframind.categories.grafana.document import Dashboard, mappings_at, used_variables


def seen(target: dict[str, Any], panel: dict[str, Any]) -> dict[str, Any]:
    """Write a query with the data source that it inherits and the panel's title."""
    source = target.get("datasource") or panel.get("datasource")
    return (
        target
        | ({"datasource": source} if source else {})
        | {"panel": str(panel.get("title") or "")}
    )


def configuration(dashboard: Dashboard) -> Configuration:
    """Collect the `dashboard`, panels as their types, `row`, `target`, `variable`, `annotation`.

    Hidden queries and disabled annotations are left out.
    """
    resources: list[Resource] = []
    links: list[Link] = []
    names = {str(variable.get("name")) for variable in dashboard.variables}

    def add(kind: str, name: str, fields: dict[str, Any]) -> None:
        for key, value in fields.items():
            links.extend(
                Link(len(resources), key, "variable", used)
                for used in sorted(names & set(used_variables(value)))
            )
        if isinstance(fields.get("repeat"), str) and fields["repeat"] in names:
            links.append(Link(len(resources), "repeat", "variable", fields["repeat"]))
        resources.append(
            Resource(kind, name, fields, dashboard.find(f'"{name}"') if name else None)
        )

    whole = {
        key: value
        for key, value in dashboard.fields.items()
        if key not in ("panels", "templating", "annotations")
    }
    resources.append(
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
    return Configuration(tuple(resources), tuple(links))
