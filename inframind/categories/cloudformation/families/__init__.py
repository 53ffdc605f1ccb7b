"""Task families for CloudFormation templates."""

from inframind.bench.family import Families
from inframind.categories.cloudformation.families import applications, resources, stacks, systems

FAMILIES = Families(
    "cloudformation",
    [
        *resources.FAMILIES.all,
        *stacks.FAMILIES.all,
        *systems.FAMILIES.all,
        *applications.FAMILIES.all,
    ],
)
