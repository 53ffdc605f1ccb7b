"""Agreement within a text: selectors and labels, mounts and volumes, unique names; the links."""

from collections.abc import Iterator, Sequence
from typing import Any

from inframind.categories.base import Link, Resource
from inframind.categories.kubernetes import rules
from inframind.categories.kubernetes.document import MERGED, Item, Manifest, containers_of
from inframind.categories.shared.values import repeated
from inframind.types import Finding

SELECTING = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"})
SUFFIXES = {
    "n": 1e-9,
    "u": 1e-6,
    "m": 1e-3,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "P": 1e15,
    "E": 1e18,
}
BINARY = {f"{prefix}i": 1024.0**power for power, prefix in enumerate("KMGTPE", start=1)}
NAMED_REFERENCES: dict[tuple[str, ...], str] = {
    ("configMapRef", "name"): "ConfigMap",
    ("configMapKeyRef", "name"): "ConfigMap",
    ("configMap", "name"): "ConfigMap",
    ("secretRef", "name"): "Secret",
    ("secretKeyRef", "name"): "Secret",
    ("secret", "secretName"): "Secret",
    ("persistentVolumeClaim", "claimName"): "PersistentVolumeClaim",
    ("service", "name"): "Service",
}
"""The last two keys of a reference by name -> the kind it names."""


def amount(value: Any) -> float | None:
    """Convert a quantity to a number; None for a value that is no quantity."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str):
        return None
    for suffix, factor in (*BINARY.items(), *SUFFIXES.items()):
        if value.endswith(suffix):
            value, scale = value.removesuffix(suffix), factor
            break
    else:
        scale = 1.0
    try:
        # What is left may have an exponent: `1e3` is a quantity too.
        return float(value) * scale
    except ValueError:
        return None


def selector_findings(manifest: Manifest, item: Item) -> Iterator[Finding]:
    """Check that spec.selector.matchLabels is a part of the template's labels."""
    if item.kind not in SELECTING:
        return
    wanted = item.at("spec", "selector", "matchLabels") or {}
    labels = item.at("spec", "template", "metadata", "labels") or {}
    line = manifest.line(item, "spec", "selector")
    # apps/v1 gives selectors no default, and none can be changed later.
    if not wanted and not item.at("spec", "selector", "matchExpressions"):
        yield rules.SELECTOR.finding(
            "spec.selector is empty: write matchLabels like the template's labels", line
        )
    for key, value in wanted.items():
        if labels.get(key) != value:
            yield rules.SELECTOR.finding(
                f"the selector wants {key}: {value}, the template has {key}: {labels.get(key)}",
                line,
            )


def pod_findings(manifest: Manifest, item: Item) -> Iterator[Finding]:
    """Check volumes, names, named ports and limits of an object's pods."""
    # A StatefulSet's claims are volumes of its pods, by their names.
    claims = item.at("spec", "volumeClaimTemplates") or ()
    claimed = {(claim.get("metadata") or {}).get("name") for claim in claims}
    for path, spec in item.pods:
        volumes = claimed | {volume.get("name") for volume in spec.get("volumes") or ()}
        containers = list(containers_of(spec))
        for name, count in repeated(str(container.get("name")) for _, _, container in containers):
            yield rules.DUPLICATE.finding(
                f"{count} containers are called {name!r}", manifest.line(item, *path)
            )
        for key, index, container in containers:
            where: tuple[str | int, ...] = (*path, key, index)
            for mount in container.get("volumeMounts") or ():
                if mount.get("name") not in volumes and item.kind not in MERGED:
                    message = f"volumeMount {mount.get('name')!r} has no volume in the pod"
                    yield rules.VOLUME.finding(message, manifest.line(item, *where, "volumeMounts"))
            yield from probe_findings(manifest, item, where, container)
            yield from limit_findings(manifest, item, where, container)


def probe_findings(
    manifest: Manifest, item: Item, where: tuple[str | int, ...], container: dict[str, Any]
) -> Iterator[Finding]:
    """Check that probes name ports of their container."""
    named = {port.get("name") for port in container.get("ports") or ()}
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        for action in ("httpGet", "tcpSocket"):
            port = ((container.get(probe) or {}).get(action) or {}).get("port")
            if isinstance(port, str) and not port.isdigit() and port not in named:
                yield rules.TARGET_PORT.finding(
                    f"{probe} uses port {port!r}, which the container does not name",
                    manifest.line(item, *where, probe),
                )


