"""The objects that a configuration would really create, as plain data for intent checks
(docs/contracts/task.md).
"""

from collections.abc import Iterator
from typing import Any

from inframind.categories.base import Configuration, Link, Resource
from inframind.categories.terraform.expressions import Evaluator
from inframind.categories.terraform.fit import type_misfit
from inframind.categories.terraform.module import OBJECTS, Module
from inframind.categories.terraform.provider import BlockSchema, provider
from inframind.categories.terraform.references import Scope
from inframind.categories.terraform.syntax import Attribute, Block, Body, Node, text_of
from inframind.categories.terraform.values import (
    Reference,
    SetValue,
    TypedUnknown,
    Value,
    decoded,
    plain,
)

SKIPPED = frozenset({"lifecycle", "provisioner", "connection"})
NOT_OBJECTS = frozenset({"locals", "moved", "import", "removed", "check"})
# Each round reads a whole body.
MAX_EXPANDED = 100


class Reader:
    """Reads bodies to fields, and remembers the references in them."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.evaluator = Evaluator(module, defaults=True)
        self.links: dict[tuple[str, str, str], None] = {}
        """(path, kind, name) of every reference read, in order."""

    def fields(
        self, body: Body, scope: Scope, schema: BlockSchema | None, path: str = ""
    ) -> dict[str, Any]:
        """Attributes by name; nested and dynamic blocks as lists of mappings."""
        values: dict[str, Any] = {}
        for name, attribute in body.attributes.items():
            kind = schema.type(name) if schema and name in schema.attributes else "dynamic"
            values[name] = self._field(attribute.expression, kind, f"{path}{name}", scope)
        for block in body.blocks:
            if block.type in SKIPPED:
                continue
            name = block.labels[0] if block.type == "dynamic" and block.labels else block.type
            below = schema.below(name) if schema and name in schema.blocks else None
            for inner, bound in self._instances(block, name, scope):
                fields = self.fields(inner, bound, below, f"{path}{name}.")
                earlier = values.setdefault(name, [])
                if isinstance(earlier, list):
                    earlier.append(fields)
        return values

    def _field(self, node: Node | None, kind: Any, path: str, scope: Scope) -> Any:
        self.evaluator.visited.clear()
        value = self.evaluator.value(node, scope)
        if _cannot_hold(value, kind):
            # It passes `terraform validate`, and no plan can make a text of an object.
            value = TypedUnknown(text_of(node) if node else "")
            self.evaluator.visited.clear()
        for reference in self.evaluator.visited:
            self.links[path, reference.kind, reference.name] = None
        return plain(decoded(value) if isinstance(value, str) else value)

    def _instances(self, block: Block, name: str, scope: Scope) -> Iterator[tuple[Body, Scope]]:
        """Yields the body once, or for each item of a dynamic block's list, with its iterator."""
        if block.type != "dynamic":
            yield block.body, scope
            return
        over, iterator = (
            block.body.attributes.get("for_each"),
            block.body.attributes.get("iterator"),
        )
        loop = text_of(iterator.expression) if iterator and iterator.expression else name
        value = self.evaluator.value(over.expression if over else None, scope)
        for content in block.body.named("content"):
            for key, item in _items(value):
                yield content.body, scope.with_names({loop: {"key": key, "value": item}})


def _items(value: Value) -> list[tuple[Value, Value]]:
    if isinstance(value, dict):
        return list(value.items())[:MAX_EXPANDED]
    if isinstance(value, SetValue):
        return [(item, item) for item in value[:MAX_EXPANDED]]
    if isinstance(value, list):
        return list(enumerate(value[:MAX_EXPANDED]))
    return [(TypedUnknown("each.key"), TypedUnknown("each.value"))]


def _cannot_hold(value: Value, kind: Any) -> bool:
    if isinstance(value, Reference):
        have = (
            ["object", {}]
            if value.type == "object"
            else ["list", "dynamic"]
            if value.type == "list"
            else value.type
        )
        return type_misfit(have, kind) is not None
    if isinstance(value, list) and isinstance(kind, list) and kind[0] in ("list", "set"):
        return any(_cannot_hold(item, kind[1]) for item in value)
    return False


def exists(block: Block, evaluator: Evaluator) -> bool:
    """Tells whether a block makes at least one object that Terraform would manage.

    Not with count 0, an empty for_each, or `ignore_changes = all`, which freezes whatever happens
    to be there.
    """
    attributes = block.body.attributes
    if "count" in attributes:
        value = evaluator.value(attributes["count"].expression, Scope())
        if value is None or value is False or (not isinstance(value, bool) and value in (0, "0")):
            return False
    if "for_each" in attributes:
        value = evaluator.value(attributes["for_each"].expression, Scope())
        if value is None or (isinstance(value, list | dict) and not value):
            return False
    return not any(
        _ignores_all(lifecycle.body.attributes.get("ignore_changes"))
        for lifecycle in block.body.named("lifecycle")
    )


def _ignores_all(ignored: Attribute | None) -> bool:
    return bool(
        ignored and ignored.expression and text_of(ignored.expression).strip('[]" ') == "all"
    )


def configuration(module: Module) -> Configuration:
    """Lists every object of the module that would exist, and the references between them."""
    resources: list[Resource] = []
    links: list[Link] = []
    reader = Reader(module)
    for block in module.sound:
        if block.type in NOT_OBJECTS or not exists(block, reader.evaluator):
            continue
        reader.links = {}
        kind, name = _kind_and_name(block)
        resources.append(Resource(kind, name, _fields(reader, block), block.line))
        links += [Link(len(resources) - 1, path, to, target) for path, to, target in reader.links]
    # A reference to an object with count 0 resolves, but leads to nothing that is there.
    existing = {(resource.kind, resource.name) for resource in resources}
    return Configuration(
        tuple(resources), tuple(link for link in links if (link.kind, link.name) in existing)
    )


def _kind_and_name(block: Block) -> tuple[str, str]:
    if block.type == "resource":
        return block.labels[0], block.labels[1]
    if len(block.labels) == 2:
        return f"{block.type}.{block.labels[0]}", block.labels[1]
    return block.type, block.labels[0] if block.labels else block.type


def _fields(reader: Reader, block: Block) -> dict[str, Any]:
    if block.type in OBJECTS:
        key = (block.type, block.labels[0], block.labels[1])
        known_provider = provider(reader.module.provider_of(key))
        schema = known_provider.kind(block.type, block.labels[0]) if known_provider else None
        return reader.fields(block.body, Scope(each=True, count=True, enclosing=key), schema)
    if block.type != "variable":
        return reader.fields(block.body, Scope(each=True, count=True), None)
    # A type is no expression: it is kept as it is written.
    arguments = {
        name: attribute for name, attribute in block.body.attributes.items() if name != "type"
    }
    declared = block.body.attributes.get("type")
    fields = reader.fields(Body(arguments), Scope(), None)
    return fields | (
        {"type": text_of(declared.expression)} if declared and declared.expression else {}
    )
