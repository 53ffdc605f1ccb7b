"""The rules for Jenkins' declarative pipelines, each with its source."""

from inframind.categories.base import Rule

BOOK = "https://www.jenkins.io/doc/book/pipeline/"
SYNTAX = BOOK + "syntax/"
STEPS = "https://www.jenkins.io/doc/pipeline/steps/"

GROOVY = Rule(
    "groovy",
    "parse",
    "Strings, comments and brackets are closed",
    "https://groovy-lang.org/syntax.html",
)
PIPELINE = Rule(
    "pipeline-required", "parse", "There is one `pipeline` block", SYNTAX + "#declarative-pipeline"
)
SCRIPTED = Rule(
    "scripted",
    "parse",
    "Scripted pipelines are programs: not verified",
    SYNTAX + "#scripted-pipeline",
    "unsupported",
)

SECTION = Rule(
    "section",
    "schema",
    "Sections and directives are known, stand where they may, and stand once",
    SYNTAX,
)
REQUIRED = Rule(
    "required-section",
    "schema",
    "A pipeline has agent and stages, a stage has one kind of content",
    SYNTAX + "#stages",
)
AGENT = Rule(
    "agent", "schema", "Agents are of a known kind with the fields of that kind", SYNTAX + "#agent"
)
STAGE_NAME = Rule(
    "stage-name", "schema", "Stages have names that differ among siblings", SYNTAX + "#stage"
)
PARALLEL = Rule(
    "parallel",
    "schema",
    "Parallel stages are not nested and have no agent of their own",
    SYNTAX + "#parallel",
)
MATRIX = Rule(
    "matrix", "schema", "A matrix has axes with values, and stages", SYNTAX + "#declarative-matrix"
)
POST = Rule(
    "post-condition", "schema", "Conditions of `post` are known and have steps", SYNTAX + "#post"
)
OPTION = Rule(
    "option", "schema", "Options stand where they may, with what they need", SYNTAX + "#options"
)
TRIGGER = Rule(
    "cron",
    "schema",
    "Schedules of `cron` and `pollSCM` have five valid fields",
    SYNTAX + "#jenkins-cron-syntax",
)
PARAMETER = Rule(
    "parameter",
    "schema",
    "Parameters are of a known kind, with a name and what the kind needs",
    SYNTAX + "#parameters",
)
ENVIRONMENT = Rule(
    "environment",
    "schema",
    "`environment` assigns texts or calls to names",
    SYNTAX + "#environment",
)
WHEN = Rule("when", "schema", "Conditions of `when` are known and complete", SYNTAX + "#when")
INPUT = Rule("input", "schema", "`input` has a message and known fields", SYNTAX + "#input")
STEP = Rule("step", "schema", "Steps have the arguments that they need and no others", STEPS)
CODE = Rule("code-in-steps", "schema", "Groovy code stands in `script` blocks", SYNTAX + "#script")
PLUGIN = Rule(
    "plugin",
    "schema",
    "Steps, options and agents of other plugins or libraries are not verified",
    STEPS,
    "unsupported",
)

UNDEFINED_PARAMETER = Rule(
    "undefined-parameter",
    "references",
    "`params` names declared parameters",
    SYNTAX + "#parameters",
)
STASH = Rule(
    "stash",
    "references",
    "What is unstashed was stashed before",
    STEPS + "workflow-basic-steps/#unstash-restore-files-previously-stashed",
)
NO_AGENT = Rule("no-agent", "references", "Steps that need a node have one", SYNTAX + "#agent")
DUPLICATE = Rule(
    "duplicate", "references", "Parameters and axes have names of their own", SYNTAX + "#parameters"
)

CREDENTIALS = BOOK + "jenkinsfile/#handling-credentials"
LATEST = Rule(
    "image-latest",
    "policy",
    "Images of agents have a tag other than latest",
    BOOK + "docker/",
    "warning",
)
SECRET = Rule(
    "plain-secret", "policy", "No secrets in plain `environment` values", CREDENTIALS, "warning"
)
INTERPOLATION = Rule(
    "secret-interpolation",
    "policy",
    "Secrets are not interpolated by Groovy",
    BOOK + "jenkinsfile/#string-interpolation",
    "warning",
)
INJECTION = Rule(
    "parameter-injection",
    "policy",
    "Parameters are not interpolated into commands",
    BOOK + "jenkinsfile/#injection-via-interpolation",
    "warning",
)
PIPE_TO_SHELL = Rule(
    "pipe-to-shell",
    "policy",
    "No download is piped into a shell",
    BOOK + "pipeline-best-practices/",
    "warning",
)
NO_TIMEOUT = Rule("no-timeout", "policy", "The pipeline has a timeout", SYNTAX + "#options", "info")

RULES = (
    GROOVY, PIPELINE, SCRIPTED, SECTION, REQUIRED, AGENT, STAGE_NAME, PARALLEL, MATRIX, POST, OPTION, TRIGGER, PARAMETER,
    ENVIRONMENT, WHEN, INPUT, STEP, CODE, PLUGIN, UNDEFINED_PARAMETER, STASH, NO_AGENT, DUPLICATE, LATEST, SECRET, INTERPOLATION,
    INJECTION, PIPE_TO_SHELL, NO_TIMEOUT,
)  # fmt: skip
