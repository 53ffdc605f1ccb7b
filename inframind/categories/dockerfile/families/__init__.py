"""Task families of this category: `basics` are one or two objects, `systems` several that belong together."""

from inframind.bench.family import Families
from inframind.categories.dockerfile.families import basics, systems

FAMILIES = Families("dockerfile", [*basics.FAMILIES.all, *systems.FAMILIES.all])
