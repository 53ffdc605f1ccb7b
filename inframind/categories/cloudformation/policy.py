"""Security and good practice of templates. Counts where a request lists the rule."""

from collections.abc import Iterator
from typing import Any

from inframind.categories.cloudformation import iam_policy, rules
from inframind.categories.cloudformation.template import Template, function
from inframind.categories.shared.policies import WORLD, is_secret_field
from inframind.types import Finding

# SSH, RDP, MySQL, PostgreSQL, SQL Server, Redis and MongoDB.
PORTS = frozenset((22, 3389, 3306, 5432, 1433, 6379, 27017))
ENCRYPTION = {
    "AWS::RDS::DBInstance": "StorageEncrypted",
    "AWS::RDS::DBCluster": "StorageEncrypted",
    "AWS::EC2::Volume": "Encrypted",
    "AWS::EFS::FileSystem": "Encrypted",
    "AWS::Redshift::Cluster": "Encrypted",
}
STATEFUL = frozenset(
    (
        "AWS::RDS::DBInstance",
        "AWS::RDS::DBCluster",
        "AWS::DynamoDB::Table",
        "AWS::EFS::FileSystem",
        "AWS::S3::Bucket",
    )
)


def findings(template: Template) -> Iterator[Finding]:
    """Findings of the policy rung."""
    for name, entry in template.parameters.items():
        if is_secret_field(name) and entry.get("Type") == "String":
            line = template.line("Parameters", name)
            if str(entry.get("NoEcho")).lower() != "true":
                yield rules.NO_ECHO.finding(f"{name}: set NoEcho: true", line)
            if isinstance(entry.get("Default"), str) and entry["Default"]:
                yield rules.SECRET.finding(f"{name} has its secret as default", line)
    for name, entry in template.resources.items():
        properties = entry.get("Properties")
        yield from resource_findings(
            template,
            name,
            str(entry.get("Type")),
            properties if isinstance(properties, dict) else {},
            entry,
        )


def resource_findings(
    template: Template, name: str, kind: str, properties: dict[str, Any], entry: dict[str, Any]
) -> Iterator[Finding]:
    """Judges one resource."""
    for path in secrets(properties):
        yield rules.SECRET.finding(
            f"{name}: {path} stands there in plain: use a dynamic reference",
            template.line("Resources", name),
        )
    if kind in ENCRYPTION and str(properties.get(ENCRYPTION[kind], False)).lower() == "false":
        yield rules.ENCRYPTED.finding(
            f"{name}: set {ENCRYPTION[kind]}: true", template.line("Resources", name)
        )
    if kind in STATEFUL and "DeletionPolicy" not in entry:
        yield rules.RETAIN.finding(
            f"{name}: without DeletionPolicy its data go with the stack",
            template.line("Resources", name),
        )
    if str(properties.get("PubliclyAccessible")).lower() == "true" or str(
        properties.get("AccessControl")
    ).startswith("PublicRead"):
        yield rules.PUBLIC.finding(f"{name} is public", template.line("Resources", name))
    rules_of = (
        [properties]
        if kind == "AWS::EC2::SecurityGroupIngress"
        else properties.get("SecurityGroupIngress")
    )
    for ingress in rules_of if isinstance(rules_of, list) else ():
        if isinstance(ingress, dict) and is_open(ingress):
            yield rules.INGRESS.finding(
                f"{name} lets the world in", template.line("Resources", name)
            )
    for document in documents(properties):
        for statement in iam_policy.statements(document):
            if statement.get("Effect") == "Allow" and all(
                _is_star(statement.get(key)) for key in ("Action", "Resource")
            ):
                yield rules.WILDCARD.finding(
                    f"{name} allows everything on everything", template.line("Resources", name)
                )


def secrets(value: Any, path: str = "") -> Iterator[str]:
    """Paths of literal values whose key is that of a secret."""
    if isinstance(value, dict) and function(value) is None:
        for key, item in value.items():
            where = f"{path}.{key}".lstrip(".")
            if (
                is_secret_field(key)
                and isinstance(item, str)
                and item
                # Parameter Store and Secrets Manager fill these in: dynamic-references.html.
                and "{{resolve:" not in item
                and not item.startswith("arn:")
            ):
                yield where
            yield from secrets(item, where)
    elif isinstance(value, list):
        for item in value:
            yield from secrets(item, path)


def documents(value: Any) -> Iterator[dict[str, Any]]:
    """Yields every policy document below a value."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key in iam_policy.KEYS and isinstance(item, dict):
                yield item
            else:
                yield from documents(item)
    elif isinstance(value, list):
        for item in value:
            yield from documents(item)


def is_open(ingress: dict[str, Any]) -> bool:
    """Tells whether a rule opens an administrator's or a database's port to everybody."""
    if not {str(ingress.get("CidrIp")), str(ingress.get("CidrIpv6"))} & WORLD:
        return False
    # -1 "allows traffic on all ports, regardless of any port range you specify":
    # aws-resource-ec2-securitygroupingress.html.
    if str(ingress.get("IpProtocol")) == "-1":
        return True
    ends = [str(ingress.get(key)) for key in ("FromPort", "ToPort")]
    return all(end.isdigit() and len(end) < 6 for end in ends) and any(
        int(ends[0]) <= port <= int(ends[1]) for port in PORTS
    )


def _is_star(value: Any) -> bool:
    return value == "*" or (isinstance(value, list) and "*" in value)
