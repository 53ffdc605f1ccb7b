"""Traversals such as `aws_vpc.main.id` or `var.name`: the object at their root, the type at their
end.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from inframind.categories.base import Rule
from inframind.categories.terraform import rules
from inframind.categories.terraform.module import Module
from inframind.categories.terraform.provider import LIST, SET, BlockSchema, provider
from inframind.categories.terraform.type_constraints import declared_type
from inframind.categories.terraform.values import Reference, TypedUnknown, Value, is_bare, shape
from inframind.types import Finding

Step = tuple[str, Any]
"""("attr", name), ("index", value) or ("splat", the node's type)."""
MODES = {"data": "data", "ephemeral": "ephemeral"}


@dataclass(frozen=True)
class Scope:
    """The names that mean something to an expression: loop variables, `each`, `count`, `self`."""

    names: Mapping[str, Value] = field(default_factory=dict)
    each: bool = False
    count: bool = False
    enclosing: tuple[str, str, str] | None = None
    """The object whose block this is."""
    allows_self: bool = False

    def with_names(self, names: Mapping[str, Value]) -> "Scope":
        return replace(self, names={**self.names, **names})


@dataclass
class Resolver:
    """Resolves traversals as `terraform validate` does before it evaluates anything, and collects
    findings.
    """

    module: Module
    findings: list[Finding] = field(default_factory=list)

    def report(self, rule: Rule, message: str, line: int) -> TypedUnknown:
        """Records a finding; nothing more can be known of the value."""
        self.findings.append(rule.finding(message, line))
        return TypedUnknown("")

    def resolve(self, text: str, root: str, steps: list[Step], scope: Scope, line: int) -> Value:
        """Finds what a traversal's root is, for objects what the whole traversal is.

        Locals and variables are not followed.
        """
        first = steps[0][1] if steps and steps[0][0] == "attr" else None
        if root in ("var", "local", "module"):
            return self._declared(text, root, first, line)
        if root in ("each", "count", "self", "path", "terraform"):
            return self._special(text, root, first, scope, line)
        mode = MODES.get(root, "resource")
        if mode != "resource":
            if first is None:
                return self.report(rules.UNDECLARED, f"{text}: write {root}.TYPE.NAME", line)
            root, steps = first, steps[1:]
        return self._object(text, mode, root, steps, scope, line)

    def within(self, schema: BlockSchema, steps: list[Step], text: str, line: int) -> None:
        """Reports where a path that starts inside an object leads nowhere."""
        _Walk(self, text, line).block(schema, steps)

    def _declared(self, text: str, root: str, name: str | None, line: int) -> Value:
        tables: dict[str, Any] = {
            "var": self.module.variables,
            "local": self.module.locals,
            "module": self.module.modules,
        }
        table = tables[root]
        words = {"var": "variable", "local": "local value", "module": "module"}
        if name is None or name not in table:
            return self.report(
                rules.UNDECLARED, f"{text}: there is no {words[root]} {name!r}", line
            )
        return TypedUnknown(text, declared_type(table[name].body) if root == "var" else "dynamic")

    def _special(self, text: str, root: str, name: str | None, scope: Scope, line: int) -> Value:
        allowed = {
            "each": ({"key", "value"}, scope.each, "for_each"),
            "count": ({"index"}, scope.count, "count"),
            "self": (None, scope.allows_self, "a provisioner or a postcondition"),
            "path": ({"module", "root", "cwd"}, True, ""),
            # `terraform.applying` came with Terraform 1.10.
            "terraform": ({"workspace", "applying"}, True, ""),
        }
        names, available, where = allowed[root]
        if not available:
            return self.report(
                rules.UNDECLARED, f"{text}: {root} means something only with {where}", line
            )
        if names is not None and name not in names:
            return self.report(
                rules.UNDECLARED, f"{text}: {root} has {', '.join(sorted(names))}", line
            )
        texts = root == "path" or name in ("key", "workspace")
        return TypedUnknown(text, "number" if root == "count" else "string" if texts else "dynamic")

    def _object(
        self, text: str, mode: str, kind: str, steps: list[Step], scope: Scope, line: int
    ) -> Value:
        if not steps or steps[0][0] != "attr":
            return self.report(
                rules.UNDECLARED, f"{text!r} is not a reference; a text stands in quotes", line
            )
        key = (mode, kind, steps[0][1])
        if key not in self.module.objects:
            return self.report(
                rules.UNDECLARED, f"{text}: there is no {mode} {kind} {steps[0][1]!r}", line
            )
        known_provider = provider(self.module.provider_of(key))
        schema = known_provider.kind(mode, kind) if known_provider else None
        rest = steps[1:]
        path = tuple(str(name) for step, name in rest if step == "attr")
        reference = Reference(text, kind if mode == "resource" else f"{mode}.{kind}", key[2], path)
        # In a postcondition, a provisioner or a connection `self` is the object, already made.
        itself = key == scope.enclosing and not scope.allows_self
        reported = len(self.findings)
        at_end: Any = reference.type
        if schema is not None:
            at_end = _Walk(self, text, line).instance(
                schema, rest, multiple=self.module.is_multiple(key)
            )
        if itself and len(self.findings) == reported:
            return self.report(rules.LATE, f"{text}: a block cannot refer to itself", line)
        return (
            TypedUnknown(text) if len(self.findings) > reported else replace(reference, type=at_end)
        )


@dataclass
class _Walk:
    """One traversal below an object.

    What `terraform validate` cannot see, because an index before it is computed, is `late`.
    """

    resolver: Resolver
    text: str
    line: int
    late: bool = False

    def report(self, rule: Rule, message: str) -> Any:
        self.resolver.report(
            rules.LATE if self.late else rule, f"{self.text}: {message}", self.line
        )
        return "dynamic"

    def instance(self, schema: BlockSchema, rest: list[Step], *, multiple: bool) -> Any:
        """Walks from all instances of an object to the type at the end."""
        if not rest:
            return "dynamic" if multiple else "object"
        step, key = rest[0]
        if step == "splat":
            self.late = True
            self.block(schema, rest[1:])
            return ["list", "dynamic"]
        # Terraform: "Because RESOURCE has "count" set, its attributes must be accessed on specific
        # instances."
        if multiple and step == "attr":
            return self.report(
                rules.INSTANCE, "the object has count or for_each: write ...[0] or ...[each.key]"
            )
        if not multiple and step == "index":
            return self.report(rules.INSTANCE, "the object has neither count nor for_each")
        if step == "index":
            self.late = is_bare(key)
            rest = rest[1:]
        return self.block(schema, rest)

    def block(self, schema: BlockSchema, rest: list[Step]) -> Any:
        """Walks from a block to the type at the end."""
        if not rest:
            return "object"
        step, name = rest[0]
        if step != "attr":
            return (
                self.report(rules.ATTRIBUTE, "a block has attributes, no index")
                if step == "index"
                else "dynamic"
            )
        if name in schema.attributes:
            return self.value(schema.type(name), rest[1:])
        if name not in schema.blocks:
            return self.report(rules.ATTRIBUTE, f"there is no attribute {name!r}")
        return self._nested(schema.blocks[name][0], name, schema.below(name), rest[1:])

    def _nested(self, mode: int, name: str, schema: BlockSchema, rest: list[Step]) -> Any:
        if mode not in (LIST, SET):
            return self.block(schema, rest) if rest and rest[0][0] == "attr" else "dynamic"
        if not rest:
            return "list"
        if rest[0][0] == "attr":
            return self.report(rules.ATTRIBUTE, f"{name} is a list of blocks: write {name}[0]")
        # A key that has to be computed is no part of what is looked at before.
        if mode == SET and rest[0][0] == "index" and f"{name}[{rest[0][1]}]" in self.text:
            return self.report(rules.ATTRIBUTE, f"{name} is a set of blocks: it has no index")
        self.late |= rest[0][0] == "splat" or is_bare(rest[0][1])
        if len(rest) > 1:
            self.block(schema, rest[1:])
        return "dynamic"

    def value(self, kind: Any, rest: list[Step]) -> Any:
        """Walks from an attribute of a type to the type at the end."""
        for step, name in rest:
            word = shape(kind)
            if step == "splat" or word in ("dynamic", "nested"):
                return "dynamic"
            self.late |= step == "index" and is_bare(name)
            wrong = (
                isinstance(kind, str)
                or (step == "attr" and word in ("list", "set"))
                or (step == "index" and word == "set")
            )
            if wrong:
                return self.report(rules.ATTRIBUTE, f"a {word} has no {name!r}")
            if word == "object":
                if name not in kind[1]:
                    return self.report(rules.ATTRIBUTE, f"there is no attribute {name!r}")
                kind = kind[1][name]
            elif word == "tuple":
                return "dynamic"
            else:
                kind = kind[1]
        return kind
