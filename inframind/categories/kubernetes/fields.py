"""Checks of the API server beyond the OpenAPI schema: names, ports, quantities, closed sets."""

import re
from collections.abc import Iterator
from typing import Any

from inframind.categories.kubernetes import rules
from inframind.categories.kubernetes.document import MERGED, Item, Manifest, containers_of
from inframind.categories.shared.formats import cron_error, is_image
from inframind.types import Finding

# Up to 63 characters, and 253 for the prefix, which is a DNS subdomain:
# https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/
LABEL_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
LABEL_KEY = re.compile(rf"(?:[a-z0-9](?:[a-z0-9.-]{{0,251}}[a-z0-9])?/)?{LABEL_NAME}")
LABEL_VALUE = re.compile(rf"(?:{LABEL_NAME})?")
# RFC 1123: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
SUBDOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*")
DNS_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
# Their names become one label of a host name, so they hold no dots.
LABEL_NAMED = frozenset({"Service", "Namespace"})
# Objects of RBAC may be called `system:node`: any segment of a path will do.
FREE_NAMED = frozenset({"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"})
# https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
QUANTITY = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+|[numkMGTPE]|[KMGTPE]i)?")
ENUMS: dict[str, frozenset[str]] = {
    "imagePullPolicy": frozenset({"Always", "IfNotPresent", "Never"}),
    "restartPolicy": frozenset({"Always", "OnFailure", "Never"}),
    "protocol": frozenset({"TCP", "UDP", "SCTP"}),
    "pathType": frozenset({"Exact", "Prefix", "ImplementationSpecific"}),
    "concurrencyPolicy": frozenset({"Allow", "Forbid", "Replace"}),
    "dnsPolicy": frozenset({"ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"}),
}
SERVICE_TYPES = frozenset({"ClusterIP", "NodePort", "LoadBalancer", "ExternalName"})
ACCESS_MODES = frozenset({"ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"})
PORT_KEYS = frozenset({"containerPort", "hostPort", "port", "targetPort", "nodePort"})
OPEN_KEYS = frozenset(
    {"data", "stringData", "binaryData", "annotations", "labels", "matchLabels", "nodeSelector"}
)
"""Mappings whose keys are the user's own: nothing below them is a field."""
# A Job's pods end; the API server refuses a restartPolicy that starts them again for ever.
ONCE = frozenset({"OnFailure", "Never"})


def name_findings(manifest: Manifest, item: Item) -> Iterator[Finding]:
    """Check metadata.name and the labels of an object."""
    metadata = item.fields.get("metadata")
    if not isinstance(metadata, dict):
        yield rules.REQUIRED.finding(
            "metadata is missing: give the object a metadata.name", manifest.line(item, "kind")
        )
        return
    name = metadata.get("name")
    form = DNS_LABEL if item.kind in LABEL_NAMED else SUBDOMAIN
    if name is None and not metadata.get("generateName"):
        yield rules.REQUIRED.finding("metadata.name is missing", manifest.line(item, "metadata"))
    elif (
        isinstance(name, str)
        and item.kind not in FREE_NAMED
        and (len(name) > 253 or not form.fullmatch(name))
    ):
        yield rules.NAME.finding(
            f"{name!r} is not a DNS name: lower case, digits and -",
            manifest.line(item, "metadata", "name"),
        )
    for key, value in (metadata.get("labels") or {}).items():
        if not LABEL_KEY.fullmatch(key) or (
            isinstance(value, str) and not LABEL_VALUE.fullmatch(value)
        ):
            yield rules.LABEL.finding(
                f"{key}: {value} is not a label", manifest.line(item, "metadata", "labels", key)
            )


