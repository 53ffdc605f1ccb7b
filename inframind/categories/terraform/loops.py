"""`for` expressions and template directives."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from inframind.categories.base import Rule
from inframind.categories.terraform import rules
from inframind.categories.terraform.references import Scope
from inframind.categories.terraform.syntax import Node, line_of, text_of
from inframind.categories.terraform.values import (
    SetValue,
    TypedUnknown,
    Value,
    as_text,
    is_bare,
    shape,
    type_of,
)

if TYPE_CHECKING:
    from inframind.types import Finding

MAX_ITERATIONS = 2_000
"""Rounds of loops that one evaluator really makes; beyond, the result is unknown."""


class Loops:
    """The part of the evaluator that binds names."""

    iterations = 0

    def value(self, node: Node | None, scope: Scope) -> Value:
        raise NotImplementedError

    def fault(self, rule: Rule, message: str, line: int, text: str = "") -> TypedUnknown:
        raise NotImplementedError

    def forgiving(self, node: Node | None, scope: Scope) -> tuple[Value, "list[Finding]"]:
        raise NotImplementedError

    def template_parts(self, nodes: list[Node], scope: Scope, *, quoted: bool) -> Iterator[Value]:
        raise NotImplementedError

    def _for_expr(self, node: Node, scope: Scope) -> Value:
        inner = node.children[0]
        intro = next(child for child in inner.children if child.type == "for_intro")
        names = [text_of(part) for part in intro.children if part.type == "identifier"]
        over = self.value(
            next((part for part in intro.children if part.type == "expression"), None), scope
        )
        results = [child for child in inner.children if child.type == "expression"]
        condition = next((child for child in inner.children if child.type == "for_cond"), None)
        items = self._items(over, node)
        if items is None:
            for part in [*results, *(condition.named_children if condition else [])]:
                self.forgiving(part, scope.with_names(dict.fromkeys(names, TypedUnknown(""))))
            return TypedUnknown(text_of(node))
        grouped = any(child.type == "ellipsis" for child in inner.children)
        collected = _Collected(inner.type == "for_tuple_expr", grouped)
        for key, item in items:
            bound = scope.with_names(
                dict(zip(names, (key, item) if len(names) == 2 else (item,), strict=False))
            )
            if not self._keeps(condition, bound, collected):
                continue
            self._collect(results, bound, collected, node)
        return collected.value(text_of(node))

    def _items(self, over: Value, node: Node) -> list[tuple[Value, Value]] | None:
        """Lists (key, value) pairs; None if they are not known."""
        if over is None or shape(type_of(over)) in ("string", "number", "bool"):
            self.fault(rules.TYPE, "for needs a list, a set or a map", line_of(node))
            return None
        if is_bare(over):
            return None
        pairs: list[tuple[Value, Value]] = (
            list(over.items()) if isinstance(over, dict) else list(enumerate(over))
        )
        if isinstance(over, SetValue):
            # Of a set's elements, key and value are the same: HCL's spec, For Expressions.
            pairs = [(item, item) for item in over]
        self.iterations += len(pairs)
        return pairs if self.iterations <= MAX_ITERATIONS else None

    def _keeps(self, condition: Node | None, scope: Scope, collected: "_Collected") -> bool:
        if condition is None:
            return True
        value = self.value(
            next((c for c in condition.children if c.type == "expression"), None), scope
        )
        if (
            not isinstance(value, TypedUnknown)
            and not isinstance(value, bool)
            and value not in ("true", "false")
            and not is_bare(value)
        ):
            self.fault(rules.TYPE, "the `if` clause must be true or false", line_of(condition))
        collected.known &= not is_bare(value)
        return value in (True, "true") or is_bare(value)

    def _collect(
        self, results: list[Node], scope: Scope, collected: "_Collected", node: Node
    ) -> None:
        values = [self.value(part, scope) for part in results]
        if collected.is_tuple:
            collected.items.append(values[0] if values else None)
            return
        key, item = (values[0], values[1]) if len(values) == 2 else (None, None)
        if key is None or isinstance(key, list | dict):
            self.fault(rules.TYPE, "a key must be a text", line_of(node))
            collected.known = False
        elif is_bare(key):
            collected.known = False
        elif collected.grouped:
            collected.table.setdefault(as_text(key), []).append(item)
        else:
            # HCL: "If duplicates are expected, use the ellipsis (...) after the value expression to
            # enable grouping by key."
            if as_text(key) in collected.table:
                self.fault(
                    rules.TYPE,
                    f"two items have the key {as_text(key)!r}: write ... behind the value to group "
                    "them",
                    line_of(node),
                )
            collected.table[as_text(key)] = item

    def directive(self, node: Node, scope: Scope) -> None:
        """Checks the references in `%{ if }` and `%{ for }`, and nothing else."""
        for inner in node.named_children:
            names: dict[str, Any] = {}
            start = next(
                (child for child in inner.children if child.type == "template_for_start"), None
            )
            if start is not None:
                names = {
                    text_of(part): TypedUnknown("")
                    for part in start.children
                    if part.type == "identifier"
                }
            self._directive_children(inner, scope, scope.with_names(names))

    def _directive_children(self, node: Node, outer: Scope, inner: Scope) -> None:
        for child in node.named_children:
            if child.type == "expression":
                self.forgiving(child, outer)
            elif child.type == "template_directive":
                self.directive(child, inner)
            elif child.type == "template_interpolation":
                self.forgiving(
                    next((c for c in child.children if c.type == "expression"), None), inner
                )
            else:
                self._directive_children(child, outer, inner)


class _Collected:
    """The result of a `for` expression while it grows."""

    def __init__(self, is_tuple: bool, grouped: bool) -> None:
        self.is_tuple, self.grouped, self.known = is_tuple, grouped, True
        self.items: list[Value] = []
        self.table: dict[str, Value] = {}

    def value(self, text: str) -> Value:
        if not self.known:
            return TypedUnknown(text)
        return self.items if self.is_tuple else self.table
