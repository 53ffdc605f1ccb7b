"""Task families for Jenkins' declarative pipelines."""

from inframind.bench.family import Families
from inframind.categories.jenkins.families import directives, stages, systems

FAMILIES = Families(
    "jenkins", [*directives.FAMILIES.all, *stages.FAMILIES.all, *systems.FAMILIES.all]
)
