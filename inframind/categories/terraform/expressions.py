"""Expressions to values: literals, templates, collections and references, with everything else checked and unknown."""

import json
import re
from collections.abc import Callable

from inframind.categories.terraform import rules
from inframind.categories.terraform.module import Module
from inframind.categories.terraform.provider import functions
from inframind.categories.terraform.references import Resolver, Scope, Step
from inframind.categories.terraform.syntax import Node, label_of, line_of, text_of
from inframind.categories.terraform.values import Unknown, Value, as_text, is_known

MAX_FOLLOWED = 20
"""Locals and variables that a value may lead through: a circle ends here."""
ESCAPE = re.compile(r'\\(n|t|r|"|\\|u[0-9a-fA-F]{4})')
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}
STRING_FUNCTIONS = frozenset("file join format templatefile lower upper replace tostring substr base64encode yamlencode".split())
TRAVERSED = frozenset({"get_attr", "index", "splat"})
PURE: dict[str, Callable[..., Value]] = {
    "jsonencode": lambda value: json.dumps(value, separators=(",", ":")),
    "lower": lambda text: as_text(text).lower(),
    "upper": lambda text: as_text(text).upper(),
    "tostring": as_text,
    "toset": lambda value: value,
    "tolist": lambda value: value,
    "tomap": lambda value: value,
    "length": len,
    "concat": lambda *lists: [item for part in lists for item in part],
    "merge": lambda *maps: {key: value for part in maps for key, value in part.items()},
    "join": lambda separator, items: separator.join(map(as_text, items)),
}
"""Functions whose result is found for known arguments; they touch no file and no network."""


def unescaped(text: str) -> str:
    """A quoted literal's text without HCL's escapes."""
    text = ESCAPE.sub(lambda m: ESCAPES.get(m.group(1)) or chr(int(m.group(1)[1:], 16)), text)
    return text.replace("$${", "${").replace("%%{", "%{")


