"""Security and good practice of pods. Never part of the verdict unless a task lists the rule."""

import re
from collections.abc import Iterator

from inframind.categories._formats import is_unpinned
from inframind.categories.kubernetes import rules
from inframind.categories.kubernetes.document import Item, Manifest, containers_of, pod_of
from inframind.types import Finding

SECRET_NAME = re.compile(r"(?i)(password|passwd|secret|token|api_?key|private_?key)")


def findings(manifest: Manifest, item: Item) -> Iterator[Finding]:
    """Findings for the pod that the object makes."""
    pod = pod_of(item)
    if pod is None:
        return
    path, spec = pod
    here = manifest.line(item, *path)
    if any(spec.get(key) for key in ("hostNetwork", "hostPID", "hostIPC")):
        yield rules.PRIVILEGED.finding("the pod uses the host's namespaces", here)
    pod_security = spec.get("securityContext") or {}
    for key, index, container in containers_of(spec):
        line = manifest.line(item, *path, key, index)
        security = container.get("securityContext") or {}
        name = container.get("name")
        if security.get("privileged"):
            yield rules.PRIVILEGED.finding(f"container {name} is privileged", line)
        if not (security.get("runAsNonRoot") or pod_security.get("runAsNonRoot")):
            yield rules.RUN_AS_ROOT.finding(f"container {name}: set securityContext.runAsNonRoot", line)
        if is_unpinned(str(container.get("image", ""))):
            yield rules.LATEST.finding(f"container {name}: {container.get('image')} has no fixed tag", line)
        if not (container.get("resources") or {}).get("limits"):
            yield rules.NO_LIMITS.finding(f"container {name} has no resource limits", line)
        if item.kind in ("Deployment", "StatefulSet", "DaemonSet") and key == "containers" and "readinessProbe" not in container:
            yield rules.NO_PROBE.finding(f"container {name} has no readinessProbe", line)
        for variable in container.get("env") or ():
            if SECRET_NAME.search(str(variable.get("name"))) and variable.get("value"):
                yield rules.SECRET.finding(f"{variable['name']} is written in plain: use secretKeyRef", line)
