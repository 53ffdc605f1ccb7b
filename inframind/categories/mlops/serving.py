"""KServe: the checks of its webhooks.

https://github.com/kserve/kserve/tree/master/pkg/apis/serving
"""

import re
from collections.abc import Iterator
from typing import Any

from inframind.categories.base import Resource
from inframind.categories.kubernetes import rules as kubernetes_rules
from inframind.categories.kubernetes.document import Item, Manifest
from inframind.categories.mlops import rules
from inframind.categories.shared.values import children
from inframind.types import Finding

GROUP = "serving.kserve.io/"
FRAMEWORKS = tuple(
    "model sklearn xgboost tensorflow pytorch triton onnx huggingface pmml lightgbm paddle".split()
)
IMPLEMENTATIONS = {
    "predictor": (*FRAMEWORKS, "containers"),
    "transformer": ("containers",),
    "explainer": ("art", "alibi", "aix", "containers"),
}
# SupportedStorageURIPrefixList in pkg/apis/serving/v1beta1/component.go.
SCHEMES = tuple(
    "gs:// s3:// pvc:// file:// https:// http:// hdfs:// webhdfs:// oci:// oci+native:// "
    "oci+fetch:// hf://".split()
)
# The name begins those of Knative's services: RFC 1035, so with a letter.
NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
ROUTERS = ("Sequence", "Splitter", "Ensemble", "Switch")
SCALE_METRICS = ("cpu", "memory", "concurrency", "rps")


def components(item: Item) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the components of an InferenceService."""
    for name in IMPLEMENTATIONS if item.kind == "InferenceService" else ():
        if isinstance(component := item.at("spec", name), dict):
            yield name, component


def field_findings(manifest: Manifest, item: Item) -> Iterator[Finding]:
    """Check implementations, names, storage, traffic and scaling of KServe's objects."""
    if not str(item.fields.get("apiVersion")).startswith(GROUP):
        return
    if item.kind == "InferenceService" and item.name and not NAME.fullmatch(item.name):
        yield kubernetes_rules.NAME.finding(
            f"{item.name!r}: begin with a letter; small letters, digits and -",
            manifest.line(item, "metadata"),
        )
    for name, component in components(item):
        line = manifest.line(item, "spec", name)
        implementations = [key for key in IMPLEMENTATIONS[name] if component.get(key)]
        # A predictor may put containers beside its model.
        if len(implementations) != 1 and not (
            name == "predictor" and set(implementations) == {"model", "containers"}
        ):
            wanted, has = ", ".join(IMPLEMENTATIONS[name]), implementations or "no implementation"
            yield rules.PREDICTOR.finding(f"{name} has {has}: give exactly one of {wanted}", line)
        yield from _scaling(component, name, line)
    if item.kind in ("InferenceService", "TrainedModel", "LLMInferenceService"):
        yield from _storage(manifest, item)
    if item.kind == "InferenceGraph":
        yield from _traffic(manifest, item)


def _scaling(component: dict[str, Any], name: str, line: int | None) -> Iterator[Finding]:
    share, low, high = (
        component.get("canaryTrafficPercent"),
        component.get("minReplicas"),
        component.get("maxReplicas"),
    )
    if isinstance(share, int) and not 0 <= share <= 100:
        yield rules.TRAFFIC.finding(f"{name}: canaryTrafficPercent {share} is not 0 to 100", line)
    if isinstance(low, int) and isinstance(high, int) and high and low > high:
        yield rules.SCALE.finding(f"{name}: minReplicas {low} is above maxReplicas {high}", line)
    if any(isinstance(bound, int) and bound < 0 for bound in (low, high)):
        yield rules.SCALE.finding(f"{name}: a number of replicas is not negative", line)
    if (metric := component.get("scaleMetric")) is not None and metric not in SCALE_METRICS:
        yield kubernetes_rules.FIELDS.value.finding(
            f"{name}: scaleMetric {metric!r} is not one of {', '.join(SCALE_METRICS)}", line
        )


def _storage(manifest: Manifest, item: Item) -> Iterator[Finding]:
    prefixes = tuple(_container_prefixes(manifest)) + SCHEMES
    for path, uri in _uris(item.fields.get("spec"), ("spec",)):
        if not uri.startswith(prefixes):
            message = (
                f"{uri!r}: KServe fetches {', '.join(SCHEMES)}, or what a ClusterStorageContainer "
                "names"
            )
            yield rules.STORAGE_URI.finding(message, manifest.line(item, *path))


