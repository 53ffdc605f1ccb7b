"""Task families of this category: `basics` are one or two objects, `systems` and `platforms` several that belong together."""

from inframind.bench.family import Families
from inframind.categories.kubernetes.families import basics, platforms, systems

FAMILIES = Families(
    "kubernetes", [*basics.FAMILIES.all, *systems.FAMILIES.all, *platforms.FAMILIES.all]
)
