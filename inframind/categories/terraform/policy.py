"""Security of AWS configurations. Counts where a request lists the rule.

The controls are those of AWS Security Hub; what is not known without running Terraform is given the
benefit of the doubt.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from inframind.categories.base import Configuration, Resource, Rule
from inframind.categories.shared.policies import WORLD, is_secret_field
from inframind.categories.shared.values import listed
from inframind.categories.terraform import rules
from inframind.categories.terraform.module import Module
from inframind.types import Finding

Fields = Mapping[str, Any]
# AKIA begins access key ids: IAM User Guide, reference_identifiers.html#identifiers-unique-ids.
SECRET_VALUE = re.compile(r"\bAKIA[0-9A-Z]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY-----")
ADMIN_PORTS = (22, 3389)
ENCRYPTED = {
    "aws_ebs_volume": "encrypted",
    "aws_db_instance": "storage_encrypted",
    "aws_rds_cluster": "storage_encrypted",
    "aws_docdb_cluster": "storage_encrypted",
    "aws_neptune_cluster": "storage_encrypted",
    "aws_efs_file_system": "encrypted",
    "aws_redshift_cluster": "encrypted",
    "aws_elasticache_replication_group": "at_rest_encryption_enabled",
}
"""Resource type -> the argument that encrypts; all are off by default."""
INHERITS = (
    "replicate_source_db",
    "snapshot_identifier",
    "replication_source_identifier",
    "global_cluster_identifier",
)
"""With one of these, encryption comes from elsewhere."""
BLOCK_PUBLIC = (
    "block_public_acls",
    "block_public_policy",
    "ignore_public_acls",
    "restrict_public_buckets",
)


def findings(module: Module, configuration: Configuration) -> Iterator[Finding]:
    """Findings of the policy rung."""
    for resource in configuration.resources:
        for rule, judge in JUDGES:
            for message in judge(resource):
                yield rule.finding(message, resource.line)
    for block in module.sound:
        for nested in block.body.named("provisioner"):
            yield rules.EXECUTES.finding(
                f"{'.'.join(block.labels)} runs a provisioner", nested.line
            )


def is_computed(value: Any) -> bool:
    """Tells whether only Terraform knows the value."""
    return isinstance(value, dict) and bool(value.keys() & {"$ref", "$expr"})


def is_on(value: Any) -> bool:
    """Tells whether a switch is on, or may be."""
    return value in (True, "true") or is_computed(value)


def open_admin_port(resource: Resource) -> Iterator[str]:
    fields = resource.fields
    ingress: list[Any] = []
    if resource.kind in ("aws_security_group", "aws_default_security_group"):
        ingress = listed(fields.get("ingress"))
    elif resource.kind == "aws_security_group_rule" and fields.get("type") == "ingress":
        ingress = [fields]
    elif resource.kind == "aws_vpc_security_group_ingress_rule":
        ingress = [{**fields, "protocol": fields.get("ip_protocol")}]
    if any(isinstance(rule, Mapping) and _admits_world(rule) for rule in ingress):
        yield f"{resource.name} opens SSH or RDP to the world: name the networks that need it"


def _admits_world(rule: Fields) -> bool:
    keys = ("cidr_blocks", "ipv6_cidr_blocks", "cidr_ipv4", "cidr_ipv6")
    if (
        not {block for key in keys for block in listed(rule.get(key)) if isinstance(block, str)}
        & WORLD
    ):
        return False
    # All protocols: from_port and to_port are 0 then, and bound nothing.
    if str(rule.get("protocol")) in ("-1", "all"):
        return True
    low, high = _port(rule.get("from_port")), _port(rule.get("to_port"))
    return low is not None and high is not None and any(low <= port <= high for port in ADMIN_PORTS)


def _port(value: Any) -> int | None:
    return int(value) if isinstance(value, int | str) and str(value).lstrip("-").isdigit() else None


def plain_secret(resource: Resource) -> Iterator[str]:
    if resource.kind in ("output", "terraform"):
        return
    if resource.kind == "variable":
        default = resource.fields.get("default")
        if is_secret_field(resource.name) and isinstance(default, str) and default:
            yield f"variable {resource.name} has a secret as default: leave it out"
        return
    for path, value in _texts(resource.fields, ""):
        name = path.rpartition(".")[2]
        # The ARN of a secret tells where it is kept, not what it is.
        if (is_secret_field(name) and not value.startswith("arn:")) or SECRET_VALUE.search(value):
            yield f"{path} of {resource.name} is written in plain: use a variable or a secret store"


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        if value:
            yield path, value
    elif isinstance(value, Mapping) and not is_computed(value):
        for key, inner in value.items():
            yield from _texts(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, path)


def unencrypted(resource: Resource) -> Iterator[str]:
    wanted = ENCRYPTED.get(resource.kind)
    inherits = any(resource.fields.get(name) for name in INHERITS)
    if wanted and not inherits and not is_on(resource.fields.get(wanted)):
        yield f"{resource.name}: write {wanted} = true"
    if resource.kind == "aws_instance":
        for name in ("root_block_device", "ebs_block_device"):
            for device in listed(resource.fields.get(name)):
                if (
                    isinstance(device, Mapping)
                    and not is_on(device.get("encrypted"))
                    and "snapshot_id" not in device
                ):
                    yield f"{name} of {resource.name}: write encrypted = true"


def public_bucket(resource: Resource) -> Iterator[str]:
    if resource.kind in ("aws_s3_bucket", "aws_s3_bucket_acl") and str(
        resource.fields.get("acl", "")
    ).startswith("public"):
        yield f"{resource.name} has a public ACL: leave it private"
    if resource.kind == "aws_s3_bucket_public_access_block":
        off = [name for name in BLOCK_PUBLIC if not is_on(resource.fields.get(name))]
        if off:
            yield f"{resource.name} does not block public access: write {off[0]} = true"


def public_database(resource: Resource) -> Iterator[str]:
    kinds = (
        "aws_db_instance",
        "aws_rds_cluster_instance",
        "aws_redshift_cluster",
        "aws_dms_replication_instance",
    )
    if resource.kind in kinds and resource.fields.get("publicly_accessible") in (True, "true"):
        yield f"{resource.name} can be reached from the internet: leave publicly_accessible out"


def iam_star(resource: Resource) -> Iterator[str]:
    statements: list[Any] = []
    if resource.kind == "data.aws_iam_policy_document":
        statements = [
            {
                "Effect": s.get("effect", "Allow"),
                "Action": s.get("actions"),
                "Resource": s.get("resources"),
            }
            for s in listed(resource.fields.get("statement"))
            if isinstance(s, Mapping)
        ]
    elif resource.kind.startswith("aws_iam_") and isinstance(
        resource.fields.get("policy"), Mapping
    ):
        statements = listed(resource.fields["policy"].get("Statement"))
    if any(
        isinstance(statement, Mapping) and _allows_everything(statement) for statement in statements
    ):
        yield f"the policy of {resource.name} allows everything on everything: name what is needed"


def _allows_everything(statement: Fields) -> bool:
    everything = "*" in listed(statement.get("Action")) and "*" in listed(statement.get("Resource"))
    return everything and statement.get("Effect") == "Allow"


def executes(resource: Resource) -> Iterator[str]:
    if resource.kind == "data.external":
        yield f"{resource.kind} {resource.name} runs a program"


def metadata_v1(resource: Resource) -> Iterator[str]:
    options = listed(resource.fields.get("metadata_options"))
    if resource.kind in ("aws_instance", "aws_launch_template") and not any(
        isinstance(option, Mapping)
        and (option.get("http_tokens") == "required" or is_computed(option.get("http_tokens")))
        for option in options
    ):
        remedy = 'metadata_options { http_tokens = "required" }'
        yield f"{resource.name} accepts IMDSv1: write {remedy}"


def no_rotation(resource: Resource) -> Iterator[str]:
    # KMS rotates no asymmetric keys: KMS Developer Guide, rotate-keys.html.
    symmetric = (
        resource.fields.get("customer_master_key_spec", "SYMMETRIC_DEFAULT") == "SYMMETRIC_DEFAULT"
    )
    if (
        resource.kind == "aws_kms_key"
        and symmetric
        and not is_on(resource.fields.get("enable_key_rotation"))
    ):
        yield f"{resource.name}: write enable_key_rotation = true"


def plain_http(resource: Resource) -> Iterator[str]:
    if (
        resource.kind in ("aws_lb_listener", "aws_alb_listener")
        and resource.fields.get("protocol") == "HTTP"
    ):
        actions = [
            action
            for action in listed(resource.fields.get("default_action"))
            if isinstance(action, Mapping)
        ]
        if not any(action.get("type") == "redirect" for action in actions):
            yield f"{resource.name} serves plain HTTP: redirect to HTTPS"
    if resource.kind == "aws_cloudfront_distribution":
        behaviours = [
            *listed(resource.fields.get("default_cache_behavior")),
            *listed(resource.fields.get("ordered_cache_behavior")),
        ]
        if any(
            isinstance(b, Mapping) and b.get("viewer_protocol_policy") == "allow-all"
            for b in behaviours
        ):
            remedy = 'viewer_protocol_policy = "redirect-to-https"'
            yield f"{resource.name} serves plain HTTP: write {remedy}"


JUDGES: tuple[tuple[Rule, Callable[[Resource], Iterator[str]]], ...] = (
    (rules.OPEN_SSH, open_admin_port),
    (rules.SECRET, plain_secret),
    (rules.ENCRYPTION, unencrypted),
    (rules.PUBLIC, public_bucket),
    (rules.PUBLIC_DATABASE, public_database),
    (rules.STAR, iam_star),
    (rules.EXECUTES, executes),
    (rules.METADATA, metadata_v1),
    (rules.ROTATION, no_rotation),
    (rules.PLAIN_HTTP, plain_http),
)