def limit_findings(
    manifest: Manifest, item: Item, where: tuple[str | int, ...], container: dict[str, Any]
) -> Iterator[Finding]:
    """Check that no request is above its limit."""
    resources = container.get("resources") or {}
    for name, request in (resources.get("requests") or {}).items():
        low, high = amount(request), amount((resources.get("limits") or {}).get(name))
        if low is not None and high is not None and low > high:
            yield rules.LIMITS.finding(
                f"{name}: the request {request} is above the limit",
                manifest.line(item, *where, "resources"),
            )


def findings(manifest: Manifest) -> Iterator[Finding]:
    """Check the references within a manifest: duplicates, selectors, pods, scaling."""
    # A name is used once for each kind in a namespace; without one it is the current one.
    identities = (
        (
            item.fields.get("apiVersion"),
            item.kind,
            (item.fields.get("metadata") or {}).get("namespace"),
            item.name,
        )
        for item in manifest.items
        if item.name
    )
    for (_, kind, _, name), count in repeated(identities):
        yield rules.DUPLICATE.finding(f"{kind} {name} is written {count} times")
    for item in manifest.items:
        yield from selector_findings(manifest, item)
        yield from pod_findings(manifest, item)
        low, high = item.at("spec", "minReplicas"), item.at("spec", "maxReplicas")
        if (
            item.kind == "HorizontalPodAutoscaler"
            and isinstance(low, int)
            and isinstance(high, int)
            and low > high
        ):
            yield rules.SCALE.finding(
                f"minReplicas {low} is above maxReplicas {high}",
                manifest.line(item, "spec", "minReplicas"),
            )


def mapping(node: Any) -> dict[str, Any]:
    """Return the node if it is a mapping, else an empty one."""
    return node if isinstance(node, dict) else {}


def labels_of(fields: Any) -> dict[str, Any]:
    """Read the labels of the pods that an object makes; a Pod has its own."""
    template = (
        mapping(mapping(fields.get("spec")).get("template"))
        if fields.get("kind") != "Pod"
        else fields
    )
    return mapping(mapping(template.get("metadata")).get("labels"))


def links(resources: Sequence[Resource]) -> Iterator[Link]:
    """Yield the references between the objects of a text."""
    present = {(resource.kind, resource.name) for resource in resources}
    for source, resource in enumerate(resources):
        yield from _selected(source, resource, resources)
        for path, kind, name in _named(resource.fields, ()):
            if (kind, name) in present:
                yield Link(source, ".".join(path), kind, name)


def _selected(source: int, resource: Resource, resources: Sequence[Resource]) -> Iterator[Link]:
    spec = mapping(resource.fields.get("spec"))
    if resource.kind == "Service":
        wanted, path = mapping(spec.get("selector")), "spec.selector"
    elif resource.kind in ("NetworkPolicy", "PodDisruptionBudget"):
        key = "podSelector" if resource.kind == "NetworkPolicy" else "selector"
        wanted, path = mapping(mapping(spec.get(key)).get("matchLabels")), f"spec.{key}"
    else:
        return
    for target in resources:
        if wanted and wanted.items() <= labels_of(target.fields).items():
            yield Link(source, path, target.kind, target.name)


def _named(node: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str, str]]:
    if isinstance(node, list):
        for item in node:
            yield from _named(item, path)
    if not isinstance(node, dict):
        return
    if path and path[-1] in ("scaleTargetRef", "roleRef") and "kind" in node:
        yield (*path, "name"), str(node["kind"]), str(node.get("name"))
    if path and path[-1] == "subjects" and node.get("kind") == "ServiceAccount":
        yield (*path, "name"), "ServiceAccount", str(node.get("name"))
    for key, value in node.items():
        kind = NAMED_REFERENCES.get((path[-1] if path else "", key))
        if key == "serviceAccountName":
            kind = "ServiceAccount"
        if kind and isinstance(value, str):
            yield (*path, key), kind, value
        if isinstance(value, dict | list):
            yield from _named(value, (*path, key))
