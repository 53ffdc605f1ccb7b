"""The rules for Dockerfiles, each with its source."""

from inframind.categories.base import Rule

REFERENCE = "https://docs.docker.com/reference/dockerfile/"
HADOLINT = "https://github.com/hadolint/hadolint/wiki/"

SYNTAX = Rule("syntax", "parse", "Lines are instructions with arguments", REFERENCE + "#format")
INSTRUCTION = Rule(
    "unknown-instruction", "schema", "The instruction exists", REFERENCE + "#overview"
)
FROM_FIRST = Rule(
    "from-first", "schema", "FROM comes first; only ARG may stand before it", REFERENCE + "#from"
)
FROM = Rule("from", "schema", "FROM names an image and at most an alias", REFERENCE + "#from")
FLAG = Rule(
    "unknown-flag", "schema", "The flag exists for the instruction", REFERENCE + "#overview"
)
COPY = Rule("copy", "schema", "COPY and ADD have sources and a target", REFERENCE + "#copy")
EXPOSE = Rule("expose", "schema", "EXPOSE has ports", REFERENCE + "#expose")
KEY_VALUE = Rule("key-value", "schema", "ENV and LABEL have KEY=value", REFERENCE + "#env")
ARGUMENT = Rule(
    "argument",
    "schema",
    "The instruction has the number of arguments that it needs",
    REFERENCE + "#overview",
)
JSON_FORM = Rule(
    "json-form",
    "schema",
    "The exec form is a JSON list of texts",
    REFERENCE + "#shell-and-exec-form",
)
HEALTHCHECK = Rule(
    "healthcheck", "schema", "HEALTHCHECK is NONE or CMD with durations", REFERENCE + "#healthcheck"
)
STOPSIGNAL = Rule("stopsignal", "schema", "STOPSIGNAL is a signal", REFERENCE + "#stopsignal")
STAGE = Rule("stage", "references", "Copied stages are defined before", REFERENCE + "#copy---from")
DUPLICATE_STAGE = Rule(
    "duplicate-stage", "references", "Stage names are unique", REFERENCE + "#from"
)

ROOT = Rule("root-user", "policy", "The last USER is not root", HADOLINT + "DL3002", "warning")
LATEST = Rule(
    "image-latest", "policy", "Images have a tag other than latest", HADOLINT + "DL3006", "warning"
)
ADD = Rule("add-for-copy", "policy", "COPY, not ADD, for plain files", HADOLINT + "DL3020", "info")
APT_YES = Rule(
    "apt-get-yes", "policy", "apt-get install runs with -y", HADOLINT + "DL3014", "warning"
)
SECRET = Rule(
    "plain-secret",
    "policy",
    "No secrets in ENV or ARG",
    "https://docs.docker.com/reference/build-checks/secrets-used-in-arg-or-env/",
    "warning",
)
PIPE = Rule(
    "curl-pipe-shell", "policy", "No download is piped into a shell", HADOLINT + "DL4006", "warning"
)
MAINTAINER = Rule("maintainer", "policy", "MAINTAINER is deprecated", HADOLINT + "DL4000", "info")

RULES = (
    SYNTAX, INSTRUCTION, FROM_FIRST, FROM, FLAG, COPY, EXPOSE, KEY_VALUE, ARGUMENT, JSON_FORM, HEALTHCHECK, STOPSIGNAL, STAGE,
    DUPLICATE_STAGE, ROOT, LATEST, ADD, APT_YES, SECRET, PIPE, MAINTAINER,
)  # fmt: skip
