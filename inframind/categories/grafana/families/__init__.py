"""Task families for Grafana: dashboards and their panels, provisioning, alerting."""

from inframind.categories.grafana.families import alerting, dashboards, panels, sources
from inframind.categories.grafana.families.base import FAMILIES

__all__ = ["FAMILIES", "alerting", "dashboards", "panels", "sources"]
