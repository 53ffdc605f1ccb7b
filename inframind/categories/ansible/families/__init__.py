"""Task families for Ansible playbooks."""

from inframind.categories.ansible.families import systems, tasks
from inframind.categories.ansible.families.checks import FAMILIES

__all__ = ["FAMILIES", "systems", "tasks"]
