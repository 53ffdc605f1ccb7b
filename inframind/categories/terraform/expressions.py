"""Expressions to values.

What Terraform would report while it validates is reported; what only it can find is TypedUnknown.
"""

import re
from collections.abc import Iterator

from inframind.categories.base import Rule
from inframind.categories.terraform import rules
from inframind.categories.terraform.access import AccessError, access
from inframind.categories.terraform.calls import NotVerifiedError, called
from inframind.categories.terraform.fit import common_type_misfit, misfit
from inframind.categories.terraform.functions import CallError
from inframind.categories.terraform.loops import Loops
from inframind.categories.terraform.module import Module
from inframind.categories.terraform.operators import FAMILY, apply, result_type
from inframind.categories.terraform.references import Resolver, Scope, Step
from inframind.categories.terraform.syntax import Node, label_of, line_of, text_of
from inframind.categories.terraform.values import (
    Reference,
    TypedUnknown,
    Value,
    as_text,
    is_bare,
    is_known,
    weight,
)
from inframind.types import Finding

MAX_FOLLOWED = 100_000
"""Parts of locals and defaults that one evaluator carries along: a hostile file makes them grow."""
ESCAPE = re.compile(r'\\(n|t|r|"|\\|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})')
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}
POSTFIX = frozenset({"get_attr", "index", "splat"})
LENIENT = frozenset({"try", "can"})


def unescaped(text: str) -> str:
    """Resolves HCL's escapes in a quoted literal's text."""
    text = ESCAPE.sub(
        lambda m: ESCAPES.get(m.group(1)) or chr(min(int(m.group(1)[1:], 16), 0x10FFFF)), text
    )
    return text.replace("$${", "${").replace("%%{", "%{")


