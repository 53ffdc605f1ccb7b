"""Task families for manifests: of one or two objects, then of several that belong together."""

from inframind.bench.family import Families
from inframind.categories.kubernetes.families import platforms, surroundings, systems, workloads

FAMILIES = Families(
    "kubernetes",
    [
        *workloads.FAMILIES.all,
        *surroundings.FAMILIES.all,
        *systems.FAMILIES.all,
        *platforms.FAMILIES.all,
    ],
)
