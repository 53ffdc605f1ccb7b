"""Bodies against schemas: arguments, nested blocks, dynamic blocks, and the blocks of the language itself."""

from collections import Counter
from typing import Any

from inframind.categories.terraform import rules
from inframind.categories.terraform.expressions import Evaluator
from inframind.categories.terraform.provider import LIST, MAP, REQUIRED, SET, SINGLE, BlockSchema, provider
from inframind.categories.terraform.references import Scope
from inframind.categories.terraform.syntax import Attribute, Block, Body, text_of
from inframind.categories.terraform.values import Unknown, misfit
from inframind.types import Finding

META = frozenset({"count", "for_each", "provider", "depends_on"})
LIFECYCLE = frozenset({"create_before_destroy", "prevent_destroy", "ignore_changes", "replace_triggered_by"})
PROVISIONERS = frozenset({"local-exec", "remote-exec", "file"})
LANGUAGE: dict[str, tuple[frozenset[str], frozenset[str], frozenset[str]]] = {
    "variable": (
        frozenset({"type", "default", "description", "sensitive", "nullable", "ephemeral"}), frozenset({"validation"}), frozenset(),
    ),
    "output": (
        frozenset({"value", "description", "sensitive", "depends_on", "ephemeral"}), frozenset({"precondition"}), frozenset({"value"}),
    ),
    "terraform": (
        frozenset({"required_version", "experiments"}),
        frozenset({"required_providers", "backend", "cloud", "provider_meta"}),
        frozenset(),
    ),
    "moved": (frozenset({"from", "to"}), frozenset(), frozenset({"from", "to"})),
}  # fmt: skip
"""Blocks of the language: arguments, nested blocks, required arguments."""
TYPE_WORDS = frozenset("string number bool any list set map object tuple optional".split())


