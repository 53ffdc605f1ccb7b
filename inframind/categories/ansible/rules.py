"""The rules for Ansible playbooks and task files, each with its source."""

from inframind.categories.base import Rule
from inframind.categories.shared import rules as duties

DOCS = "https://docs.ansible.com/projects/ansible/latest/"
GUIDE = DOCS + "playbook_guide/"
KEYWORDS = DOCS + "reference_appendices/playbooks_keywords.html"
MODULES = DOCS + "collections/index_module.html"
LINT = "https://docs.ansible.com/projects/lint/rules/"

YAML = duties.SYNTAX.rule(DOCS + "reference_appendices/YAMLSyntax.html", "YAML")
DOCUMENT = duties.WRONG_DOCUMENT.rule(
    GUIDE + "playbooks_intro.html", "a list of plays, or of tasks"
)
KEYWORD = duties.UNKNOWN_FIELD.rule(KEYWORDS, "keywords of plays, blocks, tasks and roles")
KEYWORD_TYPE = duties.WRONG_TYPE.rule(KEYWORDS, "keywords")
HOSTS = duties.MISSING_FIELD.rule(
    GUIDE + "playbooks_intro.html#hosts-and-users", "hosts of every play"
)
MODULE = duties.MISSING_FIELD.rule(
    GUIDE + "playbooks_intro.html#tasks-list", "the module of every task"
)
MODULE_COUNT = duties.COMBINATION.rule(
    GUIDE + "playbooks_intro.html#tasks-list", "one module of a task; rescue and always of a block"
)
UNKNOWN = duties.UNKNOWN_TYPE.rule(MODULES, "modules of their collection")
FOREIGN = duties.NOT_VERIFIED.rule(
    DOCS + "collections/", "modules of collections that are not known"
)
OPTION = duties.UNKNOWN_FIELD.rule(MODULES, "options of the module")
OPTION_TYPE = duties.WRONG_TYPE.rule(
    DOCS + "dev_guide/developing_program_flow_modules.html#argument-spec", "options"
)
CHOICE = duties.INVALID_VALUE.rule(MODULES, "options with choices")
REQUIRED = duties.MISSING_FIELD.rule(MODULES, "options")
COMBINATION = duties.COMBINATION.rule(
    DOCS + "dev_guide/developing_program_flow_modules.html#dependencies-between-module-options",
    "options",
)
VARIABLE = duties.INVALID_NAME.rule(
    GUIDE + "playbooks_variables.html#creating-valid-variable-names", "variables"
)
LOOP = duties.COMBINATION.rule(GUIDE + "playbooks_loops.html", "one loop of a task")
TEMPLATE = duties.INVALID_EXPRESSION.rule(
    GUIDE + "playbooks_templating.html", "templates and conditions", rung="references"
)
PLUGIN = duties.INVALID_ARGUMENTS.rule(
    GUIDE + "playbooks_filters.html", "filters, tests and lookups exist", rung="references"
)
FOREIGN_PLUGIN = duties.NOT_VERIFIED.rule(
    DOCS + "collections/", "filters of collections that are not known", rung="references"
)
HANDLER = duties.UNDEFINED.rule(GUIDE + "playbooks_handlers.html", "notified handlers")
REGISTERED = duties.UNDEFINED.rule(
    GUIDE + "playbooks_variables.html#registering-variables",
    "results are registered before they are used",
)
ITEM = duties.UNDEFINED.rule(GUIDE + "playbooks_loops.html", "loop variables, inside their loop")

SECRET = duties.PLAIN_SECRET.rule(DOCS + "vault_guide/index.html", "passwords")
NO_LOG = duties.EXPOSED_SECRET.rule(
    LINT + "no-log-password/", "tasks that loop over passwords have no_log"
)
LATEST = duties.UNPINNED.rule(LINT + "package-latest/", "packages are not installed as latest")
IMAGE = duties.UNPINNED.rule(
    "https://docs.docker.com/build/building/best-practices/", "images have a tag other than latest"
)
MODE = Rule(
    "risky-permissions",
    "policy",
    "Files are not writable by everybody",
    LINT + "risky-file-permissions/",
    "warning",
)
OCTAL = Rule(
    "risky-octal", "policy", "Modes are quoted octal texts", LINT + "risky-octal/", "warning"
)
SHELL = Rule(
    "command-instead-of-module",
    "policy",
    "A module instead of a command",
    LINT + "command-instead-of-module/",
    "warning",
)
PIPE = duties.PIPE_TO_SHELL.rule(LINT + "command-instead-of-module/")
CERTS = duties.INSECURE_TLS.rule(DOCS + "collections/ansible/builtin/get_url_module.html")
IGNORE = Rule(
    "ignore-errors", "policy", "Errors are handled, not ignored", LINT + "ignore-errors/", "info"
)
NAME = duties.NO_NAME.rule(LINT + "name/", "plays and tasks")
FQCN = Rule("fqcn", "policy", "Modules are written with their collection", LINT + "fqcn/", "info")

RULES = duties.declared(vars())