class Evaluator(Loops):
    """Evaluates the expressions of one module.

    With `defaults`, variables have their default's value, and `jsonencode` gives the value it
    encodes: that is how intent checks see a file. Without, a variable is of its type and unknown,
    as `terraform validate` has it.
    """

    def __init__(self, module: Module, *, defaults: bool = False) -> None:
        self.module = module
        self.defaults = defaults
        self.resolver = Resolver(module)
        self.visited: list[Reference] = []
        """References that resolved, in the order of their evaluation."""
        self.faults: list[Finding] = []
        self._followed = 0
        self._values: dict[tuple[str, str], tuple[Value, list[Reference]]] = {}

    def fault(self, rule: Rule, message: str, line: int, text: str = "") -> TypedUnknown:
        """Records what goes wrong while evaluating; `try` and untaken branches forgive it."""
        self.faults.append(rule.finding(message, line))
        return TypedUnknown(text)

    def forgiving(self, node: Node | None, scope: Scope) -> tuple[Value, list[Finding]]:
        """Evaluates, and returns the faults beside the value instead of recording them."""
        # What the resolver reports stays: `can` "will not catch errors relating to expressions that
        # can be proven to be invalid for any input" (language/functions/can); nor does `try`.
        before = len(self.faults)
        value = self.value(node, scope)
        faults = self.faults[before:]
        del self.faults[before:]
        return value, faults

    def value(self, node: Node | None, scope: Scope) -> Value:
        """Evaluates an expression as far as it is known. Reports what is wrong in it."""
        if node is None:
            return TypedUnknown("")
        handler = getattr(self, f"_{node.type}", None)
        if handler is not None:
            return handler(node, scope)
        for child in node.named_children:
            self.value(child, scope)
        return TypedUnknown(text_of(node))

    def _expression(self, node: Node, scope: Scope) -> Value:
        values = list(self.operands(node.children, scope))
        return values[0] if len(values) == 1 else TypedUnknown(text_of(node))

    def operands(self, nodes: list[Node], scope: Scope) -> Iterator[Value]:
        """Evaluates sibling nodes; a primary's attribute accesses and indices stand behind it."""
        position = 0
        while position < len(nodes):
            primary = nodes[position]
            position += 1
            if not primary.is_named:
                continue
            # In `(a).b` the closing parenthesis stands between a primary and its accesses.
            end = position + (position < len(nodes) and nodes[position].type == ")")
            first = end
            while end < len(nodes) and nodes[end].type in POSTFIX:
                end += 1
            steps = list(self._steps(nodes[first:end], scope))
            text = (
                "".join(text_of(part) for part in nodes[position - 1 : end])
                if end > position
                else text_of(primary)
            )
            position = end
            if primary.type == "variable_expr":
                yield self._traversal(text_of(primary), steps, text, scope, line_of(primary))
            else:
                yield self._accessed(self.value(primary, scope), steps, text, line_of(primary))

    def _accessed(self, value: Value, steps: list[Step], text: str, line: int) -> Value:
        if not steps:
            return value
        try:
            return access(value, steps, text)
        except AccessError as error:
            return self.fault(rules.ATTRIBUTE, str(error), line, text)

    def _steps(self, nodes: list[Node], scope: Scope) -> Iterator[Step]:
        for node in nodes:
            if node.type == "get_attr":
                yield ("attr", text_of(node.children[1]))
            elif node.type == "index":
                inner = node.children[0]
                key = next(
                    (child for child in inner.named_children if child.type == "expression"), None
                )
                yield ("index", self.value(key, scope) if key else text_of(inner).strip("[]. "))
            elif node.type == "splat":
                inner = node.children[0]
                yield ("splat", inner.type)
                yield from self._steps(inner.children, scope)

    def _traversal(self, root: str, steps: list[Step], text: str, scope: Scope, line: int) -> Value:
        # Names that a loop binds hide every other root: they are in HCL's inner EvalContext.
        if root in scope.names:
            return self._accessed(scope.names[root], steps, text, line)
        if root in ("true", "false", "null") and not steps:
            return {"true": True, "false": False, "null": None}[root]
        target = self.resolver.resolve(text, root, steps, scope, line)
        if isinstance(target, Reference):
            self.visited.append(target)
            return target
        if root in ("var", "local") and steps:
            value = self._follow(root, str(steps[0][1]), target)
            return self._accessed(value, steps[1:], text, line)
        deeper = steps[1:] if root in ("each", "count", "path", "terraform") else []
        return self._accessed(target, deeper, text, line) if deeper else target

    def _follow(self, root: str, name: str, declared: Value) -> Value:
        """Evaluates the value of a local, or of a variable's default where defaults count."""
        if (root, name) not in self._values:
            # Set before it is evaluated: a local that leads to itself ends here; Graph reports it.
            self._values[root, name] = (declared, [])
            attribute = self.module.locals.get(name)
            if root == "var":
                block = self.module.variables.get(name)
                attribute = (
                    block.body.attributes.get("default") if block and self.defaults else None
                )
            if attribute is not None:
                self._values[root, name] = self._elsewhere(attribute.expression, declared)
        value, visited = self._values[root, name]
        self._followed += weight(value)
        if self._followed > MAX_FOLLOWED:
            return declared
        self.visited += visited
        return declared if root == "var" and value is None else value

    def _elsewhere(self, node: Node | None, declared: Value) -> tuple[Value, list[Reference]]:
        """Evaluates what is declared elsewhere, and collects its references.

        What is wrong in it is reported where it stands.
        """
        resolver, self.resolver = self.resolver, Resolver(self.module)
        outer, self.visited = self.visited, []
        value, _ = self.forgiving(node, Scope())
        visited = list(dict.fromkeys(self.visited))
        self.resolver, self.visited = resolver, outer
        return (value, visited) if weight(value) < MAX_FOLLOWED // 20 else (declared, visited)

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
        quoted = template.type == "quoted_template"
        children = [
            child for child in template.named_children if child.type.startswith("template_")
        ]
        # A lone one keeps its value's type: HCL's spec, Template Interpolation Unwrapping.
        if quoted and len(children) == 1 and children[0].type == "template_interpolation":
            return self.interpolation(children[0], scope)
        parts = list(self.template_parts(children, scope, quoted=quoted))
        if all(isinstance(part, str) for part in parts):
            text = "".join(parts)
            return text if quoted else _heredoc(text, text_of(template))
        return TypedUnknown(text_of(node), "string")

    def template_parts(self, nodes: list[Node], scope: Scope, *, quoted: bool) -> Iterator[Value]:
        """Texts, and TypedUnknown for what is not known."""
        for child in nodes:
            if child.type == "template_literal":
                yield (
                    unescaped(text_of(child))
                    if quoted
                    else text_of(child).replace("$${", "${").replace("%%{", "%{")
                )
            elif child.type == "template_interpolation":
                value = self.interpolation(child, scope)
                if value is None or isinstance(value, list | dict) or misfit(value, "string"):
                    what = "null" if value is None else "a list or an object"
                    self.fault(
                        rules.TYPE,
                        f"{text_of(child)}: {what} cannot be part of a text",
                        line_of(child),
                    )
                yield as_text(value) if isinstance(value, str | int | float) else TypedUnknown("")
            elif child.type == "template_directive":
                self.directive(child, scope)
                yield TypedUnknown("")

    def interpolation(self, node: Node, scope: Scope) -> Value:
        """Evaluates what stands between `${` and `}`."""
        return self.value(next((c for c in node.children if c.type == "expression"), None), scope)

    def _collection_value(self, node: Node, scope: Scope) -> Value:
        return self.value(node.children[0], scope)

    def _tuple(self, node: Node, scope: Scope) -> Value:
        return [self.value(child, scope) for child in node.children if child.type == "expression"]

    def _object(self, node: Node, scope: Scope) -> Value:
        members: dict[str, Value] = {}
        keys_known = True
        for element in (child for child in node.children if child.type == "object_elem"):
            pair = [child for child in element.children if child.type == "expression"]
            if len(pair) != 2:
                continue
            key = self._key(pair[0], scope)
            value = self.value(pair[1], scope)
            if key is None or isinstance(key, list | dict):
                self.fault(
                    rules.TYPE, f"{text_of(pair[0])}: a key must be a text", line_of(pair[0])
                )
            keys_known &= isinstance(key, str)
            members[str(key)] = value
        return members if keys_known else TypedUnknown(text_of(node), ["map", "dynamic"])

    def _key(self, node: Node, scope: Scope) -> Value:
        # A bare word is a literal key: language/expressions/types, Maps/Objects.
        if node.children and node.children[0].type == "variable_expr":
            if len(node.children) > 1:
                line = line_of(node)
                self.resolver.report(
                    rules.UNDECLARED,
                    f"{text_of(node)}: a key that is a reference stands in parentheses",
                    line,
                )
            return text_of(node)
        key = self.value(node, scope)
        return as_text(key) if isinstance(key, int | float) else key

    def _function_call(self, node: Node, scope: Scope) -> Value:
        name = "::".join(text_of(child) for child in node.children if child.type == "identifier")
        argument_list = next(
            (child for child in node.children if child.type == "function_arguments"), None
        )
        children = argument_list.children if argument_list else []
        arguments = [child for child in children if child.type == "expression"]
        if name in LENIENT:
            return self._attempt(name, node, arguments, scope)
        values = [self.value(child, scope) for child in arguments]
        if any(child.type in ("ellipsis", "...") for child in children):
            if not isinstance(values[-1], list):
                return TypedUnknown(text_of(node))
            values = [*values[:-1], *values[-1]]
        if (
            name == "jsonencode"
            and self.defaults
            and len(values) == 1
            and isinstance(values[0], list | dict)
        ):
            return values[0]
        try:
            value = called(name, values, text_of(node), self.module)
        except CallError as error:
            return self.fault(rules.FUNCTION, f"{name}: {error}", line_of(node), text_of(node))
        except NotVerifiedError as error:
            return self.resolver.report(rules.FOREIGN, str(error), line_of(node))
        except LookupError as error:
            return self.resolver.report(rules.FUNCTION, str(error.args[0]), line_of(node))
        return value if weight(value) < MAX_FOLLOWED // 20 else TypedUnknown(text_of(node))

    def _attempt(self, name: str, node: Node, arguments: list[Node], scope: Scope) -> Value:
        """Evaluates `try` and `can`: a fault means the next argument, or false."""
        results = [self.forgiving(child, scope) for child in arguments]
        if name == "can":
            decided = len(results) == 1 and is_known(results[0][0])
            return not results[0][1] if decided else TypedUnknown(text_of(node), "bool")
        value = next(
            (value for value, faults in results if not faults), TypedUnknown(text_of(node))
        )
        return TypedUnknown(text_of(node)) if is_bare(value) else value

    def _conditional(self, node: Node, scope: Scope) -> Value:
        nodes = [child for child in node.children if child.type == "expression"]
        if len(nodes) != 3:
            return TypedUnknown(text_of(node))
        condition = self.value(nodes[0], scope)
        wrong = "the condition is null" if condition is None else misfit(condition, "bool")
        if wrong:
            return self.fault(
                rules.TYPE, f"{text_of(nodes[0])}: {wrong}", line_of(node), text_of(node)
            )
        # Both results are evaluated for their common type, but only the chosen one's errors count:
        # ConditionalExpr in hclsyntax/expression.go.
        branches = []
        for child in nodes[1:]:
            seen = len(self.visited)
            value, faults = self.forgiving(child, scope)
            branches.append((value, faults, self.visited[seen:]))
            del self.visited[seen:]
        if not any(faults for _, faults, _ in branches):
            why = common_type_misfit(branches[0][0], branches[1][0])
            if why:
                return self.fault(
                    rules.TYPE,
                    f"the two results have no type in common: {why}",
                    line_of(node),
                    text_of(node),
                )
        if is_bare(condition):
            self.visited += branches[0][2] + branches[1][2]
            return self._either(branches[0][0], branches[1][0], text_of(node))
        value, faults, visited = branches[0 if condition in (True, "true", "1") else 1]
        self.faults += faults
        self.visited += visited
        return value

    @staticmethod
    def _either(left: Value, right: Value, text: str) -> TypedUnknown:
        """Joins two results to a value of which only the family of types is known."""
        for family, kinds in FAMILY:
            if all(
                isinstance(value, kinds) and not isinstance(value, bool) for value in (left, right)
            ):
                return TypedUnknown(text, family)
        return TypedUnknown(text)

    def _operation(self, node: Node, scope: Scope) -> Value:
        return self.value(node.children[0], scope)

    def _unary_operation(self, node: Node, scope: Scope) -> Value:
        return self._applied(text_of(node.children[0]), node, scope)

    def _binary_operation(self, node: Node, scope: Scope) -> Value:
        operator = next(
            (text_of(c) for c in node.children if not c.is_named and c.type not in ("(", ")")), ""
        )
        return self._applied(operator, node, scope)

    def _applied(self, operator: str, node: Node, scope: Scope) -> Value:
        values = list(self.operands(node.children, scope))
        try:
            value = apply(operator, values)
        except CallError as error:
            return self.fault(rules.TYPE, f"{operator}: {error}", line_of(node), text_of(node))
        return (
            TypedUnknown(text_of(node), result_type(operator))
            if isinstance(value, TypedUnknown)
            else value
        )


def _heredoc(text: str, source: str) -> str:
    """Forms a heredoc's text: `<<-` takes the common indentation away; the last line ends."""
    # https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md#template-expressions
    lines = text.split("\n")
    if source.startswith("<<-"):
        indents = [len(line) - len(line.lstrip(" \t")) for line in lines if line.strip()]
        cut = min(indents, default=0)
        lines = [line[cut:] for line in lines]
    joined = "\n".join(lines)
    return joined if joined.endswith("\n") or not joined else joined + "\n"
