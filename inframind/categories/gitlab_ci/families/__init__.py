"""Task families for GitLab CI pipelines."""

from inframind.bench.family import Families
from inframind.categories.gitlab_ci.families import jobs, pipelines, systems

FAMILIES = Families(
    "gitlab-ci", [*jobs.FAMILIES.all, *pipelines.FAMILIES.all, *systems.FAMILIES.all]
)
