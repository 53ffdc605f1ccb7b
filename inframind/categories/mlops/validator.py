"""MLOps texts: manifests with custom resources, MLproject files, SageMaker's requests."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from inframind.categories.base import Category, Configuration, Evidence, ParseError
from inframind.categories.kubernetes import document as manifests
from inframind.categories.kubernetes import policy as kubernetes_policy
from inframind.categories.kubernetes import rules as kubernetes_rules
from inframind.categories.kubernetes.document import Item, Manifest, containers_of
from inframind.categories.mlops import mlproject, resources, rules, sagemaker
from inframind.categories.mlops.mlproject import Project
from inframind.categories.mlops.sagemaker import Request
from inframind.categories.shared.yaml import yaml_documents
from inframind.types import Finding

Document: TypeAlias = Manifest | Project | Request
OBJECT = re.compile(
    r"^apiVersion:\s*[\"']?(?:serving\.kserve\.io|(?:trainer\.)?kubeflow\.org|ray\.io)\b",
    re.MULTILINE,
)
ARGO = re.compile(r"^apiVersion:\s*[\"']?argoproj\.io/v1alpha1\b", re.MULTILINE)
WORKFLOW = re.compile(r"^kind:\s*[\"']?(?:Cron|Cluster)?Workflow", re.MULTILINE)
PROJECT = re.compile(r"^entry_points:", re.MULTILINE)
REQUEST = re.compile(
    r"\"(?:" + "|".join(sagemaker.NAMES) + r")\"\s*:|\"Version\"\s*:\s*\"2020-12-01\""
)


class MLOps(Category[Document]):
    """The category `mlops`."""

    id = "mlops"
    title = "MLOps"
    languages = ("yaml", "yml", "json", "kubernetes", "mlproject")
    filename = "mlops.yaml"
    rules = rules.RULES

    def detect(self, text: str, filename: str | None) -> Evidence:
        if (filename or "").lower().startswith("mlproject"):
            return Evidence.CERTAIN
        is_request = text.lstrip().startswith("{") and REQUEST.search(text)
        is_project = PROJECT.search(text) and "command:" in text
        is_object = OBJECT.search(text) or (ARGO.search(text) and WORKFLOW.search(text))
        return Evidence.LIKELY if is_request or is_project or is_object else Evidence.NONE

    def parse(self, text: str) -> Document:
        if text.lstrip().startswith("{"):
            try:
                fields = json.loads(text)
            # json.loads recurses: brackets a thousand deep end in RecursionError.
            except (ValueError, RecursionError):
                fields = None
            if isinstance(fields, dict) and "apiVersion" not in fields:
                request = sagemaker.request_of(fields)
                if request is None:
                    message = f"the object has none of {', '.join(sagemaker.NAMES)}, and no Steps"
                    raise ParseError(rules.REQUEST.finding(message, 1))
                return request
        documents = yaml_documents(text, kubernetes_rules.YAML)
        if len(documents) == 1 and mlproject.is_project(documents[0]):
            return Project(text, documents[0])
        return manifests.parsed(text)

    def schema(self, document: Document) -> Sequence[Finding]:
        if isinstance(document, Manifest):
            return [
                finding
                for item in document.items
                for finding in resources.schema_findings(document, item)
            ]
        if isinstance(document, Project):
            return list(mlproject.schema_findings(document))
        return sagemaker.schema_findings(document)

    def references(self, document: Document) -> Sequence[Finding]:
        if isinstance(document, Manifest):
            return resources.reference_findings(document)
        if isinstance(document, Project):
            return list(mlproject.reference_findings(document))
        return list(sagemaker.reference_findings(document))

    def effective(self, document: Document) -> Configuration:
        if isinstance(document, Manifest):
            return resources.effective(document)
        return (
            mlproject.effective(document)
            if isinstance(document, Project)
            else sagemaker.effective(document)
        )

    def policy(self, document: Document) -> Sequence[Finding]:
        if isinstance(document, Manifest):
            return [finding for item in document.items for finding in _policy(document, item)]
        if isinstance(document, Project):
            return list(mlproject.policy_findings(document))
        return list(sagemaker.policy_findings(document))


def _policy(manifest: Manifest, item: Item) -> Iterator[Finding]:
    yield from kubernetes_policy.findings(manifest, item)
    for path, pod in item.pods:
        for key, index, container in containers_of(pod):
            amounts = container.get("resources") or {}
            # https://kubernetes.io/docs/tasks/manage-gpus/scheduling-gpus/: never requests alone.
            wanted = [name for name in amounts.get("requests") or () if name.endswith("/gpu")]
            if any(name not in (amounts.get("limits") or {}) for name in wanted):
                message = f"container {container.get('name')}: {wanted[0]} belongs in limits"
                yield rules.NO_ACCELERATOR_LIMIT.finding(
                    message, manifest.line(item, *path, key, index)
                )


CATEGORY = MLOps()
