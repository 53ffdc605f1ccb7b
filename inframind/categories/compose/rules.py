"""The rules for Compose files, each with its source."""

from inframind.categories.base import Rule

SPEC = "https://github.com/compose-spec/compose-spec/blob/main/"
SERVICES = SPEC + "05-services.md"

YAML = Rule("yaml", "parse", "The text is one YAML mapping", "https://yaml.org/spec/1.2.2/")
SCHEMA = Rule(
    "schema",
    "schema",
    "Keys and types are those of the Compose specification",
    SPEC + "schema/compose-spec.json",
)
SERVICE = Rule("service-required", "schema", "There is at least one service", SERVICES)
IMAGE_OR_BUILD = Rule(
    "image-or-build", "schema", "Every service has an image or a build", SERVICES + "#image"
)
IMAGE = Rule("image", "schema", "Images are well-formed references", SERVICES + "#image")
PORT = Rule("port", "schema", "Published ports are well formed", SERVICES + "#ports")
VOLUME = Rule("volume", "schema", "Volume strings are well formed", SERVICES + "#volumes")
RESTART = Rule("restart", "schema", "`restart` is a known policy", SERVICES + "#restart")
DURATION = Rule(
    "duration", "schema", "Durations are well formed", SPEC + "11-extension.md#specifying-durations"
)
UNDEFINED = Rule(
    "undefined",
    "references",
    "Networks, volumes, secrets, configs and services exist",
    SPEC + "06-networks.md",
)
CYCLE = Rule("cycle", "references", "`depends_on` has no cycle", SERVICES + "#depends_on")

PRIVILEGED = Rule(
    "privileged",
    "policy",
    "No privileged services, no Docker socket",
    SERVICES + "#privileged",
    "warning",
)
LATEST = Rule(
    "image-latest", "policy", "Images have a tag other than latest", SERVICES + "#image", "warning"
)
SECRET = Rule(
    "plain-secret",
    "policy",
    "No secrets in plain environment values",
    SPEC + "09-secrets.md",
    "warning",
)
VERSION = Rule(
    "version-obsolete", "policy", "`version` is obsolete", SPEC + "04-version-and-name.md", "info"
)

RULES = (
    YAML, SCHEMA, SERVICE, IMAGE_OR_BUILD, IMAGE, PORT, VOLUME, RESTART, DURATION, UNDEFINED, CYCLE, PRIVILEGED, LATEST, SECRET,
    VERSION,
)  # fmt: skip
