"""Task families for Jenkins' declarative pipelines."""

from inframind.bench.family import Families
from inframind.categories.jenkins.families import directives, guarded_stages, stages, systems

FAMILIES = Families(
    "jenkins",
    [
        *directives.FAMILIES.all,
        *guarded_stages.FAMILIES.all,
        *stages.FAMILIES.all,
        *systems.FAMILIES.all,
    ],
)
