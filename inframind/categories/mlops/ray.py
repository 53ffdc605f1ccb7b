"""Ray on Kubernetes: the checks of its operator and of Ray Serve.

https://github.com/ray-project/kuberay
"""

from collections.abc import Iterator
from typing import Any

from inframind.categories.base import Resource
from inframind.categories.kubernetes import rules as kubernetes_rules
from inframind.categories.kubernetes.document import Item, Manifest
from inframind.categories.mlops import rules
from inframind.categories.shared.formats import cron_error
from inframind.categories.shared.values import repeated
from inframind.categories.shared.yaml import YamlError, load_all
from inframind.types import Finding

GROUP = "ray.io/"
CLUSTERS: dict[str, tuple[str, ...]] = {
    "RayCluster": ("spec",),
    "RayJob": ("spec", "rayClusterSpec"),
    "RayService": ("spec", "rayClusterConfig"),
    "RayCronJob": ("spec", "jobTemplate", "rayClusterSpec"),
}
"""Where a kind keeps its cluster."""
SELECTED = "ray.io/cluster"


def is_ray(item: Item) -> bool:
    """Tell whether the object is one of Ray's."""
    return str(item.fields.get("apiVersion")).startswith(GROUP)


def field_findings(manifest: Manifest, item: Item) -> Iterator[Finding]:
    """Check the jobs, the schedules and the YAML inside fields of Ray's objects."""
    if not is_ray(item):
        return
    if item.kind in ("RayJob", "RayCronJob"):
        path = ("spec",) if item.kind == "RayJob" else ("spec", "jobTemplate")
        yield from _job_findings(manifest, item, path)
    if item.kind == "RayCronJob" and (error := cron_error(str(item.at("spec", "schedule")))):
        yield kubernetes_rules.CRON.finding(error, manifest.line(item, "spec", "schedule"))
    if item.kind == "RayService" and (config := item.at("spec", "serveConfigV2")) is not None:
        yield from _serve_findings(config, manifest.line(item, "spec", "serveConfigV2"))


def _job_findings(manifest: Manifest, item: Item, path: tuple[str, ...]) -> Iterator[Finding]:
    spec, line = item.at(*path) or {}, manifest.line(item, *path)
    # A selector runs the job in a cluster that is there already.
    if (spec.get("rayClusterSpec") is None) == (not spec.get("clusterSelector")):
        yield rules.RAY_JOB.finding("give exactly one of rayClusterSpec and clusterSelector", line)
    # In InteractiveMode a user submits the job to the cluster by hand.
    if not spec.get("entrypoint") and spec.get("submissionMode") != "InteractiveMode":
        yield rules.ENTRYPOINT.finding(
            "the job needs an entrypoint, such as `python train.py`", line
        )
    if (environment := spec.get("runtimeEnvYAML")) and not isinstance(_embedded(environment), dict):
        yield rules.EMBEDDED.finding(
            "runtimeEnvYAML is not a YAML mapping", manifest.line(item, *path, "runtimeEnvYAML")
        )


def _embedded(text: str) -> Any:
    """Parse a YAML text inside a field; None if it is not one document."""
    try:
        documents = load_all(text)
    except YamlError:
        return None
    return documents[0] if len(documents) == 1 else None


def _serve_findings(text: str, line: int | None) -> Iterator[Finding]:
    config = _embedded(text)
    applications = config.get("applications") if isinstance(config, dict) else None
    if not isinstance(applications, list) or not all(
        isinstance(application, dict) for application in applications
    ):
        yield rules.EMBEDDED.finding(
            "serveConfigV2 is a YAML mapping with a list of applications", line
        )
        return
    for application in applications:
        if not application.get("import_path"):
            yield rules.EMBEDDED.finding(
                f"application {application.get('name')!r} needs an import_path", line
            )
        elif ":" not in str(application["import_path"]) and "." not in str(
            application["import_path"]
        ):
            yield rules.EMBEDDED.finding(
                f"import_path {application['import_path']!r} is not `module:application`", line
            )


def reference_findings(manifest: Manifest, item: Item) -> Iterator[Finding]:
    """Check the names and bounds of worker groups."""
    if not is_ray(item) or item.kind not in CLUSTERS:
        return
    path = (*CLUSTERS[item.kind], "workerGroupSpecs")
    groups = [group for group in item.at(*path) or () if isinstance(group, dict)]
    for name, count in repeated(group.get("groupName") for group in groups):
        yield rules.DUPLICATE.finding(
            f"{count} worker groups are called {name!r}", manifest.line(item, *path)
        )
    for index, group in enumerate(groups):
        low, now, high = (
            group.get("minReplicas", 0) or 0,
            group.get("replicas"),
            group.get("maxReplicas"),
        )
        # minReplicas is 0 by default (KubeRay's API reference).
        bounds = [bound for bound in (low, now, high) if isinstance(bound, int)]
        if bounds != sorted(bounds) or low < 0:
            message = (
                f"group {group.get('groupName')}: minReplicas <= replicas <= maxReplicas does not "
                "hold"
            )
            yield rules.WORKER_GROUP.finding(message, manifest.line(item, *path, index))


def links(resource: Resource) -> Iterator[tuple[str, str, Any]]:
    """Yield (path, kind, name) of what a Ray object refers to."""
    if resource.kind == "RayJob":
        selector = (resource.fields.get("spec") or {}).get("clusterSelector") or {}
        yield "spec.clusterSelector", "RayCluster", selector.get(SELECTED)
