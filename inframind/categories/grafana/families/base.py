"""The families of Grafana and the pieces their answers share."""

import json
from typing import Any

from inframind.bench.family import Families

FAMILIES = Families("grafana")
family = FAMILIES.family
PROMETHEUS = {"type": "prometheus", "uid": "prom"}
SCHEMA = 41


def query(expression: str, name: str = "A", **more: Any) -> dict[str, Any]:
    """A Prometheus query."""
    return {"refId": name, "expr": expression} | more


def panel(
    kind: str,
    title: str,
    *queries: dict[str, Any],
    at: tuple[int, int, int, int] = (0, 0, 12, 8),
    **more: Any,
) -> dict[str, Any]:
    """A panel at x, y with width and height."""
    x, y, w, h = at
    source = {"datasource": PROMETHEUS, "targets": list(queries)} if queries else {}
    return (
        {"type": kind, "title": title, "gridPos": {"x": x, "y": y, "w": w, "h": h}} | source | more
    )


def defaults(**fields: Any) -> dict[str, Any]:
    """A panel's field options."""
    return {"fieldConfig": {"defaults": fields, "overrides": []}}


def board(title: str, *panels: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A dashboard; panels get the ids 1, 2, 3 ..."""
    numbered = [{"id": index} | one for index, one in enumerate(panels, start=1)]
    return {"title": title, "schemaVersion": SCHEMA} | more | {"panels": numbered}


def pretty(data: Any) -> str:
    """A dashboard as a file."""
    return json.dumps(data, indent=2) + "\n"


def other(data: Any) -> str:
    """The same dashboard, written otherwise."""
    return json.dumps(data, sort_keys=True) + "\n"
