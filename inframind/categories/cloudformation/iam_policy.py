"""IAM policy documents: statements with effect, action and resource or principal."""

from collections.abc import Iterator
from typing import Any

from inframind.categories.cloudformation.template import Path, function

KEYS = frozenset(
    ("PolicyDocument", "AssumeRolePolicyDocument", "KeyPolicy", "RepositoryPolicyText")
)
STATEMENT = frozenset(
    (
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    )
)
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html
VERSIONS = ("2012-10-17", "2008-10-17")


def statements(document: Any) -> list[dict[str, Any]]:
    """Lists the statements that are mappings and no function."""
    value = document.get("Statement") if isinstance(document, dict) else None
    entries = value if isinstance(value, list) else [value]
    return [entry for entry in entries if isinstance(entry, dict) and function(entry) is None]


def errors(kind: str, key: str, document: Any) -> Iterator[tuple[Path, str]]:
    """Yields (path, message) for each fault of a policy document.

    One that is written as JSON text is taken as it is.
    """
    if isinstance(document, str) and not document.lstrip().startswith("{"):
        yield (), "a policy is a mapping with Statement"
    if function(document) is not None or not isinstance(document, dict):
        return
    if "Statement" not in document:
        yield (), "a policy needs Statement"
        return
    version = document.get("Version", VERSIONS[0])
    if isinstance(version, str) and version not in VERSIONS:
        yield ("Version",), f"the version of a policy is {' or '.join(VERSIONS)}, not {version!r}"
    for extra in document.keys() - {"Version", "Id", "Statement"}:
        yield (extra,), f"a policy has no {extra!r}"
    for statement in statements(document):
        for message in statement_errors(kind, key, statement):
            yield ("Statement",), message


def statement_errors(kind: str, key: str, statement: dict[str, Any]) -> Iterator[str]:
    """Says what one statement lacks, or holds that it may not."""
    for extra in sorted(statement.keys() - STATEMENT):
        yield f"a statement has no {extra!r}; it has {', '.join(sorted(STATEMENT))}"
    effect = statement.get("Effect")
    if function(effect) is None and effect not in ("Allow", "Deny"):
        yield "Effect is Allow or Deny"
    if not statement.keys() & {"Action", "NotAction"}:
        yield "a statement needs Action"
    identity = key == "PolicyDocument" and kind in (
        "AWS::IAM::Policy",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::RolePolicy",
    )
    # A trust policy is the resource-based policy of its role.
    if key == "AssumeRolePolicyDocument" and not statement.keys() & {"Principal", "NotPrincipal"}:
        yield "a trust policy needs Principal"
    if identity and not statement.keys() & {"Resource", "NotResource"}:
        yield "a statement of an identity's policy needs Resource"
    # "You cannot use the Principal element in an identity-based policy":
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    if identity and statement.keys() & {"Principal", "NotPrincipal"}:
        yield "a policy of an identity has no Principal"
