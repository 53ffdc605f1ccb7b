"""The rules for Kubernetes manifests, each with its source."""

from inframind.categories.base import Rule

API = "https://kubernetes.io/docs/reference/kubernetes-api/"
CONCEPTS = "https://kubernetes.io/docs/concepts/"
OBJECTS = CONCEPTS + "overview/working-with-objects/"

YAML = Rule("yaml", "parse", "The text is YAML", "https://yaml.org/spec/1.2.2/")
NO_OBJECT = Rule(
    "no-object", "parse", "There is at least one object, and each is a mapping", OBJECTS
)
KIND = Rule("kind-required", "schema", "`apiVersion` and `kind` are given", OBJECTS)
UNKNOWN_VERSION = Rule(
    "unknown-version",
    "schema",
    "The kind exists in that apiVersion",
    "https://kubernetes.io/docs/reference/using-api/deprecation-guide/",
)
UNKNOWN_KIND = Rule("unknown-kind", "schema", "The kind exists in the built-in API group", API)
FOREIGN = Rule("foreign-kind", "schema", "Custom resources are not verified", API, "unsupported")
SCHEMA = Rule("schema", "schema", "Fields and types are those of the OpenAPI definition", API)
NAME = Rule("name", "schema", "`metadata.name` is a DNS name", OBJECTS + "names/")
LABEL = Rule("label", "schema", "Label keys and values are well formed", OBJECTS + "labels/")
IMAGE = Rule(
    "image", "schema", "Every container has a well-formed image", CONCEPTS + "containers/images/"
)
PORT = Rule("port", "schema", "Ports are 1 to 65535", API + "service-resources/service-v1/")
QUANTITY = Rule(
    "quantity", "schema", "Quantities are well formed", API + "common-definitions/quantity/"
)
ENUM = Rule("enum", "schema", "Closed sets of values are kept", API)
CRON = Rule(
    "cron",
    "schema",
    "`schedule` has five valid fields",
    CONCEPTS + "workloads/controllers/cron-jobs/",
)
RESTART = Rule(
    "restart-policy",
    "schema",
    "A workload's restartPolicy is one its kind allows",
    CONCEPTS + "workloads/pods/pod-lifecycle/",
)
SELECTOR = Rule(
    "selector",
    "references",
    "The selector matches the template's labels",
    CONCEPTS + "workloads/controllers/deployment/",
)
VOLUME = Rule(
    "volume", "references", "Every mount has its volume in the pod", CONCEPTS + "storage/volumes/"
)
DUPLICATE = Rule(
    "duplicate", "references", "Names are unique where they must be", OBJECTS + "names/"
)
TARGET_PORT = Rule(
    "named-port",
    "references",
    "A port named by a probe exists in its container",
    CONCEPTS + "workloads/pods/",
)
LIMITS = Rule(
    "limits",
    "references",
    "A request is not above its limit",
    CONCEPTS + "configuration/manage-resources-containers/",
)
SCALE = Rule("scale", "references", "minReplicas is not above maxReplicas", API)

BASELINE = CONCEPTS + "security/pod-security-standards/"
PRIVILEGED = Rule(
    "privileged", "policy", "No privileged containers, no host namespaces", BASELINE, "warning"
)
RUN_AS_ROOT = Rule(
    "run-as-root", "policy", "Containers say that they do not run as root", BASELINE, "warning"
)
LATEST = Rule(
    "image-latest",
    "policy",
    "Images have a tag other than latest",
    CONCEPTS + "containers/images/",
    "warning",
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
SECRET = Rule(
    "plain-secret",
    "policy",
    "No secrets in plain environment values",
    CONCEPTS + "configuration/secret/",
    "warning",
)

RULES = (
    YAML, NO_OBJECT, KIND, UNKNOWN_VERSION, UNKNOWN_KIND, FOREIGN, SCHEMA, NAME, LABEL, IMAGE, PORT, QUANTITY, ENUM, CRON,
    RESTART, SELECTOR, VOLUME, DUPLICATE, TARGET_PORT, LIMITS, SCALE, PRIVILEGED, RUN_AS_ROOT, LATEST, NO_LIMITS, NO_PROBE, SECRET,
)  # fmt: skip
