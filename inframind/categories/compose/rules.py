"""The rules for Compose files, each with its source."""

from inframind.categories.base import Rule
from inframind.categories.shared import rules as duties

SPEC = "https://github.com/compose-spec/compose-spec/blob/main/"
SERVICES = SPEC + "05-services.md"

YAML = duties.SYNTAX.rule("https://yaml.org/spec/1.2.2/", "one YAML mapping")
FIELDS = duties.field_rules(SPEC + "schema/compose-spec.json", "the Compose specification")
SERVICE = duties.MISSING_FIELD.rule(SERVICES, "at least one service")
IMAGE_OR_BUILD = duties.MISSING_FIELD.rule(
    SERVICES + "#image", "an image or a build of every service"
)
IMAGE = duties.INVALID_IMAGE.rule(SERVICES + "#image")
PORT = duties.INVALID_PORT.rule(SERVICES + "#ports", "published ports")
VOLUME = Rule("invalid-volume", "schema", "Volume strings are well formed", SERVICES + "#volumes")
RESTART = duties.INVALID_VALUE.rule(SERVICES + "#restart", "`restart`")
DURATION = duties.INVALID_DURATION.rule(SPEC + "11-extension.md#specifying-durations")
UNDEFINED = duties.UNDEFINED.rule(
    SPEC + "06-networks.md", "networks, volumes, secrets, configs and services"
)
CYCLE = duties.CYCLE.rule(SERVICES + "#depends_on", "`depends_on`")

PRIVILEGED = duties.PRIVILEGED.rule(SERVICES + "#privileged", "services, Docker's socket")
LATEST = duties.UNPINNED.rule(SERVICES + "#image", "images have a tag other than latest")
SECRET = duties.PLAIN_SECRET.rule(SPEC + "09-secrets.md", "environment values")
PIPE_TO_SHELL = duties.PIPE_TO_SHELL.rule(
    SERVICES + "#command", "commands, entrypoints and health checks"
)
VERSION = duties.DEPRECATED.rule(SPEC + "04-version-and-name.md", "`version`")

RULES = duties.declared(vars())