def _container_prefixes(manifest: Manifest) -> Iterator[str]:
    for item in manifest.items:
        if item.kind == "ClusterStorageContainer":
            formats = item.at("spec", "supportedUriFormats")
            yield from (
                str(entry["prefix"])
                for entry in formats
                if isinstance(entry, dict) and entry.get("prefix")
            )


def _uris(node: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for key, child in children(node):
        if isinstance(child, str) and (
            key == "storageUri"
            or (key == "uri" and path[-1] in ("model", "adapters", "storageUris"))
        ):
            yield (*path, key), child
        else:
            yield from _uris(child, (*path, key) if isinstance(key, str) else path)


def nodes_of(item: Item) -> dict[str, dict[str, Any]]:
    """Map the names of an InferenceGraph's nodes to the nodes."""
    return {
        name: node
        for name, node in (item.at("spec", "nodes") or {}).items()
        if isinstance(node, dict)
    }


def _traffic(manifest: Manifest, item: Item) -> Iterator[Finding]:
    for name, node in nodes_of(item).items():
        line = manifest.line(item, "spec", "nodes", name)
        if node.get("routerType") not in ROUTERS:
            yield kubernetes_rules.FIELDS.value.finding(
                f"node {name}: routerType is one of {', '.join(ROUTERS)}", line
            )
        weights = [
            step.get("weight") or 0 for step in node.get("steps") or () if isinstance(step, dict)
        ]
        # The router draws a number up to 100 and adds the weights until they reach it.
        if node.get("routerType") == "Splitter" and sum(weights) != 100:
            yield rules.TRAFFIC.finding(
                f"node {name}: the weights of a Splitter sum to {sum(weights)}, not 100", line
            )


def reference_findings(manifest: Manifest, item: Item) -> Iterator[Finding]:
    """Check an InferenceGraph's nodes and steps, and the volumes of model servers."""
    for name, component in components(item):
        volumes = {volume.get("name") for volume in component.get("volumes") or ()}
        for framework in FRAMEWORKS:
            for mount in (component.get(framework) or {}).get("volumeMounts") or ():
                if mount.get("name") not in volumes:
                    message = f"volumeMount {mount.get('name')!r} has no volume in the {name}"
                    yield kubernetes_rules.VOLUME.finding(
                        message, manifest.line(item, "spec", name, framework)
                    )
    if item.kind != "InferenceGraph":
        return
    nodes = nodes_of(item)
    if "root" not in nodes:
        yield rules.GRAPH.finding(
            "the graph has no node called root", manifest.line(item, "spec", "nodes")
        )
    for name, node in nodes.items():
        line = manifest.line(item, "spec", "nodes", name)
        for step in node.get("steps") or ():
            targets = [key for key in ("nodeName", "serviceName", "serviceUrl") if step.get(key)]
            if len(targets) != 1:
                yield rules.STEP_TARGET.finding(
                    f"node {name}: a step has exactly one of nodeName, serviceName and serviceUrl",
                    line,
                )
            if step.get("nodeName") and step["nodeName"] not in nodes:
                yield rules.GRAPH.finding(
                    f"node {name}: there is no node {step['nodeName']!r}", line
                )


def links(resource: Resource) -> Iterator[tuple[str, str, Any]]:
    """Yield (path, kind, name) of what a KServe object refers to."""
    spec = resource.fields.get("spec") or {}
    if resource.kind == "TrainedModel":
        yield "spec.inferenceService", "InferenceService", spec.get("inferenceService")
    if resource.kind == "InferenceService":
        runtime = ((spec.get("predictor") or {}).get("model") or {}).get("runtime")
        yield from (
            ("spec.predictor.model.runtime", kind, runtime)
            for kind in ("ServingRuntime", "ClusterServingRuntime")
        )
    if resource.kind == "InferenceGraph":
        for name, node in (spec.get("nodes") or {}).items():
            for step in (node or {}).get("steps") or ():
                yield (
                    f"spec.nodes.{name}.steps.serviceName",
                    "InferenceService",
                    step.get("serviceName"),
                )
    for base in spec.get("baseRefs") or () if resource.kind == "LLMInferenceService" else ():
        yield "spec.baseRefs.name", "LLMInferenceServiceConfig", base.get("name")
