"""The rules for Dockerfiles, each with its source."""

from inframind.categories.base import Rule
from inframind.categories.shared import rules as duties

REFERENCE = "https://docs.docker.com/reference/dockerfile/"
HADOLINT = "https://github.com/hadolint/hadolint/wiki/"

SYNTAX = duties.SYNTAX.rule(REFERENCE + "#format", "lines are instructions with arguments")
INSTRUCTION = duties.UNKNOWN_TYPE.rule(REFERENCE + "#overview", "instructions")
FROM_FIRST = Rule(
    "from-first", "schema", "FROM comes first; only ARG may stand before it", REFERENCE + "#from"
)
FROM = duties.INVALID_ARGUMENTS.rule(
    REFERENCE + "#from", "FROM names an image and at most an alias"
)
FLAG = duties.UNKNOWN_FIELD.rule(REFERENCE + "#overview", "flags of the instruction")
COPY = duties.INVALID_ARGUMENTS.rule(REFERENCE + "#copy", "COPY and ADD have sources and a target")
EXPOSE = duties.INVALID_PORT.rule(REFERENCE + "#expose", "EXPOSE")
KEY_VALUE = duties.INVALID_ARGUMENTS.rule(REFERENCE + "#env", "ENV and LABEL have KEY=value")
ARGUMENT = duties.INVALID_ARGUMENTS.rule(
    REFERENCE + "#overview", "an instruction has as many as it needs"
)
JSON_FORM = duties.INVALID_ARGUMENTS.rule(
    REFERENCE + "#shell-and-exec-form", "the exec form is a JSON list of texts"
)
HEALTHCHECK = duties.INVALID_ARGUMENTS.rule(
    REFERENCE + "#healthcheck", "HEALTHCHECK is NONE or CMD with durations"
)
STOPSIGNAL = duties.INVALID_VALUE.rule(REFERENCE + "#stopsignal", "STOPSIGNAL is a signal")
STAGE = duties.UNDEFINED.rule(REFERENCE + "#copy---from", "copied stages, before")
DUPLICATE_STAGE = duties.DUPLICATE.rule(REFERENCE + "#from", "stages")

ROOT = duties.RUN_AS_ROOT.rule(HADOLINT + "DL3002", "the last USER")
LATEST = duties.UNPINNED.rule(HADOLINT + "DL3006", "images have a tag other than latest")
ADD = Rule("add-for-copy", "policy", "COPY, not ADD, for plain files", HADOLINT + "DL3020", "info")
APT_YES = Rule(
    "apt-get-yes", "policy", "apt-get install runs with -y", HADOLINT + "DL3014", "warning"
)
SECRET = duties.PLAIN_SECRET.rule(
    "https://docs.docker.com/reference/build-checks/secrets-used-in-arg-or-env/", "ENV and ARG"
)
PIPE = duties.PIPE_TO_SHELL.rule(HADOLINT + "DL4006")
MAINTAINER = duties.DEPRECATED.rule(HADOLINT + "DL4000", "MAINTAINER")

RULES = duties.declared(vars())
