"""The rules for GitHub Actions workflows, each with its source."""

from inframind.categories.base import Rule
from inframind.categories.shared import rules as duties

SYNTAX = "https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax"
CONTEXTS = "https://docs.github.com/en/actions/reference/workflows-and-actions/contexts"
SECURITY = "https://docs.github.com/en/actions/reference/security/secure-use"
RUNNERS = "https://docs.github.com/en/actions/reference/runners/github-hosted-runners"

YAML = duties.SYNTAX.rule("https://yaml.org/spec/1.2.2/", "one YAML mapping")
FIELDS = duties.field_rules(
    "https://www.schemastore.org/github-workflow.json", "the workflow schema"
)
JOBS = duties.MISSING_FIELD.rule(
    SYNTAX + "#jobs", "jobs, and of each its steps or the workflow that it uses"
)
USES = Rule(
    "uses", "schema", "`uses` names an action with its version", SYNTAX + "#jobsjob_idstepsuses"
)
CRON = duties.INVALID_CRON.rule(SYNTAX + "#onschedule", "`cron`")
RUNNER = Rule("runner", "schema", "The runner is hosted by GitHub today", RUNNERS)
SHELL = duties.INVALID_VALUE.rule(SYNTAX + "#jobsjob_idstepsshell", "shells")
FILTER = duties.COMBINATION.rule(
    SYNTAX + "#onpushbranchestagsbranches-ignoretags-ignore", "a filter and its -ignore form"
)
INPUT = duties.UNKNOWN_FIELD.rule("https://github.com/actions", "inputs of well-known actions")
EXPRESSION = duties.INVALID_EXPRESSION.rule(
    CONTEXTS, "closed, with known contexts", rung="references"
)
NEEDS = duties.UNDEFINED.rule(SYNTAX + "#jobsjob_idneeds", "needed jobs")
CYCLE = duties.CYCLE.rule(SYNTAX + "#jobsjob_idneeds", "needed jobs")
CONTEXT = duties.UNDEFINED.rule(CONTEXTS, "what `needs`, `steps` and `matrix` name")
DUPLICATE = duties.DUPLICATE.rule(SYNTAX + "#jobsjob_idstepsid", "step ids of a job")

UNPINNED = duties.UNPINNED.rule(SECURITY, "actions, by a commit's hash", severity="info")
PERMISSIONS = Rule(
    "permissions", "policy", "Permissions are given and not write-all", SECURITY, "warning"
)
INJECTION = duties.INJECTION.rule(SECURITY, "scripts")
PIPE_TO_SHELL = duties.PIPE_TO_SHELL.rule(SECURITY, "`run` steps")
TARGET = Rule(
    "pull-request-target",
    "policy",
    "pull_request_target does not check out the head",
    SECURITY,
    "warning",
)
COMMAND = duties.DEPRECATED.rule(SYNTAX, "set-output and save-state")

RULES = duties.declared(vars())
