"""The custom resources: their kinds, their schemas, and the checks of each kind's controller."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache

import jsonschema_rs

from inframind.categories.base import Configuration, Link, Resource
from inframind.categories.kubernetes import effective as kubernetes_effective
from inframind.categories.kubernetes import fields
from inframind.categories.kubernetes import references as kubernetes_references
from inframind.categories.kubernetes import rules as kubernetes_rules
from inframind.categories.kubernetes import schema as kubernetes
from inframind.categories.kubernetes.document import Item, Manifest
from inframind.categories.mlops import argo, ray, serving, training
from inframind.categories.shared import json_schema
from inframind.types import Finding

PACKAGE = "inframind.categories.mlops"
Check = Callable[[Manifest, Item], Iterator[Finding]]
FIELDS: tuple[Check, ...] = (
    serving.field_findings,
    training.field_findings,
    ray.field_findings,
    argo.field_findings,
)
REFERENCES: tuple[Check, ...] = (
    serving.reference_findings,
    training.reference_findings,
    ray.reference_findings,
    argo.reference_findings,
)
# KServe's annotation takes the pods of a service away until it is removed.
STOP = "serving.kserve.io/stop"


@cache
def kinds() -> dict[str, str]:
    """Map each `apiVersion/kind` to its definition."""
    by_kind: dict[str, str] = json_schema.load(PACKAGE, "schema")["kinds"]
    return by_kind


@cache
def groups() -> frozenset[str]:
    """Collect the API groups whose kinds are all known."""
    return frozenset(key.partition("/")[0] for key in kinds())


@cache
def validator(key: str) -> jsonschema_rs.Validator:
    """Compile the schema of an `apiVersion/kind`, once a process."""
    custom = json_schema.load(PACKAGE, "schema")["definitions"]
    return json_schema.compile_definition(
        kubernetes.definitions() | custom, kinds()[key], null_objects=False
    )


def schema_findings(manifest: Manifest, item: Item) -> Sequence[Finding]:
    """Check one object, of Kubernetes itself or of a known group, against its schema."""
    api, kind = item.fields.get("apiVersion"), item.fields.get("kind")
    if (
        not isinstance(api, str)
        or not isinstance(kind, str)
        or api.partition("/")[0] not in groups()
    ):
        return kubernetes.findings(manifest, item)
    key = f"{api}/{kind}"
    if key not in kinds():
        return [_unknown(manifest, item, api, kind)]
    findings = json_schema.findings(
        validator(key), item.fields, kubernetes_rules.FIELDS, manifest.text, item.start
    )
    # The controllers' checks read values without a look at their types: the schema comes first.
    if not findings:
        findings = [
            *fields.findings(manifest, item),
            *(finding for check in FIELDS for finding in check(manifest, item)),
        ]
    return findings


def _unknown(manifest: Manifest, item: Item, api: str, kind: str) -> Finding:
    group = api.partition("/")[0]
    served = [
        key.rpartition("/")[0]
        for key in kinds()
        if key.startswith(f"{group}/") and key.endswith(f"/{kind}")
    ]
    if served:
        message = f"{kind} does not exist in {api}: use {', '.join(served)}"
        return kubernetes_rules.UNKNOWN_VERSION.finding(message, manifest.line(item, "apiVersion"))
    return kubernetes_rules.UNKNOWN_KIND.finding(
        f"there is no kind {kind} in {api}", manifest.line(item, "kind")
    )


def reference_findings(manifest: Manifest) -> list[Finding]:
    """Check Kubernetes' references, and those of each custom resource."""
    findings = list(kubernetes_references.findings(manifest))
    for item in manifest.items:
        if str(item.fields.get("apiVersion")).partition("/")[0] in groups():
            findings += [finding for check in REFERENCES for finding in check(manifest, item)]
    return findings


def runs(item: Item) -> bool:
    """Tell whether an object ever starts something.

    Not if it is suspended, stopped, or scaled to nothing for good.
    """
    annotations = item.at("metadata", "annotations") or {}
    return (
        kubernetes_effective.runs(item)
        and item.at("spec", "runPolicy", "suspend") is not True
        and annotations.get(STOP) != "true"
    )


def effective(manifest: Manifest) -> Configuration:
    """Collect the objects that run, as written, without Argo's tasks that never run."""
    resources = tuple(
        Resource(item.kind, item.name, argo.pruned(item.fields), item.start + 1)
        for item in manifest.items
        if runs(item)
    )
    links = [
        *kubernetes_references.links(resources),
        *(link for index, resource in enumerate(resources) for link in _links(index, resource)),
    ]
    present = {(resource.kind, resource.name) for resource in resources}
    return Configuration(
        resources, tuple(link for link in links if (link.kind, link.name) in present)
    )


def _links(index: int, resource: Resource) -> Iterator[Link]:
    for links in (serving.links, training.links, ray.links, argo.links):
        for path, kind, name in links(resource):
            yield Link(index, path, kind, str(name))
