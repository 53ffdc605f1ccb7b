"""Traversals such as `aws_vpc.main.id` or `var.name`: whether they lead somewhere, and what type is there."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from inframind.categories.base import Rule
from inframind.categories.terraform import rules
from inframind.categories.terraform.module import Module
from inframind.categories.terraform.provider import LIST, SET, BlockSchema, provider
from inframind.categories.terraform.values import Reference, Unknown, Value
from inframind.types import Finding

Step = tuple[str, str]
"""("attr", name), ("index", text) or ("splat", "")."""
MODES = {"data": "data", "ephemeral": "ephemeral"}


@dataclass(frozen=True)
class Scope:
    """Where an expression stands: loop variables, and whether `each`, `count` and `self` mean something."""

    names: frozenset[str] = frozenset()
    each: bool = False
    count: bool = False
    own: tuple[str, str, str] | None = None
    """The object whose block this is."""
    allows_self: bool = False

    def with_names(self, names: Sequence[str]) -> "Scope":
        return Scope(self.names | set(names), self.each, self.count, self.own, self.allows_self)


@dataclass
class Resolver:
    """Resolves traversals and collects findings."""

    module: Module
    findings: list[Finding] = field(default_factory=list)

    def report(self, rule: Rule, message: str, line: int) -> Unknown:
        """Records a finding; nothing more can be known of the value."""
        self.findings.append(rule.finding(message, line))
        return Unknown("")

    def resolve(self, text: str, root: str, steps: list[Step], scope: Scope, line: int) -> Value:
        """What the traversal is, without following locals and variables."""
        if root in scope.names:
            return Unknown(text)
        first = steps[0][1] if steps and steps[0][0] == "attr" else None
        if root in ("var", "local", "module"):
            return self._declared(text, root, first, len(steps) > 1, line)
        if root in ("each", "count", "self", "path", "terraform"):
            return self._special(text, root, first, scope, line)
        mode = MODES.get(root, "resource")
        if mode != "resource":
            if first is None:
                return self.report(rules.UNDECLARED, f"{text}: write {root}.TYPE.NAME", line)
            root, steps = first, steps[1:]
        return self._object(text, mode, root, steps, scope, line)

    def _declared(self, text: str, root: str, name: str | None, deeper: bool, line: int) -> Value:
        table: dict[str, Any] = {"var": self.module.variables, "local": self.module.locals, "module": self.module.modules}[root]
        words = {"var": "variable", "local": "local value", "module": "module"}
        if name not in table:
            return self.report(rules.UNDECLARED, f"{text}: there is no {words[root]} {name!r}", line)
        return Unknown(text)

    def _special(self, text: str, root: str, name: str | None, scope: Scope, line: int) -> Value:
        allowed = {
            "each": ({"key", "value"}, scope.each, "for_each"),
            "count": ({"index"}, scope.count, "count"),
            "self": (None, scope.allows_self, "a provisioner or a condition"),
            "path": ({"module", "root", "cwd"}, True, ""),
            "terraform": ({"workspace", "applying"}, True, ""),
        }
        names, available, where = allowed[root]
        if not available:
            return self.report(rules.UNDECLARED, f"{text}: {root} means something only with {where}", line)
        if names is not None and name not in names:
            return self.report(rules.UNDECLARED, f"{text}: {root} has {', '.join(sorted(names))}", line)
        return Unknown(text, "number" if root == "count" else "string" if root == "path" else "dynamic")

    def _object(self, text: str, mode: str, kind: str, steps: list[Step], scope: Scope, line: int) -> Value:
        if not steps or steps[0][0] != "attr":
            return self.report(rules.UNDECLARED, f"{text!r} is not a reference; a text stands in quotes", line)
        key = (mode, kind, steps[0][1])
        if key not in self.module.objects:
            return self.report(rules.UNDECLARED, f"{text}: there is no {mode} {kind} {steps[0][1]!r}", line)
        if key == scope.own and not scope.allows_self:
            return self.report(rules.UNDECLARED, f"{text}: a block cannot refer to itself", line)
        schema = provider_of(kind, mode)
        rest = steps[1:]
        label = kind if mode == "resource" else f"{mode}.{kind}"
        path = tuple(name for step, name in rest if step == "attr")
        if schema is None:
            return Reference(text, label, key[2], path)
        if not rest:
            return Reference(text, label, key[2], path, "dynamic" if self.module.is_multiple(key) else "object")
        return Reference(text, label, key[2], path, self._instance(text, key, schema, rest, line))

    def _instance(self, text: str, key: tuple[str, str, str], schema: BlockSchema, rest: list[Step], line: int) -> Any:
        if self.module.is_multiple(key):
            if rest[0][0] == "attr":
                self.report(rules.INSTANCE, f"{text}: {key[1]}.{key[2]} has count or for_each: write {key[2]}[...]", line)
                return "dynamic"
            rest = rest[1:] if rest[0][0] == "index" else []
        elif rest[0][0] == "index":
            self.report(rules.INSTANCE, f"{text}: {key[1]}.{key[2]} has neither count nor for_each", line)
            return "dynamic"
        return self._walk(text, schema, rest, line)

    def _walk(self, text: str, schema: BlockSchema, rest: list[Step], line: int) -> Any:
        """The type at the end of the steps; reports attributes that do not exist."""
        while rest and rest[0][0] == "attr":
            name = rest[0][1]
            rest = rest[1:]
            if name in schema.attributes:
                return self._below(text, schema.type(name), rest, line)
            if name not in schema.blocks:
                self.report(rules.ATTRIBUTE, f"{text}: there is no attribute {name!r}", line)
                return "dynamic"
            mode, schema = schema.blocks[name][0], schema.below(name)
            if not rest:
                return "list" if mode in (LIST, SET) else "dynamic"
            if mode in (LIST, SET):
                if rest[0][0] == "attr":
                    self.report(rules.ATTRIBUTE, f"{text}: {name} is a list of blocks: write {name}[0]", line)
                    return "dynamic"
                if rest[0][0] == "splat":
                    return "dynamic"
                rest = rest[1:]
        return "dynamic"

    def _below(self, text: str, kind: Any, rest: list[Step], line: int) -> Any:
        for step, name in rest:
            word = kind if isinstance(kind, str) else kind[0]
            if step == "splat" or word in ("dynamic", "nested"):
                return "dynamic"
            if isinstance(kind, str) or (step == "attr" and word in ("list", "set")):
                self.report(rules.ATTRIBUTE, f"{text}: a {word} has no {name!r}", line)
                return "dynamic"
            if word == "object":
                if name not in kind[1]:
                    self.report(rules.ATTRIBUTE, f"{text}: there is no attribute {name!r}", line)
                    return "dynamic"
                kind = kind[1][name]
            else:
                kind = kind[1]
        return kind


def provider_of(kind: str, mode: str) -> BlockSchema | None:
    """Schema of a resource or data source type; None if its provider is not verified or lacks it."""
    found = provider(kind.partition("_")[0])
    return found.kind(mode, kind) if found else None