class BodyChecker:
    """Checks the blocks of one module; findings gather in `findings` and in the evaluator's resolver."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self.findings: list[Finding] = []

    def check(self, body: Body, schema: BlockSchema, scope: Scope, where: str, line: int, *, meta: bool = False) -> None:
        """A body against a block schema. `meta`: count, lifecycle and the like are allowed here."""
        for attribute in body.repeated:
            self.findings.append(rules.ARGUMENT.finding(f"{attribute.name} is set twice in {where}", attribute.line))
        given: Counter[str] = Counter()
        dynamic: set[str] = set()
        for block in body.blocks:
            if meta and block.type in ("lifecycle", "connection", "provisioner"):
                continue
            if block.type == "dynamic":
                self._dynamic(block, schema, scope, where, dynamic)
            else:
                self._nested(block, schema, scope, where)
                given[block.type] += 1
        for attribute in body.attributes.values():
            if not (meta and attribute.name in META):
                self._attribute(attribute, schema, scope, where)
        present = set(body.attributes) | set(given) | dynamic
        self._required(schema, present, where, line)
        self._counts(schema, given, dynamic, where, line)

    def _attribute(self, attribute: Attribute, schema: BlockSchema, scope: Scope, where: str) -> None:
        value = self.evaluator.value(attribute.expression, scope)
        name = attribute.name
        if name not in schema.attributes:
            hint = f": {name} is a block, write {name} {{ ... }}" if name in schema.blocks else ""
            self.findings.append(rules.ARGUMENT.finding(f"{where} has no argument {name!r}{hint}", attribute.line))
            return
        if not schema.flags(name) & 3:
            self.findings.append(rules.ARGUMENT.finding(f"{name} of {where} is computed and cannot be set", attribute.line))
        why = misfit(value, schema.type(name))
        if why:
            self.findings.append(rules.TYPE.finding(f"{name} of {where}: {why}", attribute.line))
        if value is None and schema.flags(name) & REQUIRED:
            self.findings.append(rules.REQUIRED.finding(f"{name} of {where} is required and null", attribute.line))

    def _nested(self, block: Block, schema: BlockSchema, scope: Scope, where: str) -> None:
        name = block.type
        if name in schema.blocks:
            if block.labels and schema.blocks[name][0] != MAP:
                self.findings.append(rules.BLOCK.finding(f"{name} in {where} has no label", block.line))
            self.check(block.body, schema.below(name), scope, f"{where}.{name}", block.line)
            return
        if name in schema.attributes and self._as_block(schema.type(name)):
            self._object_block(block, schema.type(name)[1][1], scope, f"{where}.{name}")
            return
        hint = f": write {name} = {{ ... }}" if name in schema.attributes else ""
        self.findings.append(rules.BLOCK.finding(f"{where} has no block {name!r}{hint}", block.line))

    @staticmethod
    def _as_block(kind: object) -> bool:
        """Lists of objects may be written as blocks (attributes as blocks)."""
        return isinstance(kind, list) and kind[0] in ("list", "set") and isinstance(kind[1], list) and kind[1][0] == "object"

    def _object_block(self, block: Block, attributes: dict[str, Any], scope: Scope, where: str) -> None:
        """A list of objects written as blocks: what is left out is null."""
        for attribute in block.body.attributes.values():
            value = self.evaluator.value(attribute.expression, scope)
            if attribute.name not in attributes:
                self.findings.append(rules.ARGUMENT.finding(f"{where} has no argument {attribute.name!r}", attribute.line))
            elif why := misfit(value, attributes[attribute.name]):
                self.findings.append(rules.TYPE.finding(f"{attribute.name} of {where}: {why}", attribute.line))

    def _dynamic(self, block: Block, schema: BlockSchema, scope: Scope, where: str, dynamic: set[str]) -> None:
        name = block.labels[0] if len(block.labels) == 1 else ""
        contents = list(block.body.named("content"))
        attributes = block.body.attributes
        if name not in schema.blocks:
            if name not in schema.attributes:
                self.findings.append(rules.BLOCK.finding(f"{where} has no block {name!r}", block.line))
            return
        if "for_each" not in attributes or len(contents) != 1:
            self.findings.append(rules.REQUIRED.finding(f"dynamic {name} needs for_each and one content block", block.line))
            return
        dynamic.add(name)
        self.evaluator.value(attributes["for_each"].expression, scope)
        iterator = attributes.get("iterator")
        loop = text_of(iterator.expression) if iterator and iterator.expression else name
        self.check(contents[0].body, schema.below(name), scope.with_names([loop]), f"{where}.{name}", block.line)

    def _required(self, schema: BlockSchema, present: set[str], where: str, line: int) -> None:
        for name, (flags, _) in schema.attributes.items():
            if flags & REQUIRED and name not in present:
                self.findings.append(rules.REQUIRED.finding(f"{where} needs the argument {name!r}", line))

    def _counts(self, schema: BlockSchema, given: Counter[str], dynamic: set[str], where: str, line: int) -> None:
        for name, (mode, low, high, _) in schema.blocks.items():
            count = given[name]
            if name in dynamic:
                continue
            if count < low or (mode == SINGLE and low and not count):
                self.findings.append(rules.REQUIRED.finding(f"{where} needs a block {name!r}", line))
            most = high if mode in (LIST, SET) else 1 if mode == SINGLE else 0
            if most and count > most:
                self.findings.append(rules.COUNT_BLOCKS.finding(f"{where} has {count} {name!r} blocks; at most {most}", line))

    def resource(self, block: Block) -> None:
        """A resource, data source or ephemeral resource."""
        kind, name = block.labels
        attributes = block.body.attributes
        own = (block.type, kind, name)
        scope = Scope(each="for_each" in attributes, count="count" in attributes, own=own)
        self._meta(block, own)
        found = provider(kind.partition("_")[0])
        if found is None:
            self.findings.append(rules.FOREIGN.finding(f"the provider of {kind} is not verified", block.line))
            return
        schema = found.kind(block.type, kind)
        if schema is None:
            self.findings.append(rules.RESOURCE_TYPE.finding(f"there is no {block.type} type {kind!r}", block.line))
            return
        self.check(block.body, schema, scope, kind, block.line, meta=True)
        for nested in block.body.blocks:
            self._meta_block(nested, scope)

    def _meta(self, block: Block, own: tuple[str, str, str]) -> None:
        attributes = block.body.attributes
        if "count" in attributes and "for_each" in attributes:
            self.findings.append(rules.META.finding("count and for_each exclude one another", block.line))
        for key, kind in (("count", "number"), ("for_each", "map")):
            if key in attributes:
                value = self.evaluator.value(attributes[key].expression, Scope(own=own))
                wrong = misfit(value, kind) if key == "count" else self._not_iterable(value, text_of(attributes[key].expression))  # type: ignore[arg-type]  # parsed attributes have an expression
                if wrong:
                    self.findings.append(rules.META.finding(f"{key}: {wrong}", attributes[key].line))
        if "depends_on" in attributes:
            self.evaluator.value(attributes["depends_on"].expression, Scope(own=own))

    @staticmethod
    def _not_iterable(value: object, text: str) -> str | None:
        plain = isinstance(value, str | int | float | bool) or (
            isinstance(value, Unknown) and value.type in ("string", "number", "bool")
        )
        if plain or (isinstance(value, list) and "toset(" not in text):
            return "a map or a set is required: write toset([...])"
        return None

    def _meta_block(self, block: Block, scope: Scope) -> None:
        inner = Scope(scope.names, scope.each, scope.count, scope.own, allows_self=True)
        if block.type == "lifecycle":
            for name in set(block.body.attributes) - LIFECYCLE:
                self.findings.append(rules.ARGUMENT.finding(f"lifecycle has no argument {name!r}", block.line))
            for condition in block.body.blocks:
                self.expressions(condition.body, inner)
        elif block.type == "provisioner":
            if not block.labels or block.labels[0] not in PROVISIONERS:
                self.findings.append(rules.BLOCK.finding("there is no such provisioner", block.line))
            self.expressions(block.body, inner)
        elif block.type == "connection":
            self.expressions(block.body, inner)

    def expressions(self, body: Body, scope: Scope) -> None:
        """Evaluates every expression of a body that has no schema."""
        for attribute in body.attributes.values():
            self.evaluator.value(attribute.expression, scope)
        for block in body.blocks:
            self.expressions(block.body, scope)

    def language(self, block: Block) -> None:
        """variable, output, terraform and moved blocks, locals and checks."""
        known = LANGUAGE.get(block.type)
        if known:
            arguments, blocks, required = known
            for attribute in (*block.body.attributes.values(), *block.body.repeated):
                if attribute.name not in arguments or attribute in block.body.repeated:
                    self.findings.append(
                        rules.ARGUMENT.finding(f"{block.type}: {attribute.name!r} cannot stand here", attribute.line)
                    )
            for nested in block.body.blocks:
                if nested.type not in blocks:
                    self.findings.append(rules.BLOCK.finding(f"{block.type} has no block {nested.type!r}", nested.line))
            for name in required - set(block.body.attributes):
                self.findings.append(rules.REQUIRED.finding(f"{block.type} needs {name!r}", block.line))
        if block.type == "variable":
            self._variable(block)
        elif block.type in ("output", "locals", "check"):
            self.expressions(block.body, Scope())

    def _variable(self, block: Block) -> None:
        attributes = block.body.attributes
        declared = attributes.get("type")
        kind = text_of(declared.expression) if declared and declared.expression else "any"
        if kind.startswith('"'):
            self.findings.append(rules.TYPE.finding(f"write the type without quotes: type = {kind.strip(chr(34))}", block.line))
        elif kind.partition("(")[0].strip() not in TYPE_WORDS:
            self.findings.append(rules.TYPE.finding(f"{kind!r} is not a type", block.line))
        if "default" in attributes:
            value = self.evaluator.value(attributes["default"].expression, Scope())
            word, _, inner = kind.replace(" ", "").partition("(")
            item = inner.removesuffix(")")
            simple = (
                word
                if word in ("string", "number", "bool")
                else [word, item]
                if item in ("string", "number", "bool")
                else "dynamic"
            )
            why = misfit(value, simple)
            if why:
                self.findings.append(rules.TYPE.finding(f"default: {why}", attributes["default"].line))
