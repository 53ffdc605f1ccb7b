"""Task families for Prometheus and Alertmanager."""

from inframind.bench.family import Families
from inframind.categories.prometheus.families import managers, rule_groups, servers, systems

FAMILIES = Families(
    "prometheus",
    [
        *rule_groups.FAMILIES.all,
        *servers.FAMILIES.all,
        *managers.FAMILIES.all,
        *systems.FAMILIES.all,
    ],
)
