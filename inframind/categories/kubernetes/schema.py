"""The OpenAPI schema of one Kubernetes release: which kinds exist, and what their fields are."""

import re
from collections.abc import Sequence
from functools import cache

import jsonschema_rs

from inframind.categories.kubernetes import fields, rules
from inframind.categories.kubernetes.document import Item, Manifest
from inframind.categories.shared import json_schema
from inframind.types import Finding, Json

PACKAGE = "inframind.categories.kubernetes"
BUILT_IN = re.compile(
    r"(?:[a-z0-9.-]+\.k8s\.io|apps|autoscaling|batch|policy|extensions)/v\w+|v\w+"
)
"""apiVersions of Kubernetes itself; anything else with a slash is somebody's custom resource."""
# Groups below k8s.io that the API server does not bring along, and files of tools.
CUSTOM_K8S_IO = re.compile(
    r"(?:gateway\.networking|snapshot\.storage|metrics|x-k8s|custom\.metrics|external\.metrics"
    r"|kustomize\.config|kubelet\.config)"
)


def definitions() -> dict[str, Json]:
    """Load all OpenAPI definitions by their full names, such as `io.k8s.api.core.v1.PodSpec`."""
    by_name: dict[str, Json] = json_schema.load(PACKAGE, "schema")["definitions"]
    return by_name


@cache
def validator(key: str) -> jsonschema_rs.Validator:
    """Compile the schema of an `apiVersion/kind`, once a process.

    A field that is null is left out; null in a list of objects is an error.
    """
    return json_schema.compile_definition(
        definitions(), json_schema.load(PACKAGE, "schema")["kinds"][key], null_objects=False
    )


@cache
def versions() -> dict[str, list[str]]:
    """Map each kind to the apiVersions that have it."""
    by_kind: dict[str, list[str]] = {}
    for key in json_schema.load(PACKAGE, "schema")["kinds"]:
        api, _, kind = key.rpartition("/")
        by_kind.setdefault(kind, []).append(api)
    return by_kind


def findings(manifest: Manifest, item: Item) -> Sequence[Finding]:
    """Check one object of Kubernetes itself against its schema, then its fields."""
    api, kind = item.fields.get("apiVersion"), item.fields.get("kind")
    if not isinstance(api, str) or not isinstance(kind, str):
        return [rules.REQUIRED.finding("the object needs apiVersion and kind", item.start + 1)]
    key = f"{api}/{kind}"
    if key not in json_schema.load(PACKAGE, "schema")["kinds"]:
        return [unknown(manifest, item, api, kind)]
    # The checks of fields read values without a look at their types: the schema comes first.
    errors = json_schema.findings(
        validator(key), item.fields, rules.FIELDS, manifest.text, item.start
    )
    return errors or list(fields.findings(manifest, item))


def unknown(manifest: Manifest, item: Item, api: str, kind: str) -> Finding:
    """Explain why an object's kind is not one of this release."""
    line = manifest.line(item, "apiVersion")
    served = versions().get(kind)
    if not BUILT_IN.fullmatch(api) or CUSTOM_K8S_IO.search(api):
        return rules.FOREIGN.finding(f"{api} {kind} is a custom resource: not verified", line)
    if served:
        return rules.UNKNOWN_VERSION.finding(
            f"{kind} does not exist in {api}: use {', '.join(served)}", line
        )
    return rules.UNKNOWN_KIND.finding(
        f"there is no kind {kind} in {api}", manifest.line(item, "kind")
    )
