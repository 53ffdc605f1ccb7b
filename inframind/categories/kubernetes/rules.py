"""The rules for Kubernetes manifests, each with its source."""

from inframind.categories.base import Rule
from inframind.categories.shared import rules as duties

API = "https://kubernetes.io/docs/reference/kubernetes-api/"
CONCEPTS = "https://kubernetes.io/docs/concepts/"
OBJECTS = CONCEPTS + "overview/working-with-objects/"

YAML = duties.SYNTAX.rule("https://yaml.org/spec/1.2.2/", "YAML")
NO_OBJECT = duties.WRONG_DOCUMENT.rule(OBJECTS, "at least one object, and each is a mapping")
REQUIRED = duties.MISSING_FIELD.rule(OBJECTS, "`apiVersion`, `kind` and a name")
UNKNOWN_VERSION = Rule(
    "unknown-version",
    "schema",
    "The kind exists in that apiVersion",
    "https://kubernetes.io/docs/reference/using-api/deprecation-guide/",
)
UNKNOWN_KIND = duties.UNKNOWN_TYPE.rule(API, "kinds of the built-in API groups")
FOREIGN = duties.NOT_VERIFIED.rule(API, "custom resources")
FIELDS = duties.field_rules(API, "the OpenAPI definition")
NAME = duties.INVALID_NAME.rule(OBJECTS + "names/", "`metadata.name` is a DNS name")
LABEL = duties.INVALID_LABEL.rule(OBJECTS + "labels/", "keys and values")
IMAGE = duties.INVALID_IMAGE.rule(CONCEPTS + "containers/images/", "every container has one")
PORT = duties.INVALID_PORT.rule(API + "service-resources/service-v1/", "1 to 65535")
QUANTITY = Rule(
    "invalid-quantity", "schema", "Quantities are well formed", API + "common-definitions/quantity/"
)
CRON = duties.INVALID_CRON.rule(CONCEPTS + "workloads/controllers/cron-jobs/", "`schedule`")
RESTART = duties.INVALID_VALUE.rule(
    CONCEPTS + "workloads/pods/pod-lifecycle/",
    "restartPolicy is one that the workload's kind allows",
)
SELECTOR = Rule(
    "selector",
    "references",
    "The selector matches the template's labels",
    CONCEPTS + "workloads/controllers/deployment/",
)
VOLUME = duties.UNDEFINED.rule(CONCEPTS + "storage/volumes/", "the volume of every mount")
DUPLICATE = duties.DUPLICATE.rule(OBJECTS + "names/")
TARGET_PORT = duties.UNDEFINED.rule(CONCEPTS + "workloads/pods/", "ports that probes name")
LIMITS = duties.INVERTED_BOUNDS.rule(
    CONCEPTS + "configuration/manage-resources-containers/", "requests and limits"
)
SCALE = duties.INVERTED_BOUNDS.rule(API, "minReplicas and maxReplicas")

BASELINE = CONCEPTS + "security/pod-security-standards/"

PRIVILEGED = duties.PRIVILEGED.rule(BASELINE, "containers, host namespaces")
RUN_AS_ROOT = duties.RUN_AS_ROOT.rule(BASELINE, "they say so")
LATEST = duties.UNPINNED.rule(
    CONCEPTS + "containers/images/", "images have a tag other than latest"
)
NO_LIMITS = Rule(
    "no-limits",
    "policy",
    "Containers have resource limits",
    CONCEPTS + "configuration/manage-resources-containers/",
    "info",
)
NO_PROBE = Rule(
    "no-probe",
    "policy",
    "Long-running containers have a readiness probe",
    CONCEPTS + "workloads/pods/probes/",
    "info",
)
SECRET = duties.PLAIN_SECRET.rule(CONCEPTS + "configuration/secret/", "environment values")

RULES = duties.declared(vars())
