"""Security and good practice of pods. A finding counts where a request lists its rule."""

from collections.abc import Iterator
from typing import Any

from inframind.categories.kubernetes import rules
from inframind.categories.kubernetes.document import MERGED, Item, Manifest, containers_of
from inframind.categories.shared.policies import is_secret_variable, is_unpinned
from inframind.types import Finding


def findings(manifest: Manifest, item: Item) -> Iterator[Finding]:
    """Judge the pods that an object makes."""
    for path, spec in item.pods:
        if any(spec.get(key) for key in ("hostNetwork", "hostPID", "hostIPC")):
            yield rules.PRIVILEGED.finding(
                "the pod uses the host's namespaces", manifest.line(item, *path)
            )
        for key, index, container in containers_of(spec):
            line = manifest.line(item, *path, key, index)
            yield from container_findings(item, spec, container, line)
            if (
                item.kind in ("Deployment", "StatefulSet", "DaemonSet")
                # Init containers end before the pod can be ready, so they have no such probe.
                and key == "containers"
                and "readinessProbe" not in container
            ):
                yield rules.NO_PROBE.finding(
                    f"container {container.get('name')} has no readinessProbe", line
                )


def container_findings(
    item: Item, pod: dict[str, Any], container: dict[str, Any], line: int | None
) -> Iterator[Finding]:
    """Judge one container of a pod."""
    security, name = container.get("securityContext") or {}, container.get("name")
    if security.get("privileged"):
        yield rules.PRIVILEGED.finding(f"container {name} is privileged", line)
    if not (security.get("runAsNonRoot") or (pod.get("securityContext") or {}).get("runAsNonRoot")):
        yield rules.RUN_AS_ROOT.finding(f"container {name}: set securityContext.runAsNonRoot", line)
    if "image" in container or item.kind not in MERGED:
        image = str(container.get("image", ""))
        if is_unpinned(image):
            yield rules.LATEST.finding(f"container {name}: {image} has no fixed tag", line)
    if not (container.get("resources") or {}).get("limits"):
        yield rules.NO_LIMITS.finding(f"container {name} has no resource limits", line)
    for variable in container.get("env") or ():
        if is_secret_variable(str(variable.get("name"))) and variable.get("value"):
            yield rules.SECRET.finding(
                f"{variable['name']} is written in plain: use secretKeyRef", line
            )