def walk(
    node: Any, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], str, Any]]:
    """Yield (path, key, value) of every field, but none below the user's own mappings."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield (*path, key), key, value
            if isinstance(value, dict | list) and key not in OPEN_KEYS:
                yield from walk(value, (*path, key))
    elif isinstance(node, list):
        for index, item in enumerate(node):
            yield from walk(item, (*path, index))


def is_quantity(value: Any) -> bool:
    """Tell whether a value is a number or the text form of a quantity, such as `500m`."""
    if isinstance(value, bool):
        return False
    return isinstance(value, int | float) or (
        isinstance(value, str) and QUANTITY.fullmatch(value) is not None
    )


def field_findings(manifest: Manifest, item: Item) -> Iterator[Finding]:
    """Check ports, quantities and closed sets, wherever they stand in an object."""
    for path, key, value in walk(item.fields):
        if (
            key in PORT_KEYS
            and isinstance(value, int)
            and not isinstance(value, bool)
            # 0 is how Go leaves a port out: it is the same as none.
            and not (1 <= value <= 65535 or (value == 0 and key in ("nodePort", "hostPort")))
        ):
            yield rules.PORT.finding(
                f"{key} {value} is not a port: 1 to 65535", manifest.line(item, *path)
            )
        elif key in ENUMS and isinstance(value, str) and value not in ENUMS[key]:
            options = ", ".join(sorted(ENUMS[key]))
            yield rules.FIELDS.value.finding(
                f"{key} {value!r} is not one of {options}", manifest.line(item, *path)
            )
        elif key in ("limits", "requests") and isinstance(value, dict) and "resources" in path:
            for resource, amount in value.items():
                if not is_quantity(amount):
                    yield rules.QUANTITY.finding(
                        f"{resource}: {amount!r} is not a quantity",
                        manifest.line(item, *path, resource),
                    )


def container_findings(manifest: Manifest, item: Item) -> Iterator[Finding]:
    """Check the containers' images and the pods' restartPolicy."""
    for path, spec in item.pods:
        for key, index, container in containers_of(spec):
            image = container.get("image")
            if image is None and item.kind in MERGED:
                continue
            if not isinstance(image, str) or not is_image(image):
                message = (
                    "a container has no image"
                    if image is None
                    else f"{image!r} is not an image reference"
                )
                yield rules.IMAGE.finding(message, manifest.line(item, *path, key, index, "image"))
        policy = spec.get("restartPolicy")
        if item.kind in ("Job", "CronJob") and policy not in ONCE:
            message = f"the pod of a {item.kind} needs restartPolicy OnFailure or Never"
            yield rules.RESTART.finding(message, manifest.line(item, *path))
        elif item.kind in (
            "Deployment",
            "StatefulSet",
            "DaemonSet",
            "ReplicaSet",
        ) and policy not in (None, "Always"):
            yield rules.RESTART.finding(
                f"the pods of a {item.kind} restart always",
                manifest.line(item, *path, "restartPolicy"),
            )


def kind_findings(manifest: Manifest, item: Item) -> Iterator[Finding]:
    """Check the fields that single kinds demand: schedules, service types, claims."""
    if item.kind == "CronJob" and isinstance(schedule := item.at("spec", "schedule"), str):
        # What the API server reads may begin with a zone: `TZ=` or `CRON_TZ=`, then a space.
        error = cron_error(schedule.split(" ", 1)[-1] if "TZ=" in schedule else schedule)
        if error:
            yield rules.CRON.finding(error, manifest.line(item, "spec", "schedule"))
    if (
        item.kind == "Service"
        and (kind := item.at("spec", "type")) is not None
        and kind not in SERVICE_TYPES
    ):
        yield rules.FIELDS.value.finding(
            f"type {kind!r} is not one of {', '.join(sorted(SERVICE_TYPES))}",
            manifest.line(item, "spec", "type"),
        )
    if item.kind == "PersistentVolumeClaim":
        modes = item.at("spec", "accessModes")
        for mode in modes if isinstance(modes, list) else ():
            if mode not in ACCESS_MODES:
                yield rules.FIELDS.value.finding(
                    f"accessModes {mode!r} is unknown", manifest.line(item, "spec", "accessModes")
                )
        # Both are optional in the schema; the API server's own validation wants them.
        if not modes or not is_quantity(item.at("spec", "resources", "requests", "storage")):
            yield rules.QUANTITY.finding(
                "a claim needs accessModes and a quantity in resources.requests.storage",
                manifest.line(item, "spec"),
            )


def findings(manifest: Manifest, item: Item) -> Iterator[Finding]:
    """Check one object of a known kind with everything this module has."""
    yield from name_findings(manifest, item)
    yield from field_findings(manifest, item)
    yield from container_findings(manifest, item)
    yield from kind_findings(manifest, item)
