"""What a configuration would really create, as plain data for intent checks."""

from collections.abc import Iterator
from typing import Any

from inframind.categories.base import Configuration, Link, Resource
from inframind.categories.terraform.expressions import Evaluator
from inframind.categories.terraform.module import Module
from inframind.categories.terraform.references import Scope
from inframind.categories.terraform.syntax import Block, Body, Node, text_of
from inframind.categories.terraform.values import Reference, is_known, plain

SKIPPED = frozenset({"lifecycle", "provisioner", "connection"})
MAX_EXPANDED = 100


class Reader:
    """Reads bodies to fields, and remembers the references in them."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.evaluator = Evaluator(module)
        self.links: list[tuple[str, str, str]] = []

    def fields(self, body: Body, scope: Scope, path: str = "") -> dict[str, Any]:
        """Attributes by name; nested and dynamic blocks as lists of mappings."""
        found: dict[str, Any] = {}
        for name, attribute in body.attributes.items():
            value = self.evaluator.value(attribute.expression, scope)
            self._remember(value, attribute.expression, f"{path}{name}", scope)
            found[name] = plain(value)
        for block in body.blocks:
            if block.type in SKIPPED:
                continue
            name = block.labels[0] if block.type == "dynamic" and block.labels else block.type
            for inner in self._instances(block, scope):
                found.setdefault(name, [])
                if isinstance(found[name], list):
                    found[name].append(self.fields(inner, scope.with_names([name]), f"{path}{name}."))
        return found

    def _instances(self, block: Block, scope: Scope) -> Iterator[Body]:
        """The body once, or as often as a dynamic block's static list says."""
        if block.type != "dynamic":
            yield block.body
            return
        over = block.body.attributes.get("for_each")
        value = self.evaluator.value(over.expression if over else None, scope)
        count = len(value) if isinstance(value, list | dict) else 1
        for content in block.body.named("content"):
            for _ in range(min(count, MAX_EXPANDED)):
                yield content.body

    def _remember(self, value: Any, node: Node | None, path: str, scope: Scope) -> None:
        self.links += [(path, r.kind, r.name) for r in references_in(value)]
        if node is not None and not is_known(value) and not isinstance(value, Reference):
            self.links += [(path, kind, name) for kind, name in self._mentioned(node)]

    def _mentioned(self, node: Node) -> Iterator[tuple[str, str]]:
        """Objects named anywhere below a node: inside templates, function calls and operations."""
        if node.type == "variable_expr":
            steps = []
            sibling = node.next_sibling
            while sibling is not None and sibling.type == "get_attr" and len(steps) < 2:
                steps.append(text_of(sibling.children[1]))
                sibling = sibling.next_sibling
            root = text_of(node)
            if root == "data" and len(steps) == 2 and ("data", *steps) in self.module.objects:
                yield f"data.{steps[0]}", steps[1]
            elif steps and ("resource", root, steps[0]) in self.module.objects:
                yield root, steps[0]
        for child in node.named_children:
            yield from self._mentioned(child)


def references_in(value: Any) -> Iterator[Reference]:
    """All references in a value."""
    if isinstance(value, Reference):
        yield value
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from references_in(item)


def exists(block: Block, evaluator: Evaluator) -> bool:
    """Whether the block makes at least one object that Terraform would manage: not for count 0, an empty for_each, or
    `ignore_changes = all`, which freezes whatever happens to be there."""
    attributes = block.body.attributes
    for key in ("count", "for_each"):
        if key in attributes:
            value = evaluator.value(attributes[key].expression, Scope())
            if value in (0, "0") or (isinstance(value, list | dict) and not value):
                return False
    for lifecycle in block.body.named("lifecycle"):
        ignored = lifecycle.body.attributes.get("ignore_changes")
        if ignored and ignored.expression and text_of(ignored.expression).strip() == "all":
            return False
    return True


def configuration(module: Module) -> Configuration:
    """Every object of the module that would exist, and the references between them."""
    resources: list[Resource] = []
    links: list[Link] = []
    reader = Reader(module)
    for block in module.sound:
        if block.type in ("locals", "moved", "import", "removed", "check"):
            continue
        if not exists(block, reader.evaluator):
            continue
        own = (block.type, *block.labels) if len(block.labels) == 2 else None
        scope = Scope(each=True, count=True, own=own, allows_self=True)  # type: ignore[arg-type]  # two labels make three parts
        reader.links = []
        kind, name = _kind_and_name(block)
        resources.append(Resource(kind, name, _fields(reader, block, scope), block.line))
        links += [Link(len(resources) - 1, path, to, target) for path, to, target in reader.links]
    known = {(resource.kind, resource.name) for resource in resources}
    return Configuration(tuple(resources), tuple(link for link in links if (link.kind, link.name) in known))


def _kind_and_name(block: Block) -> tuple[str, str]:
    if block.type == "resource":
        return block.labels[0], block.labels[1]
    if len(block.labels) == 2:
        return f"{block.type}.{block.labels[0]}", block.labels[1]
    return block.type, block.labels[0] if block.labels else block.type


def _fields(reader: Reader, block: Block, scope: Scope) -> dict[str, Any]:
    if block.type != "variable":
        return reader.fields(block.body, scope)
    # A type is no expression: it is kept as it is written.
    fields = reader.fields(Body({k: a for k, a in block.body.attributes.items() if k != "type"}), scope)
    declared = block.body.attributes.get("type")
    return fields | ({"type": text_of(declared.expression)} if declared and declared.expression else {})
