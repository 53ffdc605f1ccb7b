"""Security of AWS configurations. Never part of the verdict unless a task lists the rule."""

import json
import re
from collections.abc import Iterator
from typing import Any

from inframind.categories.base import Configuration, Resource
from inframind.categories.terraform import rules
from inframind.types import Finding

SECRET_NAME = re.compile(r"(password|secret|token|private_key|access_key|api_key)$")
WORLD = frozenset({"0.0.0.0/0", "::/0"})
ADMIN_PORTS = (22, 3389)
ENCRYPTED = {"aws_ebs_volume": "encrypted", "aws_db_instance": "storage_encrypted", "aws_efs_file_system": "encrypted"}


def findings(configuration: Configuration) -> Iterator[Finding]:
    """Findings of the policy rung."""
    for resource in configuration.resources:
        fields = resource.fields
        for rule in [*(fields.get("ingress") or []), fields]:
            if isinstance(rule, dict) and _opens_admin_port(rule):
                yield rules.OPEN_SSH.finding(f"{resource.name} opens SSH or RDP to the world", resource.line)
        for key, value in fields.items():
            if SECRET_NAME.search(key) and isinstance(value, str) and value:
                yield rules.SECRET.finding(f"{key} of {resource.name} is written in plain", resource.line)
        wanted = ENCRYPTED.get(resource.kind)
        if wanted and fields.get(wanted) not in (True, "true"):
            yield rules.ENCRYPTION.finding(f"{resource.name}: set {wanted} = true", resource.line)
        if str(fields.get("acl", "")).startswith("public"):
            yield rules.PUBLIC.finding(f"{resource.name} is public", resource.line)
        if _allows_everything(fields.get("policy")):
            yield rules.STAR.finding(f"the policy of {resource.name} allows every action on everything", resource.line)
        yield from _executes(resource)


def _opens_admin_port(rule: dict[str, Any]) -> bool:
    blocks = {str(block) for key in ("cidr_blocks", "ipv6_cidr_blocks") for block in _listed(rule.get(key))}
    low, high = rule.get("from_port"), rule.get("to_port")
    if not blocks & WORLD or rule.get("type", "ingress") != "ingress":
        return False
    return (
        isinstance(low, int) and isinstance(high, int) and any(low <= port <= high or (low, high) == (0, 0) for port in ADMIN_PORTS)
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _allows_everything(policy: Any) -> bool:
    try:
        document = json.loads(policy) if isinstance(policy, str) else {}
    except ValueError:
        return False
    statements = document.get("Statement", []) if isinstance(document, dict) else []
    return any(
        statement.get("Effect") == "Allow"
        and "*" in (statement.get("Action"), *_listed(statement.get("Action")))
        and "*" in (statement.get("Resource"), *_listed(statement.get("Resource")))
        for statement in (statements if isinstance(statements, list) else [statements])
        if isinstance(statement, dict)
    )


def _executes(resource: Resource) -> Iterator[Finding]:
    if resource.kind in ("data.external", "null_resource"):
        yield rules.EXECUTES.finding(f"{resource.kind} {resource.name} runs a program", resource.line)
