"""Task families of several parts that belong together."""

from inframind.bench.family import Families

FAMILIES = Families("github-actions")
