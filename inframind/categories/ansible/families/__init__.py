"""Task families for Ansible playbooks."""

from inframind.bench.family import Families
from inframind.categories.ansible.families import systems, task_lists, tasks

FAMILIES = Families(
    "ansible", [*systems.FAMILIES.all, *tasks.FAMILIES.all, *task_lists.FAMILIES.all]
)