class Evaluator:
    """Evaluates expressions of one module; findings are those of its resolver."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.resolver = Resolver(module)
        self._followed = 0

    def value(self, node: Node | None, scope: Scope) -> Value:
        """The expression's value as far as it is known. Reports what is wrong in it."""
        if node is None:
            return Unknown("")
        handler = getattr(self, f"_{node.type}", None)
        if handler is not None:
            return handler(node, scope)
        for child in node.named_children:
            self.value(child, scope)
        return Unknown(text_of(node))

    def _expression(self, node: Node, scope: Scope) -> Value:
        children = node.children
        if not children:
            return Unknown("")
        if children[0].type == "variable_expr":
            return self._traversal(children, text_of(node), scope)
        if len(children) == 1:
            return self.value(children[0], scope)
        values = [self.value(child, scope) for child in node.named_children]
        return values[0] if len(children) == 3 and children[0].type == "(" else Unknown(text_of(node))

    def _traversal(self, nodes: list[Node], text: str, scope: Scope) -> Value:
        root = text_of(nodes[0])
        if len(nodes) == 1 and root in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[root]
        steps = self._steps(nodes[1:], scope)
        found = self.resolver.resolve(text, root, steps, scope, line_of(nodes[0]))
        if root in ("var", "local") and root not in scope.names and len(steps) == 1:
            return self._follow(root, steps[0][1], found)
        return found

    def _steps(self, nodes: list[Node], scope: Scope) -> list[Step]:
        steps: list[Step] = []
        for node in nodes:
            if node.type == "get_attr":
                steps.append(("attr", text_of(node.children[1])))
            elif node.type == "index":
                inner = node.children[0]
                for child in inner.named_children:
                    if child.type == "expression":
                        self.value(child, scope)
                steps.append(("index", text_of(inner).strip("[].")))
            elif node.type == "splat":
                steps.append(("splat", ""))
        return steps

    def _follow(self, root: str, name: str, found: Value) -> Value:
        """The static value of a local or a variable's default, if there is one."""
        if root == "local":
            attribute = self.module.locals.get(name)
        else:
            block = self.module.variables.get(name)
            attribute = block.body.attributes.get("default") if block else None
        if attribute is None or self._followed >= MAX_FOLLOWED:
            return found
        # What is wrong in the declaration is reported where it stands, once.
        resolver, self.resolver = self.resolver, Resolver(self.module)
        self._followed += 1
        value = self.value(attribute.expression, Scope())
        self._followed -= 1
        self.resolver = resolver
        return found if root == "var" and value is None else value

    def _literal_value(self, node: Node, scope: Scope) -> Value:
        child = node.children[0]
        text = text_of(child)
        if child.type == "numeric_lit":
            return int(text) if text.isdigit() else float(text)
        if child.type == "bool_lit":
            return text == "true"
        return None if child.type == "null_lit" else unescaped(label_of(child))

    def _string_lit(self, node: Node, scope: Scope) -> Value:
        return unescaped(label_of(node))

    def _template_expr(self, node: Node, scope: Scope) -> Value:
        template = node.children[0]
        parts: list[Value] = []
        known = True
        for child in template.children:
            if child.type == "template_literal":
                parts.append(text_of(child) if template.type == "heredoc_template" else unescaped(text_of(child)))
            elif child.type == "template_interpolation":
                expression = next((c for c in child.children if c.type == "expression"), None)
                parts.append(self.value(expression, scope))
                self._interpolated(parts[-1], child)
            elif child.type == "template_directive":
                known = False
                for inner in child.named_children:
                    self.value(inner, scope)
        if template.type == "quoted_template" and len(parts) == 1 and not isinstance(parts[0], str) and known:
            return parts[0]
        if known and all(isinstance(part, str | int | float | bool) for part in parts):
            text = "".join(map(as_text, parts))
            return text + "\n" if template.type == "heredoc_template" and not text.endswith("\n") else text
        return Unknown(text_of(node), "string")

    def _interpolated(self, value: Value, node: Node) -> None:
        siblings = [c for c in (node.parent.named_children if node.parent else []) if c.type == "template_literal"]
        if isinstance(value, list | dict) and siblings:
            self.resolver.report(rules.TYPE, f"{text_of(node)}: a list or map cannot be part of a text", line_of(node))

    def _collection_value(self, node: Node, scope: Scope) -> Value:
        return self.value(node.children[0], scope)

    def _tuple(self, node: Node, scope: Scope) -> Value:
        return [self.value(child, scope) for child in node.children if child.type == "expression"]

    def _object(self, node: Node, scope: Scope) -> Value:
        found: dict[str, Value] = {}
        for element in (child for child in node.children if child.type == "object_elem"):
            pair = [child for child in element.children if child.type == "expression"]
            if len(pair) == 2:
                key = self._key(pair[0], scope)
                value = self.value(pair[1], scope)
                if not isinstance(key, str):
                    return Unknown(text_of(node), "object")
                found[key] = value
        return found

    def _key(self, node: Node, scope: Scope) -> Value:
        if len(node.children) == 1 and node.children[0].type == "variable_expr":
            return text_of(node)
        key = self.value(node, scope)
        return as_text(key) if isinstance(key, int | float) else key

    def _function_call(self, node: Node, scope: Scope) -> Value:
        names = [text_of(child) for child in node.children if child.type == "identifier"]
        arguments = next((child for child in node.children if child.type == "function_arguments"), None)
        expressions = [child for child in (arguments.children if arguments else []) if child.type == "expression"]
        values = [self.value(child, scope) for child in expressions]
        spread = arguments is not None and any(child.type in ("ellipsis", "...") for child in arguments.children)
        name = "::".join(names)
        if not spread and "::" not in name:
            self._arity(name, len(values), node)
        if name in PURE and not spread and all(map(is_known, values)):
            try:
                return PURE[name](*values)
            except (TypeError, AttributeError):
                return Unknown(text_of(node))
        return Unknown(text_of(node), "string" if name in STRING_FUNCTIONS else "dynamic")

    def _arity(self, name: str, given: int, node: Node) -> None:
        signature = functions().get(name)
        if signature is None:
            self.resolver.report(rules.FUNCTION, f"there is no function {name!r}", line_of(node))
        elif given < len(signature[0]) or (given > len(signature[0]) and not signature[1]):
            self.resolver.report(rules.FUNCTION, f"{name} takes {len(signature[0])} arguments, not {given}", line_of(node))

    def _for_expr(self, node: Node, scope: Scope) -> Value:
        inner = node.children[0]
        names: list[str] = []
        for child in inner.children:
            if child.type == "for_intro":
                names = [text_of(part) for part in child.children if part.type == "identifier"]
                for part in child.children:
                    if part.type == "expression":
                        self.value(part, scope)
            elif child.is_named:
                self.value(child, scope.with_names(names))
        return Unknown(text_of(node), "tuple" if inner.type == "for_tuple_expr" else "object")

    def _conditional(self, node: Node, scope: Scope) -> Value:
        parts = [self.value(child, scope) for child in node.children if child.type == "expression"]
        if len(parts) == 3 and isinstance(parts[0], bool):
            return parts[1] if parts[0] else parts[2]
        return Unknown(text_of(node))

    def _operation(self, node: Node, scope: Scope) -> Value:
        return self.value(node.children[0], scope)

    def _unary_operation(self, node: Node, scope: Scope) -> Value:
        value = self._operands(node, scope)[0]
        operator = text_of(node.children[0])
        if operator == "-" and isinstance(value, int | float) and not isinstance(value, bool):
            return -value
        if operator == "!" and isinstance(value, bool):
            return not value
        return Unknown(text_of(node), "number" if operator == "-" else "bool")

    def _binary_operation(self, node: Node, scope: Scope) -> Value:
        values = self._operands(node, scope)
        operator = next((text_of(child) for child in node.children if not child.is_named), "")
        if operator in ("==", "!=") and len(values) == 2 and all(map(is_known, values)):
            return (values[0] == values[1]) is (operator == "==")
        return Unknown(text_of(node), "number" if operator in ("+", "-", "*", "/", "%") else "bool")

    def _operands(self, node: Node, scope: Scope) -> list[Value]:
        """Operands; a traversal's steps stand beside its root here."""
        values: list[Value] = []
        nodes = node.children
        at = 0
        while at < len(nodes):
            child = nodes[at]
            at += 1
            if child.type == "variable_expr":
                end = at
                while end < len(nodes) and nodes[end].type in TRAVERSED:
                    end += 1
                text = "".join(text_of(part) for part in nodes[at - 1 : end])
                values.append(self._traversal(nodes[at - 1 : end], text, scope))
                at = end
            elif child.is_named and child.type not in TRAVERSED:
                values.append(self.value(child, scope))
        return values
