"""Bodies against provider schemas: arguments, nested blocks, dynamic blocks, and what the
provider's code accepts.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from inframind.categories.terraform import rules
from inframind.categories.terraform.addresses import OF_ITSELF, ignored, roots
from inframind.categories.terraform.constraints import constraints
from inframind.categories.terraform.expressions import Evaluator
from inframind.categories.terraform.fit import PRIMITIVES, misfit
from inframind.categories.terraform.language import (
    CONNECTION,
    DATA_LIFECYCLE,
    LIFECYCLE,
    PROVISIONERS,
    LanguageChecker,
)
from inframind.categories.terraform.module import IDENTIFIER
from inframind.categories.terraform.provider import (
    LIST,
    MAP,
    OPTIONAL,
    REQUIRED,
    SET,
    SINGLE,
    BlockSchema,
    provider,
)
from inframind.categories.terraform.provider_code import NO_CONSTRAINTS, ProviderCode, on_framework
from inframind.categories.terraform.references import Scope
from inframind.categories.terraform.syntax import Attribute, Block, Body, text_of
from inframind.categories.terraform.values import (
    SetValue,
    TypedUnknown,
    Value,
    is_bare,
    shape,
    type_of,
)
from inframind.types import Finding

META = frozenset({"count", "for_each", "provider", "depends_on"})
META_BLOCKS = frozenset({"lifecycle", "connection", "provisioner"})
# Each round checks a whole body; a longer list counts as one of unknown length.
MAX_EXPANDED = 100


@dataclass
class Place:
    """The place of a body in its resource."""

    where: str
    """For messages: `aws_vpc.ingress`."""
    scope: Scope
    line: int
    path: str = ""
    """Dotted path within the resource, with a dot behind it if it is not empty."""
    meta: bool = False
    """count, lifecycle and the like may stand here."""
    code: ProviderCode = field(default_factory=ProviderCode)
    """Of the whole resource."""

    def below(self, name: str, line: int, scope: Scope | None = None) -> "Place":
        inner = scope or self.scope
        return Place(f"{self.where}.{name}", inner, line, f"{self.path}{name}.", False, self.code)


class BodyChecker:
    """Checks the resources and provider blocks of one module; findings gather in `findings` and in
    the evaluator.
    """

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self.language = LanguageChecker(evaluator)
        self.findings: list[Finding] = self.language.findings

    def check(self, body: Body, schema: BlockSchema, place: Place) -> None:
        """Checks a body against a block schema: arguments, nested blocks and their counts."""
        counts: Counter[str] = Counter()
        dynamic: set[str] = set()
        for block in body.blocks:
            if place.meta and block.type in META_BLOCKS:
                continue
            if block.type == "dynamic":
                self._dynamic(block, schema, place, counts, dynamic)
            else:
                self._nested(block, schema, place)
                counts[block.type] += 1
                place.code.block(place.path + block.type)
        for attribute in body.attributes.values():
            if not (place.meta and attribute.name in META):
                self._attribute(attribute, schema, place)
        self._required(schema, body.attributes.keys() | counts.keys() | dynamic, place)
        self._counts(schema, counts, dynamic, place)

    def _attribute(self, attribute: Attribute, schema: BlockSchema, place: Place) -> None:
        value = self.evaluator.value(attribute.expression, place.scope)
        name, where = attribute.name, place.where
        if name not in schema.attributes:
            hint = f": {name} is a block, write {name} {{ ... }}" if name in schema.blocks else ""
            self.findings.append(
                rules.ARGUMENT.finding(f"{where} has no argument {name!r}{hint}", attribute.line)
            )
            return
        place.code.argument(place.path + name, value)
        # Terraform: "its value will be decided automatically based on the result of applying this
        # configuration".
        if not schema.flags(name) & (REQUIRED | OPTIONAL):
            self.findings.append(
                rules.ARGUMENT.finding(
                    f"{name} of {where} is computed and cannot be set", attribute.line
                )
            )
        why = misfit(value, schema.type(name))
        if why:
            self.findings.append(rules.TYPE.finding(f"{name} of {where}: {why}", attribute.line))
            return
        if value is None and schema.flags(name) & REQUIRED:
            self.findings.append(
                rules.REQUIRED.finding(f"{name} of {where} is required and null", attribute.line)
            )
        self._accepted(name, value, attribute.line, place)

    def _accepted(self, name: str, value: Value, line: int, place: Place) -> None:
        path = place.path + name
        why = place.code.constraints.violation(path, value)
        newest = place.code.constraints.newest_known(path, value) if why else None
        if newest:
            why = (
                f"{value!r} is newer than the provider that is known here, whose newest is "
                f"{newest}: not verified"
            )
        if why:
            rule = rules.NEWER if newest else rules.VALUE
            place.code.violations.append(
                (path, rule.finding(f"{name} of {place.where}: {why}", line))
            )

    def _nested(self, block: Block, schema: BlockSchema, place: Place) -> None:
        name = block.type
        inner = place.below(name, block.line)
        if name in schema.blocks:
            if block.labels and schema.blocks[name][0] != MAP:
                self.findings.append(
                    rules.BLOCK.finding(f"{name} in {place.where} has no label", block.line)
                )
            self.check(block.body, schema.below(name), inner)
            return
        members = schema.members(name)
        # Attributes as blocks: https://developer.hashicorp.com/terraform/language/attr-as-blocks
        if members is not None:
            self._object_block(block.body, members, inner)
            return
        hint = f": write {name} = {{ ... }}" if name in schema.attributes else ""
        self.findings.append(
            rules.BLOCK.finding(f"{place.where} has no block {name!r}{hint}", block.line)
        )

    def _object_block(self, body: Body, members: dict[str, Any], place: Place) -> None:
        """Checks one object of a list that is written as blocks: what is left out is null."""
        for attribute in body.attributes.values():
            value = self.evaluator.value(attribute.expression, place.scope)
            if attribute.name not in members:
                message = f"{place.where} has no argument {attribute.name!r}"
                self.findings.append(rules.ARGUMENT.finding(message, attribute.line))
            elif why := misfit(value, members[attribute.name]):
                self.findings.append(
                    rules.TYPE.finding(f"{attribute.name} of {place.where}: {why}", attribute.line)
                )
            else:
                place.code.argument(place.path + attribute.name, value)
                self._accepted(attribute.name, value, attribute.line, place)
        for block in body.blocks:
            kind = members.get(block.type)
            if kind is not None and shape(kind) in ("list", "set") and shape(kind[1]) == "object":
                self._object_block(block.body, kind[1][1], place.below(block.type, block.line))
            else:
                self.findings.append(
                    rules.BLOCK.finding(f"{place.where} has no block {block.type!r}", block.line)
                )
        written = body.attributes.keys() | {block.type for block in body.blocks}
        for name in place.code.constraints.members.get(place.path.rstrip("."), ()):
            if name not in written:
                finding = rules.REQUIRED.finding(
                    f"{place.where} needs the argument {name!r}", place.line
                )
                place.code.violations.append((place.path + name, finding))

    def _dynamic(
        self,
        block: Block,
        schema: BlockSchema,
        place: Place,
        counts: Counter[str],
        dynamic: set[str],
    ) -> None:
        name = block.labels[0] if len(block.labels) == 1 else ""
        contents = list(block.body.named("content"))
        attributes = block.body.attributes
        members = schema.members(name)
        if name not in schema.blocks and members is None:
            self.findings.append(
                rules.BLOCK.finding(f"{place.where} has no block {name!r}", block.line)
            )
            return
        if "for_each" not in attributes or len(contents) != 1:
            self.findings.append(
                rules.REQUIRED.finding(
                    f"dynamic {name} needs for_each and one content block", block.line
                )
            )
            return
        for other in sorted(attributes.keys() - {"for_each", "iterator", "labels"}):
            self.findings.append(
                rules.ARGUMENT.finding(f"dynamic has no argument {other!r}", attributes[other].line)
            )
        items = self._items(attributes["for_each"], place.scope)
        iterator = attributes.get("iterator")
        loop = text_of(iterator.expression) if iterator and iterator.expression else name
        if iterator and not IDENTIFIER.fullmatch(loop):
            self.findings.append(
                rules.STATIC.finding(
                    f"iterator: {loop[:40]} is no name: write it without quotes", iterator.line
                )
            )
        if items is None:
            dynamic.add(name)
            place.code.block(place.path + name, counted=False)
        for key, value in items if items is not None else [(TypedUnknown(""), TypedUnknown(""))]:
            inner = place.below(
                name, block.line, place.scope.with_names({loop: {"key": key, "value": value}})
            )
            if items is not None:
                counts[name] += 1
                place.code.block(place.path + name)
            if members is None:
                self.check(contents[0].body, schema.below(name), inner)
            else:
                self._object_block(contents[0].body, members, inner)

    def _items(self, over: Attribute, scope: Scope) -> list[tuple[Value, Value]] | None:
        """Lists the (key, value) pairs that a dynamic block repeats over, if they are known."""
        value = self.evaluator.value(over.expression, scope)
        if value is None or shape(type_of(value)) in PRIMITIVES:
            self.findings.append(
                rules.TYPE.finding(
                    "for_each of a dynamic block needs a list, a set or a map", over.line
                )
            )
            return None
        if is_bare(value) or len(value) > MAX_EXPANDED:
            return None
        if isinstance(value, dict):
            return list(value.items())
        return (
            [(item, item) for item in value]
            if isinstance(value, SetValue)
            else list(enumerate(value))
        )

    def _required(self, schema: BlockSchema, present: set[str], place: Place) -> None:
        for name, (flags, _) in schema.attributes.items():
            if flags & REQUIRED and name not in present:
                self.findings.append(
                    rules.REQUIRED.finding(f"{place.where} needs the argument {name!r}", place.line)
                )

    def _counts(
        self, schema: BlockSchema, counts: Counter[str], dynamic: set[str], place: Place
    ) -> None:
        for name, (mode, low, high, _) in schema.blocks.items():
            count = counts[name]
            # A dynamic block over an unknown value may give any number of blocks.
            if name in dynamic:
                continue
            if count < low:
                self.findings.append(
                    rules.REQUIRED.finding(f"{place.where} needs a block {name!r}", place.line)
                )
            most = high if mode in (LIST, SET) else 1 if mode == SINGLE else 0
            if most and count > most:
                message = f"{place.where} has {count} {name!r} blocks; at most {most}"
                self.findings.append(rules.COUNT_BLOCKS.finding(message, place.line))

    def resource(self, block: Block) -> None:
        """Checks a resource, data source or ephemeral resource with its meta-arguments."""
        kind, name = block.labels
        attributes = block.body.attributes
        key = (block.type, kind, name)
        scope = Scope(each="for_each" in attributes, count="count" in attributes, enclosing=key)
        self._meta(block, key)
        source = self.evaluator.module.provider_of(key)
        known_provider = provider(source)
        if known_provider is None or not known_provider.covers(block.type):
            what = (
                f"the provider {source} of {kind}"
                if known_provider is None
                else f"{block.type} {kind} of the provider {source}"
            )
            self.findings.append(rules.FOREIGN.finding(f"{what} is not verified", block.line))
            return
        schema = known_provider.kind(block.type, kind)
        if schema is None:
            self.findings.append(
                rules.RESOURCE_TYPE.finding(f"there is no {block.type} type {kind!r}", block.line)
            )
            return
        place = Place(kind, scope, block.line, meta=True)
        place.code = ProviderCode(
            constraints(source, block.type, kind) or NO_CONSTRAINTS, on_framework(schema)
        )
        before = len(self.findings)
        self.check(block.body, schema, place)
        refused = place.code.refused()
        # The provider's code runs only when the schema holds.
        for message in place.code.clashes() if len(self.findings) == before and not refused else ():
            self.findings.append(rules.TOGETHER.finding(f"{kind} {name}: {message}", block.line))
        self.findings += refused
        for nested in block.body.blocks:
            self._meta_block(nested, scope, block.type)
            if nested.type == "lifecycle" and block.type == "resource":
                self._ignored(nested, schema)

    def _meta(self, block: Block, key: tuple[str, str, str]) -> None:
        attributes, scope = block.body.attributes, Scope(enclosing=key)
        # "A given resource or module block cannot use both": meta-arguments/count.
        if "count" in attributes and "for_each" in attributes:
            self.findings.append(
                rules.META.finding("count and for_each exclude one another", block.line)
            )
        wrong: dict[str, str | None] = {}
        if "count" in attributes:
            wrong["count"] = _not_a_count(
                self.evaluator.value(attributes["count"].expression, scope)
            )
        if "for_each" in attributes:
            wrong["for_each"] = _not_iterable(
                self.evaluator.value(attributes["for_each"].expression, scope)
            )
        for name, why in wrong.items():
            if why:
                self.findings.append(rules.TYPE.finding(f"{name}: {why}", attributes[name].line))
        if "depends_on" in attributes:
            self.language.references(attributes["depends_on"], scope)
        if "provider" in attributes:
            self._provider_reference(attributes["provider"])

    def _provider_reference(self, attribute: Attribute) -> None:
        name, dot, alias = (
            text_of(attribute.expression).strip('"').partition(".")
            if attribute.expression
            else ("", "", "")
        )
        if dot and (name, alias) not in self.evaluator.module.aliases:
            message = f"provider {name}.{alias}: there is no provider {name!r} with alias {alias!r}"
            self.findings.append(rules.UNDECLARED.finding(message, attribute.line))

    def _ignored(self, lifecycle: Block, schema: BlockSchema) -> None:
        """Reports paths of `ignore_changes` that lead to no argument of the resource."""
        attribute = lifecycle.body.attributes.get("ignore_changes")
        paths = ignored(attribute.expression) if attribute else []
        if attribute is None or isinstance(paths, str):
            if attribute is not None:
                self.findings.append(
                    rules.STATIC.finding(f"ignore_changes: {paths}", attribute.line)
                )
            return
        for path in paths:
            text = path[0][1] + "".join(
                f".{key}" if step == "attr" else f"[{key}]" for step, key in path[1:]
            )
            self.evaluator.resolver.within(schema, path, text, attribute.line)

    def _of_itself(self, provisioner: Block) -> None:
        """Reports references to other objects in a provisioner that runs when its own is gone."""
        when = provisioner.body.attributes.get("when")
        if (
            when is None
            or when.expression is None
            or text_of(when.expression).strip('"') != "destroy"
        ):
            return
        bodies = [provisioner.body, *(block.body for block in provisioner.body.blocks)]
        for attribute in (a for body in bodies for a in body.attributes.values() if a is not when):
            foreign = (
                next(
                    (root for root, _ in roots(attribute.expression) if root not in OF_ITSELF), None
                )
                if attribute.expression
                else None
            )
            if foreign:
                message = (
                    f"{attribute.name}: a provisioner for destroy may name self, count and each, "
                    f"not {foreign}"
                )
                self.findings.append(rules.STATIC.finding(message, attribute.line))

    def _meta_block(self, block: Block, scope: Scope, mode: str) -> None:
        if block.type == "lifecycle":
            # Data sources have preconditions and postconditions alone: meta-arguments/lifecycle.
            self.language.shape(block, LIFECYCLE if mode == "resource" else DATA_LIFECYCLE, scope)
        elif block.type in META_BLOCKS and mode != "resource":
            self.findings.append(
                rules.BLOCK.finding(f"{mode} has no block {block.type!r}", block.line)
            )
        elif block.type == "connection":
            self.language.shape(
                block,
                CONNECTION,
                Scope(scope.names, scope.each, scope.count, scope.enclosing, allows_self=True),
            )
        elif block.type == "provisioner":
            provisioner = PROVISIONERS.get(block.labels[0]) if len(block.labels) == 1 else None
            if provisioner is None:
                self.findings.append(
                    rules.BLOCK.finding("there is no such provisioner", block.line)
                )
            else:
                self._of_itself(block)
                self.language.shape(
                    block,
                    provisioner,
                    Scope(scope.names, scope.each, scope.count, scope.enclosing, allows_self=True),
                )


def _not_a_count(value: Value) -> str | None:
    why = "null" if value is None else misfit(value, "number")
    if why or is_bare(value):
        return why
    number = float(value)
    return (
        None
        if number >= 0 and number.is_integer()
        else f"a whole number from 0 is required, not {value}"
    )


def _not_iterable(value: Value) -> str | None:
    if value is None:
        return "a map or a set is required, not null"
    word = shape(type_of(value))
    if (
        word in PRIMITIVES
        or (isinstance(value, list) and not isinstance(value, SetValue))
        or word in ("list", "tuple")
    ):
        # Lists and tuples are not converted to sets here: meta-arguments/for_each.
        return "a map or a set of texts is required: write toset([...])"
    if isinstance(value, SetValue) and any(
        not is_bare(item) and not isinstance(item, str) for item in value
    ):
        return "a set must be of texts"
    return None
