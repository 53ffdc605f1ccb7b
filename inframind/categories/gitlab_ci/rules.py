"""The rules for GitLab CI pipelines, each with its source."""

from inframind.categories.base import Rule

DOCS = "https://docs.gitlab.com/ci/"
SYNTAX = DOCS + "yaml/"
OPTIMIZATION = SYNTAX + "yaml_optimization/"
SECURITY = DOCS + "pipelines/pipeline_security/"

YAML = Rule(
    "yaml",
    "parse",
    "The text is one YAML mapping, or a `spec` header and one",
    "https://yaml.org/spec/1.2.2/",
)
SCHEMA = Rule(
    "schema",
    "schema",
    "Keywords and types are those of GitLab's schema, also after `extends`",
    SYNTAX,
)
JOBS = Rule(
    "visible-job",
    "schema",
    "There is at least one job that is not hidden",
    DOCS + "jobs/#hide-a-job",
)
SCRIPT = Rule(
    "script-required", "schema", "Every job has one of script, run and trigger", SYNTAX + "#script"
)
ONLY_RULES = Rule(
    "only-with-rules", "schema", "`rules` stands without `only` and `except`", SYNTAX + "#rules"
)
WHEN = Rule(
    "when",
    "schema",
    "`when` of a job is one it may have; `start_in` goes with `delayed`",
    SYNTAX + "#when",
)
DURATION = Rule("duration", "schema", "Durations are well formed", SYNTAX + "#artifactsexpire_in")
IMAGE = Rule("image", "schema", "Images are well-formed references", SYNTAX + "#image")
EXPRESSION = Rule(
    "expression",
    "schema",
    "Expressions of `if` can be read",
    DOCS + "jobs/job_rules/#cicd-variable-expressions",
)
OPTION = Rule(
    "variable-option",
    "schema",
    "A variable's value is one of its options",
    SYNTAX + "#variablesoptions",
)

STAGE = Rule("stage", "references", "Every job's stage is in `stages`", SYNTAX + "#stages")
NEEDS = Rule(
    "needs",
    "references",
    "Needed jobs exist, run, and stand in the same stage or before",
    SYNTAX + "#needs",
)
DEPENDENCIES = Rule(
    "dependencies",
    "references",
    "`dependencies` names jobs of stages before, among the needed",
    SYNTAX + "#dependencies",
)
CYCLE = Rule("cycle", "references", "`needs` has no circle", SYNTAX + "#needs")
EXTENDS = Rule(
    "extends", "references", "`extends` names what is there, without a circle", SYNTAX + "#extends"
)
REFERENCE = Rule(
    "reference-tag",
    "references",
    "`!reference` leads to a keyword that is there",
    OPTIMIZATION + "#reference-tags",
)
ON_STOP = Rule(
    "on-stop",
    "references",
    "`on_stop` names a job that stops the same environment",
    SYNTAX + "#environmenton_stop",
)
INPUT = Rule(
    "input", "references", "`$[[ inputs.x ]]` names an input of the header", DOCS + "inputs/"
)
INCLUDED = Rule(
    "included",
    "references",
    "What may come from an include is not verified: it is not fetched",
    SYNTAX + "#include",
    "unsupported",
)

LATEST = Rule(
    "image-latest",
    "policy",
    "Images have a tag other than latest",
    DOCS + "docker/using_docker_images/",
    "warning",
)
SECRET = Rule(
    "plain-secret",
    "policy",
    "No secrets in plain variables",
    DOCS + "variables/#cicd-variable-security",
    "warning",
)
INCLUDE = Rule(
    "include-unpinned", "policy", "Includes of others are pinned to a version", SECURITY, "warning"
)
PIPE_TO_SHELL = Rule(
    "pipe-to-shell", "policy", "No download is piped into a shell", SECURITY, "warning"
)
LOGIN = Rule(
    "login-password",
    "policy",
    "`docker login` takes the password from standard input",
    "https://docs.docker.com/reference/cli/docker/login/#password-stdin",
    "warning",
)
DEPRECATED = Rule(
    "deprecated",
    "policy",
    "Defaults stand in `default`, conditions in `rules`",
    SYNTAX + "#deprecated-keywords",
    "info",
)

RULES = (
    YAML, SCHEMA, JOBS, SCRIPT, ONLY_RULES, WHEN, DURATION, IMAGE, EXPRESSION, OPTION, STAGE, NEEDS, DEPENDENCIES, CYCLE, EXTENDS,
    REFERENCE, ON_STOP, INPUT, INCLUDED, LATEST, SECRET, INCLUDE, PIPE_TO_SHELL, LOGIN, DEPRECATED,
)  # fmt: skip
