"""Kubernetes manifests: the OpenAPI schema of one release, and what the API server checks beyond
it.
"""

import re
from collections.abc import Sequence

from inframind.categories.base import Category, Configuration, Evidence
from inframind.categories.kubernetes import document as manifests
from inframind.categories.kubernetes import effective, policy, references, rules, schema
from inframind.categories.kubernetes.document import Manifest
from inframind.types import Finding

API_VERSION, KIND = re.compile(r"^apiVersion:", re.M), re.compile(r"^kind:", re.M)


class Kubernetes(Category[Manifest]):
    """The category `kubernetes`."""

    id = "kubernetes"
    title = "Kubernetes"
    languages = ("yaml", "yml", "kubernetes", "json")
    filename = "manifest.yaml"
    rules = rules.RULES

    def detect(self, text: str, filename: str | None) -> Evidence:
        is_object = API_VERSION.search(text) and KIND.search(text)
        return Evidence.LIKELY if is_object else Evidence.NONE

    def parse(self, text: str) -> Manifest:
        return manifests.parsed(text)

    def schema(self, document: Manifest) -> Sequence[Finding]:
        return [finding for item in document.items for finding in schema.findings(document, item)]

    def references(self, document: Manifest) -> Sequence[Finding]:
        return list(references.findings(document))

    def effective(self, document: Manifest) -> Configuration:
        return effective.configuration(document)

    def policy(self, document: Manifest) -> Sequence[Finding]:
        return [finding for item in document.items for finding in policy.findings(document, item)]


CATEGORY = Kubernetes()
