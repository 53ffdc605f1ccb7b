"""Kubernetes manifests: the OpenAPI schema of one release, and what the API server checks beyond it."""

import re
from collections.abc import Sequence
from functools import cache

import jsonschema_rs

from inframind.categories import _jsonschema
from inframind.categories.base import Configuration, ParseError, Resource
from inframind.categories.kubernetes import fields, policy, references, rules
from inframind.categories.kubernetes.document import Item, Manifest, expanded, starts
from inframind.sandbox.yaml import YamlError, load_all
from inframind.types import Finding

PACKAGE = "inframind.categories.kubernetes"
BUILT_IN = re.compile(r"(?:[a-z0-9.-]+\.k8s\.io|apps|autoscaling|batch|policy|extensions)/v\w+|v\w+")
"""apiVersions of Kubernetes itself; anything else with a slash is somebody's custom resource."""
CUSTOM_K8S_IO = re.compile(
    r"(?:gateway\.networking|snapshot\.storage|metrics|x-k8s|custom\.metrics|external\.metrics|kustomize\.config|kubelet\.config)"
)


@cache
def validator(key: str) -> jsonschema_rs.Validator:
    """The compiled schema of an `apiVersion/kind`."""
    data = _jsonschema.load(PACKAGE, "schema")
    return _jsonschema.compile_definition(data["definitions"], data["kinds"][key])


@cache
def versions() -> dict[str, list[str]]:
    """Kind -> the apiVersions that have it."""
    found: dict[str, list[str]] = {}
    for key in _jsonschema.load(PACKAGE, "schema")["kinds"]:
        api, _, kind = key.rpartition("/")
        found.setdefault(kind, []).append(api)
    return found


class Kubernetes:
    """The category `kubernetes`."""

    id = "kubernetes"
    title = "Kubernetes"
    languages = ("yaml", "yml", "kubernetes", "json")
    filename = "manifest.yaml"
    rules = rules.RULES

    def detect(self, text: str, filename: str | None) -> float:
        return 0.9 if re.search(r"^apiVersion:", text, re.M) and re.search(r"^kind:", text, re.M) else 0.0

    def parse(self, text: str) -> Manifest:
        try:
            documents = load_all(text)
        except YamlError as error:
            raise ParseError(rules.YAML.finding(str(error), error.line)) from None
        if not documents or not all(isinstance(document, dict) for document in documents):
            raise ParseError(rules.NO_OBJECT.finding("a manifest is one or more mappings with apiVersion and kind"))
        lines = starts(text)
        lines += [0] * (len(documents) - len(lines))
        items = tuple(item for document, line in zip(documents, lines, strict=False) for item in expanded(document, line))
        if not items:
            raise ParseError(rules.NO_OBJECT.finding("the list has no items"))
        return Manifest(text, items)

    def schema(self, document: Manifest) -> Sequence[Finding]:
        return [finding for item in document.items for finding in self._item(document, item)]

    def _item(self, manifest: Manifest, item: Item) -> list[Finding]:
        api, kind = item.fields.get("apiVersion"), item.fields.get("kind")
        if not isinstance(api, str) or not isinstance(kind, str):
            return [rules.KIND.finding("the object needs apiVersion and kind", item.start + 1)]
        key = f"{api}/{kind}"
        if key not in _jsonschema.load(PACKAGE, "schema")["kinds"]:
            return [self._unknown(manifest, item, api, kind)]
        found = _jsonschema.findings(validator(key), item.fields, rules.SCHEMA, manifest.text, item.start)
        return found or list(fields.findings(manifest, item))

    @staticmethod
    def _unknown(manifest: Manifest, item: Item, api: str, kind: str) -> Finding:
        line = manifest.line(item, "apiVersion")
        known = versions().get(kind)
        if not BUILT_IN.fullmatch(api) or CUSTOM_K8S_IO.search(api):
            return rules.FOREIGN.finding(f"{api} {kind} is a custom resource: not verified", line)
        if known:
            return rules.UNKNOWN_VERSION.finding(f"{kind} does not exist in {api}: use {', '.join(known)}", line)
        return rules.UNKNOWN_KIND.finding(f"there is no kind {kind} in {api}", manifest.line(item, "kind"))

    def references(self, document: Manifest) -> Sequence[Finding]:
        return list(references.findings(document))

    def effective(self, document: Manifest) -> Configuration:
        """Objects as written. A workload with `replicas: 0` or `suspend: true` never runs and is left out."""
        resources = tuple(
            Resource(item.kind, item.name, item.fields, item.start + 1)
            for item in document.items
            if item.at("spec", "replicas") != 0 and item.at("spec", "suspend") is not True
        )
        return Configuration(resources, tuple(references.links(resources)))

    def policy(self, document: Manifest) -> Sequence[Finding]:
        return [finding for item in document.items for finding in policy.findings(document, item)]
