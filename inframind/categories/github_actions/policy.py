"""Security of workflows. A finding counts where a request lists its rule."""

import re
from collections.abc import Iterator

from inframind.categories.github_actions import rules
from inframind.categories.github_actions.workflow import Workflow, inputs_of
from inframind.categories.shared.policies import downloads_to_shell
from inframind.types import Finding

# Only a full commit hash cannot be moved to other code (docs: Secure use reference).
HASH = re.compile(r"@[0-9a-f]{40}$")
# Fields that anybody can fill:
# https://docs.github.com/en/actions/concepts/security/script-injections
FOREIGN_TEXT = re.compile(
    r"\$\{\{[^}]*github\.(?:head_ref|event\.[\w.]*"
    r"(?:title|body|message|name|email|label|ref|default_branch))[^}]*\}\}"
)


def findings(workflow: Workflow) -> Iterator[Finding]:
    """Judge permissions, pinned actions, scripts and checkouts of a workflow."""
    jobs = workflow.jobs.values()
    if workflow.fields.get("permissions") == "write-all" or any(
        job.get("permissions") == "write-all" for job in jobs
    ):
        yield rules.PERMISSIONS.finding(
            "write-all gives the token every right", workflow.line("permissions")
        )
    elif "permissions" not in workflow.fields and not all("permissions" in job for job in jobs):
        yield rules.PERMISSIONS.finding("name the token's permissions")
    for name, _, step in workflow.steps():
        line = workflow.line("jobs", name, "steps")
        uses, run = str(step.get("uses", "")), str(step.get("run", ""))
        if uses and not uses.startswith("./") and not HASH.search(uses) and "sha256:" not in uses:
            yield rules.UNPINNED.finding(f"{uses} can change: pin it by a commit's hash", line)
        if FOREIGN_TEXT.search(run):
            yield rules.INJECTION.finding(
                "text of others becomes part of a script: pass it through env", line
            )
        if downloads_to_shell(run):
            yield rules.PIPE_TO_SHELL.finding("a download runs unchecked", line)
        # Deprecated on 2022-10-11 (GitHub's changelog): whatever is logged could set outputs.
        if "::set-output" in run or "::save-state" in run:
            yield rules.COMMAND.finding("write to $GITHUB_OUTPUT or $GITHUB_STATE", line)
        head = "pull_request" in str(inputs_of(step).get("ref", ""))
        if (
            "pull_request_target" in workflow.events
            and uses.startswith("actions/checkout")
            and head
        ):
            yield rules.TARGET.finding(
                "foreign code is checked out with this repository's rights", line
            )
