"""The rules for Jenkins' declarative pipelines, each with its source."""

from inframind.categories.base import Rule
from inframind.categories.shared import rules as duties

BOOK = "https://www.jenkins.io/doc/book/pipeline/"
SYNTAX = BOOK + "syntax/"
STEPS = "https://www.jenkins.io/doc/pipeline/steps/"

GROOVY = duties.SYNTAX.rule(
    "https://groovy-lang.org/syntax.html", "strings, comments and brackets are closed"
)
PIPELINE = duties.WRONG_DOCUMENT.rule(SYNTAX + "#declarative-pipeline", "one `pipeline` block")
SCRIPTED = duties.NOT_VERIFIED.rule(
    SYNTAX + "#scripted-pipeline", "scripted pipelines are programs", rung="parse"
)
SECTION = duties.UNKNOWN_FIELD.rule(SYNTAX, "sections and directives")
REQUIRED = duties.MISSING_FIELD.rule(
    SYNTAX + "#stages", "agent and stages of a pipeline, one kind of content of a stage"
)
AGENT = Rule(
    "agent", "schema", "Agents are of a known kind with the fields of that kind", SYNTAX + "#agent"
)
STAGE_NAME = duties.INVALID_NAME.rule(SYNTAX + "#stage", "a stage is called by a text")
REPEATED = duties.DUPLICATE.rule(
    SYNTAX, "sections of an owner, stages among siblings", rung="schema"
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
TRIGGER = duties.INVALID_CRON.rule(SYNTAX + "#jenkins-cron-syntax", "`cron` and `pollSCM`")
PARAMETER = duties.INVALID_PARAMETER.rule(SYNTAX + "#parameters")
ENVIRONMENT = Rule(
    "environment",
    "schema",
    "`environment` assigns texts or calls to names",
    SYNTAX + "#environment",
)
WHEN = Rule("when", "schema", "Conditions of `when` are known and complete", SYNTAX + "#when")
INPUT = Rule("input", "schema", "`input` has a message and known fields", SYNTAX + "#input")
STEP = duties.INVALID_ARGUMENTS.rule(STEPS, "steps")
CODE = Rule("code-in-steps", "schema", "Groovy code stands in `script` blocks", SYNTAX + "#script")
PLUGIN = duties.NOT_VERIFIED.rule(STEPS, "steps, options and agents of other plugins or libraries")
UNDEFINED_PARAMETER = duties.UNDEFINED.rule(
    SYNTAX + "#parameters", "parameters that `params` names"
)
STASH = duties.UNDEFINED.rule(
    STEPS + "workflow-basic-steps/#unstash-restore-files-previously-stashed",
    "what is unstashed was stashed before",
)
NO_AGENT = Rule("no-agent", "references", "Steps that need a node have one", SYNTAX + "#agent")
DUPLICATE = duties.DUPLICATE.rule(SYNTAX + "#parameters", "parameters and axes")

CREDENTIALS = BOOK + "jenkinsfile/#handling-credentials"

LATEST = duties.UNPINNED.rule(BOOK + "docker/", "images of agents have a tag other than latest")
SECRET = duties.PLAIN_SECRET.rule(CREDENTIALS, "`environment` values")
INTERPOLATION = duties.EXPOSED_SECRET.rule(
    BOOK + "jenkinsfile/#string-interpolation", "Groovy does not interpolate them"
)
INJECTION = duties.INJECTION.rule(BOOK + "jenkinsfile/#injection-via-interpolation", "parameters")
PIPE_TO_SHELL = duties.PIPE_TO_SHELL.rule(BOOK + "pipeline-best-practices/")
NO_TIMEOUT = Rule("no-timeout", "policy", "The pipeline has a timeout", SYNTAX + "#options", "info")

RULES = duties.declared(vars())
