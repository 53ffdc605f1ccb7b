"""Task families of this category: `basics` are one or two objects, `systems` several that belong together."""

from inframind.bench.family import Families
from inframind.categories.compose.families import basics, systems

FAMILIES = Families("compose", [*basics.FAMILIES.all, *systems.FAMILIES.all])
