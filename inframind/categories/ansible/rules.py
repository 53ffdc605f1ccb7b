"""The rules for Ansible playbooks and task files, each with its source."""

from inframind.categories.base import Rule

DOCS = "https://docs.ansible.com/projects/ansible/latest/"
GUIDE = DOCS + "playbook_guide/"
KEYWORDS = DOCS + "reference_appendices/playbooks_keywords.html"
MODULES = DOCS + "collections/index_module.html"
LINT = "https://docs.ansible.com/projects/lint/rules/"

YAML = Rule("yaml", "parse", "The text is YAML", DOCS + "reference_appendices/YAMLSyntax.html")
DOCUMENT = Rule(
    "list-required",
    "parse",
    "A playbook is a list of plays, a task file a list of tasks",
    GUIDE + "playbooks_intro.html",
)
KEYWORD = Rule("keyword", "schema", "Plays, blocks, tasks and roles use known keywords", KEYWORDS)
KEYWORD_TYPE = Rule("keyword-type", "schema", "Keywords have values of their type", KEYWORDS)
HOSTS = Rule(
    "hosts-required",
    "schema",
    "Every play names its hosts",
    GUIDE + "playbooks_intro.html#hosts-and-users",
)
MODULE_COUNT = Rule(
    "module-count",
    "schema",
    "Every task calls exactly one module",
    GUIDE + "playbooks_intro.html#tasks-list",
)
UNKNOWN = Rule("unknown-module", "schema", "The module exists in its collection", MODULES)
FOREIGN = Rule(
    "foreign-collection", "schema", "Modules of collections that are not known are not verified", DOCS + "collections/",
    "unsupported",
)  # fmt: skip
OPTION = Rule("option", "schema", "The module has the option", MODULES)
OPTION_TYPE = Rule(
    "option-type",
    "schema",
    "Options have values of their type",
    DOCS + "dev_guide/developing_program_flow_modules.html#argument-spec",
)
CHOICE = Rule("choice", "schema", "Options with choices have one of them", MODULES)
REQUIRED = Rule("option-required", "schema", "Required options are given", MODULES)
COMBINATION = Rule(
    "option-combination", "schema", "Options that need or exclude one another do so",
    DOCS + "dev_guide/developing_program_flow_modules.html#dependencies-between-module-options",
)  # fmt: skip
VARIABLE = Rule(
    "variable-name",
    "schema",
    "Variables have valid names",
    GUIDE + "playbooks_variables.html#creating-valid-variable-names",
)
LOOP = Rule("loop", "schema", "A task has one loop over a list", GUIDE + "playbooks_loops.html")

TEMPLATE = Rule(
    "template", "references", "Templates and conditions parse", GUIDE + "playbooks_templating.html"
)
PLUGIN = Rule(
    "unknown-plugin",
    "references",
    "Filters, tests and lookups exist",
    GUIDE + "playbooks_filters.html",
)
FOREIGN_PLUGIN = Rule(
    "foreign-plugin", "references", "Filters of collections that are not known are not verified", DOCS + "collections/",
    "unsupported",
)  # fmt: skip
HANDLER = Rule(
    "handler", "references", "Notified handlers exist", GUIDE + "playbooks_handlers.html"
)
REGISTERED = Rule(
    "registered", "references", "Results are registered before they are used",
    GUIDE + "playbooks_variables.html#registering-variables",
)  # fmt: skip
ITEM = Rule(
    "item",
    "references",
    "Loop variables are used inside their loop",
    GUIDE + "playbooks_loops.html",
)

SECRET = Rule(
    "plain-secret",
    "policy",
    "No passwords in plain text",
    DOCS + "vault_guide/index.html",
    "warning",
)
NO_LOG = Rule(
    "no-log-password",
    "policy",
    "Tasks that loop over passwords have no_log",
    LINT + "no-log-password/",
    "warning",
)
LATEST = Rule(
    "package-latest",
    "policy",
    "Packages are not installed as `latest`",
    LINT + "package-latest/",
    "warning",
)
IMAGE = Rule(
    "image-latest",
    "policy",
    "Container images have a fixed tag",
    "https://docs.docker.com/build/building/best-practices/",
    "warning",
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
PIPE = Rule(
    "download-to-shell",
    "policy",
    "No download goes straight into a shell",
    LINT + "command-instead-of-module/",
    "warning",
)
CERTS = Rule(
    "validate-certs",
    "policy",
    "Certificates are validated",
    DOCS + "collections/ansible/builtin/get_url_module.html",
    "warning",
)
IGNORE = Rule(
    "ignore-errors", "policy", "Errors are handled, not ignored", LINT + "ignore-errors/", "info"
)
NAME = Rule("name", "policy", "Plays and tasks have names", LINT + "name/", "info")
FQCN = Rule("fqcn", "policy", "Modules are written with their collection", LINT + "fqcn/", "info")

RULES = (
    YAML, DOCUMENT, KEYWORD, KEYWORD_TYPE, HOSTS, MODULE_COUNT, UNKNOWN, FOREIGN, OPTION, OPTION_TYPE, CHOICE, REQUIRED,
    COMBINATION, VARIABLE, LOOP, TEMPLATE, PLUGIN, FOREIGN_PLUGIN, HANDLER, REGISTERED, ITEM, SECRET, NO_LOG, LATEST,
    IMAGE, MODE, OCTAL, SHELL,
    PIPE, CERTS, IGNORE, NAME, FQCN,
)  # fmt: skip
