"""The rules for GitLab CI pipelines, each with its source."""

from inframind.categories.shared import rules as duties

DOCS = "https://docs.gitlab.com/ci/"
SYNTAX = DOCS + "yaml/"
OPTIMIZATION = SYNTAX + "yaml_optimization/"
SECURITY = DOCS + "pipelines/pipeline_security/"

YAML = duties.SYNTAX.rule(
    "https://yaml.org/spec/1.2.2/", "one YAML mapping, or a `spec` header and one"
)
FIELDS = duties.field_rules(SYNTAX, "GitLab's schema, also after `extends`")
JOBS = duties.MISSING_FIELD.rule(DOCS + "jobs/#hide-a-job", "at least one job that is not hidden")
SCRIPT = duties.MISSING_FIELD.rule(SYNTAX + "#script", "script, run or trigger of every job")
ONLY_ONE = duties.COMBINATION.rule(
    SYNTAX + "#rules", "one of script, run and trigger; rules without only; start_in with delayed"
)
WHEN = duties.INVALID_VALUE.rule(SYNTAX + "#when", "`when` of a job")
DURATION = duties.INVALID_DURATION.rule(SYNTAX + "#artifactsexpire_in")
IMAGE = duties.INVALID_IMAGE.rule(SYNTAX + "#image")
EXPRESSION = duties.INVALID_EXPRESSION.rule(
    DOCS + "jobs/job_rules/#cicd-variable-expressions", "`if`"
)
OPTION = duties.INVALID_VALUE.rule(SYNTAX + "#variablesoptions", "options of a variable")
STAGE = duties.UNDEFINED.rule(SYNTAX + "#stages", "every job's stage")
NEEDS = duties.UNDEFINED.rule(
    SYNTAX + "#needs", "needed jobs, which run in the same stage or before"
)
DEPENDENCIES = duties.UNDEFINED.rule(
    SYNTAX + "#dependencies", "jobs of `dependencies`, of stages before and among the needed"
)
CYCLE = duties.CYCLE.rule(SYNTAX + "#needs", "`needs` and `extends`")
EXTENDS = duties.UNDEFINED.rule(SYNTAX + "#extends", "what `extends` names")
REFERENCE = duties.UNDEFINED.rule(OPTIMIZATION + "#reference-tags", "keywords of `!reference`")
ON_STOP = duties.UNDEFINED.rule(
    SYNTAX + "#environmenton_stop", "the job of `on_stop`, which stops the same environment"
)
INPUT = duties.UNDEFINED.rule(DOCS + "inputs/", "inputs of the header")
INCLUDED = duties.NOT_VERIFIED.rule(
    SYNTAX + "#include", "what may come from an include", rung="references"
)

LATEST = duties.UNPINNED.rule(
    DOCS + "docker/using_docker_images/", "images have a tag other than latest"
)
SECRET = duties.PLAIN_SECRET.rule(DOCS + "variables/#cicd-variable-security", "variables")
INCLUDE = duties.UNPINNED.rule(SECURITY, "includes of others")
PIPE_TO_SHELL = duties.PIPE_TO_SHELL.rule(SECURITY)
LOGIN = duties.EXPOSED_SECRET.rule(
    "https://docs.docker.com/reference/cli/docker/login/#password-stdin",
    "`docker login` reads the password from standard input",
)
DEPRECATED = duties.DEPRECATED.rule(
    SYNTAX + "#deprecated-keywords", "defaults stand in `default`, conditions in `rules`"
)

RULES = duties.declared(vars())
