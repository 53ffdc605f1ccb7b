"""Task families of this category: `basics` are one or two objects, `systems` several that belong together."""

from inframind.bench.family import Families
from inframind.categories.terraform.families import basics, systems

FAMILIES = Families("terraform", [*basics.FAMILIES.all, *systems.FAMILIES.all])
