"""The rules for GitHub Actions workflows, each with its source."""

from inframind.categories.base import Rule

SYNTAX = "https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax"
CONTEXTS = "https://docs.github.com/en/actions/reference/workflows-and-actions/contexts"
EXPRESSIONS = "https://docs.github.com/en/actions/reference/workflows-and-actions/expressions"
SECURITY = "https://docs.github.com/en/actions/reference/security/secure-use"
RUNNERS = "https://docs.github.com/en/actions/reference/runners/github-hosted-runners"

YAML = Rule("yaml", "parse", "The text is one YAML mapping", "https://yaml.org/spec/1.2.2/")
SCHEMA = Rule(
    "schema",
    "schema",
    "Keys and types are those of the workflow schema",
    "https://www.schemastore.org/github-workflow.json",
)
JOBS = Rule(
    "jobs-required",
    "schema",
    "There are jobs, and each has steps or uses a workflow",
    SYNTAX + "#jobs",
)
USES = Rule(
    "uses", "schema", "`uses` names an action with its version", SYNTAX + "#jobsjob_idstepsuses"
)
CRON = Rule("cron", "schema", "`cron` has five valid fields", SYNTAX + "#onschedule")
RUNNER = Rule("runner", "schema", "The runner is hosted by GitHub today", RUNNERS)
SHELL = Rule("shell", "schema", "The shell is known", SYNTAX + "#jobsjob_idstepsshell")
FILTER = Rule(
    "filter",
    "schema",
    "A filter and its -ignore form exclude one another",
    SYNTAX + "#onpushbranchestagsbranches-ignoretags-ignore",
)
INPUT = Rule(
    "action-input", "schema", "Inputs of well-known actions exist", "https://github.com/actions"
)
EXPRESSION = Rule(
    "expression", "references", "Expressions are closed and use known contexts", CONTEXTS
)
NEEDS = Rule(
    "needs", "references", "Needed jobs exist, without a circle", SYNTAX + "#jobsjob_idneeds"
)
CONTEXT = Rule(
    "context", "references", "`needs`, `steps` and `matrix` name what is there", CONTEXTS
)
DUPLICATE = Rule(
    "duplicate-id", "references", "Step ids are unique in a job", SYNTAX + "#jobsjob_idstepsid"
)

UNPINNED = Rule(
    "unpinned-action", "policy", "Actions are pinned by a commit's hash", SECURITY, "info"
)
PERMISSIONS = Rule(
    "permissions", "policy", "Permissions are given and not write-all", SECURITY, "warning"
)
INJECTION = Rule("injection", "policy", "No text of others in a script", SECURITY, "warning")
TARGET = Rule(
    "pull-request-target",
    "policy",
    "pull_request_target does not check out the head",
    SECURITY,
    "warning",
)
COMMAND = Rule("deprecated-command", "policy", "No set-output or save-state", SYNTAX, "info")

RULES = (
    YAML, SCHEMA, JOBS, USES, CRON, RUNNER, SHELL, FILTER, INPUT, EXPRESSION, NEEDS, CONTEXT, DUPLICATE, UNPINNED, PERMISSIONS,
    INJECTION, TARGET, COMMAND,
)  # fmt: skip
