"""The registry: one line per category, loaded when first asked for."""

import importlib
from functools import cache
from typing import Any

from inframind.categories.base import Category, Rule
from inframind.categories.shared.linters import DeepTool
from inframind.errors import ConfigError

CATEGORIES: dict[str, str] = {
    "terraform": "inframind.categories.terraform.validator:Terraform",
    "cloudformation": "inframind.categories.cloudformation.validator:CloudFormation",
    "kubernetes": "inframind.categories.kubernetes.validator:Kubernetes",
    "dockerfile": "inframind.categories.dockerfile.validator:Dockerfile",
    "compose": "inframind.categories.compose.validator:Compose",
    "github-actions": "inframind.categories.github_actions.validator:GitHubActions",
    "gitlab-ci": "inframind.categories.gitlab_ci.validator:GitLabCI",
    "jenkins": "inframind.categories.jenkins.validator:Jenkins",
    "mlops": "inframind.categories.mlops.validator:MLOps",
    "ansible": "inframind.categories.ansible.validator:Ansible",
    "prometheus": "inframind.categories.prometheus.validator:Prometheus",
    "grafana": "inframind.categories.grafana.validator:Grafana",
    "helm": "inframind.categories.helm.validator:Helm",
    "decline": "inframind.categories.decline.validator:Decline",
}

DEEP_TOOLS: dict[str, str] = {
    "terraform": "inframind.categories.terraform.deep:Modules",
    "dockerfile": "inframind.categories.dockerfile.deep:Hadolint",
    "github-actions": "inframind.categories.github_actions.deep:Workflows",
    "cloudformation": "inframind.categories.cloudformation.deep:Templates",
    "ansible": "inframind.categories.ansible.deep:SyntaxCheck",
}
"""Category -> the tool that checks its texts more deeply, where there is one."""


@cache
def deep_tool(name: str) -> DeepTool | None:
    """The deep check of a category, whether or not its tool is installed."""
    if name not in DEEP_TOOLS:
        return None
    module, _, attribute = DEEP_TOOLS[name].partition(":")
    tool: DeepTool = getattr(importlib.import_module(module), attribute)()
    return tool


@cache
def category(name: str) -> Category[Any]:
    """The category of that id. Raises ConfigError with the known ids."""
    target = CATEGORIES.get(name)
    if target is None:
        raise ConfigError(
            f"unknown category {name!r}; known: {', '.join(CATEGORIES)}", param="category"
        )
    module, _, attribute = target.partition(":")
    instance: Category[Any] = getattr(importlib.import_module(module), attribute)()
    return instance


def vocabulary() -> dict[str, dict[str, tuple[Rule, ...]]]:
    """Lists the rule ids of all categories: id -> category -> its rules of that id.

    Loads every category.
    """
    words: dict[str, dict[str, tuple[Rule, ...]]] = {}
    for name in CATEGORIES:
        for rule in category(name).rules:
            users = words.setdefault(rule.id, {})
            users[name] = (*users.get(name, ()), rule)
    return words
