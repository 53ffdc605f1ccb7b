"""Task families for Helm: single files, values with a template, and whole charts."""

from inframind.categories.helm.families import charts, parts, templates
from inframind.categories.helm.families.base import FAMILIES

__all__ = ["FAMILIES", "charts", "parts", "templates"]
