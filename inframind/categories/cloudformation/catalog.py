"""Resource types as AWS publishes them, a service at a time."""

from functools import cache
from typing import Any

from inframind.categories.shared import json_schema

PACKAGE = "inframind.categories.cloudformation"


@cache
def index() -> Any:
    """Services, and the values of instance types."""
    return json_schema.load(PACKAGE, "index")


def resource(kind: str) -> dict[str, Any] | None:
    """Loads schema, definitions and attributes of a type; None if there is no such type."""
    service = "::".join(kind.split("::")[:2])
    if service not in index()["services"]:
        return None
    schema: dict[str, Any] | None = json_schema.load(
        PACKAGE, service.replace("::", "-").lower()
    ).get(kind)
    return schema


def is_custom(kind: str) -> bool:
    """Tells whether a Lambda function or topic of the user makes the resource."""
    return kind.startswith("Custom::") or kind == "AWS::CloudFormation::CustomResource"


def allowed(kind: str, name: str) -> list[str] | None:
    """Lists the values that AWS lists for a property at the top of a type."""
    values: list[str] | None = index()["values"].get(f"{kind}.{name}")
    return values
