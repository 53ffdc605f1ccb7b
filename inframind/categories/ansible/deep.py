"""`ansible-playbook --syntax-check` (https://github.com/ansible/ansible), in its own Python
environment or in ours.
"""

import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from inframind.categories.shared.linters import (
    Complaint,
    Environment,
    Linter,
    environment,
    json_rows,
)
from inframind.sandbox.isolation import Finished, Program

SECONDS, SECONDS_EACH = 120.0, 2.0
SCRIPT = Path(__file__).with_name("syntax_check.py")
# What may be there when the playbook runs: a role, a file, a variable, a collection, the result of
# a lookup.
ABSENT = re.compile(
    r"was not found|could not be found|could not find|unable to retrieve file contents|is "
    r"undefined|no lookup is made"
    r"|vault secrets? (?:was|were) found|unable to look up",
    re.IGNORECASE,
)
REASONS = {
    "couldn't resolve module/action": "there is no such module",
    "is not a valid attribute for": "a keyword does not exist there",
    "conflicting action statements": "a task calls two modules",
    "no module/action detected in task": "a task calls no module",
    "YAML parsing failed": "the YAML does not parse",
    "Syntax Error while loading YAML": "the YAML does not parse",
    "'hosts' is required but was not set": "a play needs hosts",
    "template error": "a template does not parse",
}
"""What its messages begin or go on with -> ours, because its own quote the playbook."""
LINE = re.compile(r"(?:playbook|tasks)\.yml(?::|': line )(\d+)")


class SyntaxCheck(Linter):
    """The deep check of playbooks and task files. No task runs, and no lookup."""

    name = "ansible-playbook --syntax-check"
    rule = "ansible-syntax-check"
    suffix = ".yml"
    remedy = (
        "pip install ansible-core, here or in an environment of its own; then set "
        "INFRAMIND_ANSIBLE=ENVIRONMENT"
    )

    @cached_property
    def _environment(self) -> Environment | None:
        return environment("INFRAMIND_ANSIBLE", "ansible-playbook")

    def installed(self) -> str | None:
        return (
            f"ansible-core {self._environment.version('ansible-core')}"
            if self._environment
            else None
        )

    def program(self, names: Sequence[str]) -> Program:
        assert self._environment is not None
        seconds = SECONDS + SECONDS_EACH * len(names)
        return self._environment.program(str(SCRIPT), *names, readable=(SCRIPT,), seconds=seconds)

    def complaints(self, finished: Finished) -> dict[str, list[Complaint]] | None:
        rows = json_rows(finished.output)
        if rows is None or finished.status != 0:
            return None
        return {str(row.get("file")): [_complaint(row)] for row in rows if row.get("status") != 0}


def _complaint(row: dict[str, object]) -> Complaint:
    output = str(row.get("output"))
    match = LINE.search(output)
    line = int(match.group(1)) if match else None
    if row.get("foreign") or ABSENT.search(output):
        return Complaint(
            line,
            "what the text needs is not here: a collection, a role, a file or a variable",
            "undecided",
        )
    reason = next(
        (ours for theirs, ours in REASONS.items() if theirs in output), "the playbook is refused"
    )
    return Complaint(line, reason, "invalid")


TOOL = SyntaxCheck()
