"""`Fn::ForEach` of the transform AWS::LanguageExtensions, unrolled as CloudFormation does before it
reads the template.

AWS CloudFormation User Guide, intrinsic-function-reference-foreach.html.
"""

import re
from typing import Any

LOOP = "Fn::ForEach::"
SECTIONS = ("Conditions", "Resources", "Outputs")
# AWS CloudFormation User Guide, cloudformation-limits.html.
MAX_COPIES = 500
"""Of a loop's body, over all loops: as many resources as a template may have."""


class LoopError(ValueError):
    """A loop that CloudFormation refuses."""


class UnknownItemsError(Exception):
    """A loop over what only the account knows: no fault of the template."""


def unrolled(fields: dict[str, Any]) -> dict[str, Any]:
    """Unrolls the loops of a template.

    Raises LoopError; a loop over what is not in the template stays.
    """
    unroller = Unroller(fields.get("Parameters"))
    try:
        return {
            name: unroller.value(part) if name in SECTIONS else part
            for name, part in fields.items()
        }
    except UnknownItemsError:
        return fields


class Unroller:
    """Unrolls the loops of one template, whose parameters may be the collections."""

    def __init__(self, parameters: Any) -> None:
        self._parameters = parameters if isinstance(parameters, dict) else {}
        self._copies = 0

    def value(self, node: Any) -> Any:
        """Unrolls the loops in a node."""
        if isinstance(node, list):
            return [self.value(item) for item in node]
        if not isinstance(node, dict):
            return node
        members: dict[str, Any] = {}
        for key, item in node.items():
            entries = self._loop(key, item) if key.startswith(LOOP) else {key: self.value(item)}
            twice = members.keys() & entries.keys()
            if twice:
                raise LoopError(f"{key}: {min(twice)!r} comes out twice")
            members |= entries
        return members

    def _loop(self, key: str, argument: Any) -> dict[str, Any]:
        if (
            not isinstance(argument, list)
            or len(argument) != 3
            or not isinstance(argument[2], dict)
        ):
            raise LoopError(f"{key} takes an identifier, a collection and a mapping")
        identifier, collection, body = argument
        if not isinstance(identifier, str) or not identifier.isalnum():
            raise LoopError(f"{key}: the identifier has letters and digits")
        if identifier in self._parameters:
            raise LoopError(f"{key}: the identifier {identifier!r} is a parameter already")
        members: dict[str, Any] = {}
        for item in self._items(key, collection):
            self._copies += 1
            if self._copies > MAX_COPIES:
                raise LoopError(f"the loops make more than {MAX_COPIES} copies")
            entries = self.value(replaced(body, identifier, item))
            twice = members.keys() & entries.keys()
            if twice:
                raise LoopError(
                    f"{key}: {min(twice)!r} comes out twice: use ${{{identifier}}} in the name"
                )
            members |= entries
        return members

    def _items(self, key: str, collection: Any) -> list[str]:
        parts = collection if isinstance(collection, list) else [collection]
        items = [item for part in parts for item in self._part(key, part)]
        if not items:
            raise LoopError(f"{key}: the collection is empty")
        return items

    def _part(self, key: str, part: Any) -> list[str]:
        if isinstance(part, str | int) and not isinstance(part, bool):
            return [str(part)]
        if not isinstance(part, dict) or len(part) != 1:
            raise LoopError(
                f"{key}: the collection is a list of texts, or refers to a parameter that is one"
            )
        name = part.get("Ref")
        parameter = self._parameters.get(name) if isinstance(name, str) else None
        default = parameter.get("Default") if isinstance(parameter, dict) else None
        if not isinstance(default, str):
            raise UnknownItemsError
        return [item.strip() for item in default.split(",")]


def replaced(node: Any, identifier: str, item: str) -> Any:
    """Copies a loop's body for one item.

    `&{identifier}` is the item without what a logical id cannot have.
    """
    # Logical ids are alphanumeric: resources-section-structure.html.
    plain = re.sub(r"[^A-Za-z0-9]", "", item)

    def text(value: str) -> str:
        return value.replace(f"${{{identifier}}}", item).replace(f"&{{{identifier}}}", plain)

    if isinstance(node, str):
        return text(node)
    if isinstance(node, list):
        return [replaced(child, identifier, item) for child in node]
    if not isinstance(node, dict):
        return node
    if node == {"Ref": identifier}:
        return item
    copy = {text(key): replaced(child, identifier, item) for key, child in node.items()}
    # What is left of `!Sub Bucket${Identifier}` is the name of a resource.
    name = copy.get("Fn::Sub") if len(copy) == 1 else None
    return name if isinstance(name, str) and "${" not in name and name != node["Fn::Sub"] else copy
