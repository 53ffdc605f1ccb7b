"""The blocks of the language itself: variable, output, locals, terraform, moved, import, removed,
check, lifecycle ...

https://developer.hashicorp.com/terraform/language
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from inframind.categories.terraform import addresses, rules
from inframind.categories.terraform.expressions import Evaluator
from inframind.categories.terraform.fit import misfit
from inframind.categories.terraform.references import Scope
from inframind.categories.terraform.syntax import Attribute, Block, Body, Node, line_of, text_of
from inframind.categories.terraform.type_constraints import TypeConstraintError, type_constraint
from inframind.types import Finding


class Holds(Enum):
    """Kinds of values that arguments of the language hold."""

    EXPRESSION = auto()
    TESTED = auto()
    """A condition: it refers to something."""
    IMPORT_ID = auto()
    TEXT = auto()
    TEXTS = auto()
    TEXT_MAP = auto()
    BOOL = auto()
    STATIC_BOOL = auto()
    """Neither references nor functions, as in the next two."""
    STATIC_TEXT = auto()
    CONSTANT = auto()
    TYPE = auto()
    REFERENCES = auto()
    TRIGGERS = auto()
    KEYWORD = auto()
    OTHER = auto()
    """Not looked into, or elsewhere."""


TYPES: dict[Holds, Any] = {
    Holds.TEXT: "string",
    Holds.TEXTS: ["list", "string"],
    Holds.TEXT_MAP: ["map", "string"],
    Holds.BOOL: "bool",
}
"""Expressions of a known type, in Terraform's JSON form."""
ADDRESSES: dict[str, dict[str, bool]] = {
    "moved": {},
    "removed": {"keys": False, "data": False},
    "import": {"data": False, "computed": True},
}
"""Blocks whose `from` and `to` are addresses, and what may stand in them."""
# https://developer.hashicorp.com/terraform/language/expressions/version-constraints
VERSION_CONSTRAINT = re.compile(
    r"\s*(?:=|!=|>=|<=|>|<|~>)?\s*v?\d+(?:\.\d+){0,2}(?:-[0-9A-Za-z.-]+)?\s*"
)


@dataclass(frozen=True)
class Shape:
    """Arguments and nested blocks of a language block."""

    arguments: Mapping[str, Holds] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    blocks: Mapping[str, "Shape"] = field(default_factory=dict)
    open: bool = False
    """Other arguments and blocks may stand here too."""
    at_most_one: bool = False


CONDITION = Shape(
    {"condition": Holds.TESTED, "error_message": Holds.EXPRESSION},
    frozenset({"condition", "error_message"}),
)
ANYTHING = Shape(open=True)
# https://developer.hashicorp.com/terraform/language/resources/provisioners/connection
CONNECTION = Shape(
    dict.fromkeys(
        (
            "type user password host port timeout script_path private_key certificate agent "
            "agent_identity host_key target_platform https insecure use_ntlm cacert bastion_host "
            "bastion_host_key bastion_port bastion_user bastion_password bastion_private_key "
            "bastion_certificate proxy_scheme proxy_host proxy_port proxy_user_name "
            "proxy_user_password"
        ).split(),
        Holds.EXPRESSION,
    ),
    frozenset({"host"}),
)
PROVISIONER_META = {"when": Holds.KEYWORD, "on_failure": Holds.KEYWORD}
# Terraform 0.15 removed the others: chef, habitat, puppet and salt-masterless.
PROVISIONERS = {
    "local-exec": Shape(
        {
            **PROVISIONER_META,
            "command": Holds.TEXT,
            "interpreter": Holds.TEXTS,
            "working_dir": Holds.TEXT,
            "environment": Holds.TEXT_MAP,
            "quiet": Holds.BOOL,
        },
        frozenset({"command"}),
        {"connection": CONNECTION},
    ),
    "remote-exec": Shape(
        {**PROVISIONER_META, "inline": Holds.TEXTS, "script": Holds.TEXT, "scripts": Holds.TEXTS},
        blocks={"connection": CONNECTION},
    ),
    "file": Shape(
        {**PROVISIONER_META, **dict.fromkeys(("source", "content", "destination"), Holds.TEXT)},
        frozenset({"destination"}),
        {"connection": CONNECTION},
    ),
}
# "Only literal values can be used because the processing happens too early for arbitrary
# expression evaluation": meta-arguments/lifecycle.
LIFECYCLE = Shape(
    {
        "create_before_destroy": Holds.STATIC_BOOL,
        "prevent_destroy": Holds.STATIC_BOOL,
        "ignore_changes": Holds.OTHER,
        "replace_triggered_by": Holds.TRIGGERS,
    },
    blocks={"precondition": CONDITION, "postcondition": CONDITION},
    at_most_one=True,
)
DATA_LIFECYCLE = Shape(
    blocks={"precondition": CONDITION, "postcondition": CONDITION}, at_most_one=True
)
# `default` "requires a literal value and cannot reference other objects in the configuration":
# language/values/variables.
BLOCKS = {
    "variable": Shape(
        {
            "type": Holds.TYPE,
            "default": Holds.CONSTANT,
            "description": Holds.STATIC_TEXT,
            "sensitive": Holds.STATIC_BOOL,
            "nullable": Holds.STATIC_BOOL,
            "ephemeral": Holds.STATIC_BOOL,
        },
        blocks={"validation": CONDITION},
    ),
    "output": Shape(
        {
            "value": Holds.EXPRESSION,
            "description": Holds.STATIC_TEXT,
            "sensitive": Holds.STATIC_BOOL,
            "ephemeral": Holds.STATIC_BOOL,
            "depends_on": Holds.REFERENCES,
        },
        frozenset({"value"}),
        {"precondition": CONDITION},
    ),
    "terraform": Shape(
        {
            "required_version": Holds.STATIC_TEXT,
            "experiments": Holds.OTHER,
            "language": Holds.OTHER,
        },
        blocks={
            "required_providers": Shape(open=True, at_most_one=True),
            "backend": Shape(open=True, at_most_one=True),
            "cloud": Shape(open=True, at_most_one=True),
            "provider_meta": ANYTHING,
        },
    ),
    "moved": Shape({"from": Holds.OTHER, "to": Holds.OTHER}, frozenset({"from", "to"})),
    "import": Shape(
        {
            "to": Holds.OTHER,
            "id": Holds.IMPORT_ID,
            "provider": Holds.OTHER,
            "for_each": Holds.EXPRESSION,
        },
        frozenset({"to", "id"}),
    ),
    "removed": Shape(
        {"from": Holds.OTHER},
        frozenset({"from"}),
        {"lifecycle": Shape({"destroy": Holds.STATIC_BOOL}), "provisioner": ANYTHING},
    ),
    "check": Shape(blocks={"data": Shape(open=True, at_most_one=True), "assert": CONDITION}),
}
"""The top-level blocks of the language."""


class LanguageChecker:
    """Checks language blocks; findings gather in `findings` and in the evaluator."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self.findings: list[Finding] = []

    def block(self, block: Block) -> None:
        """Checks a top-level block of the language."""
        if block.type == "locals":
            self._locals(block)
            return
        self.shape(block, BLOCKS[block.type], Scope(each="for_each" in block.body.attributes))
        if block.type == "variable":
            self._default(block)
            self._validations(block)
        elif block.type in ADDRESSES:
            self._addresses(block)
        elif block.type == "terraform":
            self._versions(block)
        # Terraform: "Check blocks must have at least one assert block."
        elif block.type == "check" and not list(block.body.named("assert")):
            self.findings.append(rules.REQUIRED.finding("check needs an assert block", block.line))

    def shape(self, block: Block, shape: Shape, scope: Scope) -> None:
        """Checks a block against its shape: arguments, required ones, nested blocks."""
        for attribute in block.body.attributes.values():
            kind = Holds.OTHER if shape.open else shape.arguments.get(attribute.name)
            if kind is None:
                message = f"{block.type} has no argument {attribute.name!r}"
                self.findings.append(rules.ARGUMENT.finding(message, attribute.line))
            else:
                self._argument(attribute, kind, scope)
        for name in sorted(shape.required - block.body.attributes.keys()):
            self.findings.append(
                rules.REQUIRED.finding(f"{block.type} needs the argument {name!r}", block.line)
            )
        seen: set[str] = set()
        for nested in block.body.blocks:
            inner = shape.blocks.get(nested.type)
            if inner is None:
                if not shape.open:
                    self.findings.append(
                        rules.BLOCK.finding(
                            f"{block.type} has no block {nested.type!r}", nested.line
                        )
                    )
                continue
            if inner.at_most_one and nested.type in seen:
                self.findings.append(
                    rules.COUNT_BLOCKS.finding(
                        f"{block.type} has two {nested.type} blocks", nested.line
                    )
                )
            seen.add(nested.type)
            self.shape(nested, inner, self._inner_scope(nested, scope))

    @staticmethod
    def _inner_scope(block: Block, scope: Scope) -> Scope:
        has_self = block.type in ("postcondition", "connection")
        return Scope(
            scope.names,
            scope.each,
            scope.count,
            scope.enclosing,
            allows_self=scope.allows_self or has_self,
        )

    def _argument(self, attribute: Attribute, kind: Holds, scope: Scope) -> None:
        node = attribute.expression
        if node is None or kind is Holds.OTHER:
            return
        if kind is Holds.TYPE:
            try:
                type_constraint(node)
            except TypeConstraintError as error:
                self.findings.append(rules.TYPE.finding(str(error), attribute.line))
        elif kind is Holds.REFERENCES:
            self.references(attribute, scope)
        elif kind is Holds.TRIGGERS:
            self._static_fault(attribute, addresses.trigger_fault(node))
        elif kind is Holds.KEYWORD:
            self._static_fault(attribute, addresses.keyword_fault(attribute.name, node))
        elif kind in (Holds.EXPRESSION, Holds.TESTED, Holds.IMPORT_ID):
            value = self.evaluator.value(node, scope)
            # Terraform: "must refer to at least one object from elsewhere in the
            # configuration, or else its result would not be checking anything."
            if kind is Holds.TESTED and not any(addresses.roots(node)):
                self._static_fault(
                    attribute, "the condition refers to nothing, so it tests nothing"
                )
            elif kind is Holds.IMPORT_ID and value in (None, ""):
                self._static_fault(attribute, "a text that is not empty is required")
        elif kind in TYPES:
            why = misfit(self.evaluator.value(node, scope), TYPES[kind])
            if why:
                self.findings.append(rules.TYPE.finding(f"{attribute.name}: {why}", attribute.line))
        else:
            self._static(
                attribute,
                node,
                {Holds.STATIC_BOOL: "bool", Holds.STATIC_TEXT: "string"}.get(kind, "dynamic"),
            )

    def _static(self, attribute: Attribute, node: Node, kind: str) -> None:
        """Checks a value that may use neither references nor functions."""
        computed = next(computing(node), None)
        if computed is not None:
            message = (
                f"{attribute.name}: {text_of(computed)[:60]} may not stand here: write a plain "
                "value"
            )
            self.findings.append(rules.STATIC.finding(message, line_of(computed)))
            return
        value = self.evaluator.value(node, Scope())
        why = misfit(value, kind)
        if why:
            self.findings.append(rules.TYPE.finding(f"{attribute.name}: {why}", attribute.line))

    def _static_fault(self, attribute: Attribute, why: str | None) -> None:
        if why:
            self.findings.append(rules.STATIC.finding(f"{attribute.name}: {why}", attribute.line))

    def references(self, attribute: Attribute, scope: Scope) -> None:
        """Checks `depends_on`: a list of whole objects."""
        items = addresses.elements(attribute.expression)
        if items is None:
            self.findings.append(
                rules.STATIC.finding(f"{attribute.name} is a list of references", attribute.line)
            )
            return
        for item in items:
            # Terraform 0.11 wrote these references in quotes; they are read, with a warning.
            quoted = item.children[0].type == "literal_value"
            steps = addresses.traversal(item, quoted=True)
            if not quoted:
                self.evaluator.value(item, scope)
            elif steps and len(steps) > 1:
                root, rest = str(steps[0][1]), steps[1:]
                self.evaluator.resolver.resolve(
                    text_of(item).strip('"'), root, rest, scope, line_of(item)
                )
            words = [step for step, _ in steps or ()]
            first = steps[0][1] if steps else ""
            deepest = 3 if first == "data" else 2
            if not steps or (quoted and len(steps) < 2) or words.count("attr") > deepest:
                message = f"{text_of(item)[:60]}: name a whole object, such as aws_vpc.main"
                self.findings.append(
                    rules.STATIC.finding(f"{attribute.name}: {message}", line_of(item))
                )

    def _validations(self, block: Block) -> None:
        """Reports conditions of a variable that are not about that variable."""
        for nested in block.body.named("validation"):
            condition = nested.body.attributes.get("condition")
            if (
                condition is None
                or condition.expression is None
                or not any(named := list(addresses.roots(condition.expression)))
            ):
                continue
            # Terraform: "must refer to var.NAME in order to test incoming values".
            if ("var", block.labels[0]) not in named:
                self._static_fault(
                    condition, f"the condition does not refer to var.{block.labels[0]}"
                )

    def _addresses(self, block: Block) -> None:
        """Checks the addresses in `moved`, `removed` and `import`."""
        ends = {
            name: block.body.attributes[name]
            for name in ("from", "to")
            if name in block.body.attributes
        }
        steps = {
            name: addresses.traversal(attribute.expression) for name, attribute in ends.items()
        }
        faults = {
            name: addresses.address_fault(path, **ADDRESSES[block.type])
            for name, path in steps.items()
        }
        for name, why in faults.items():
            self._static_fault(ends[name], why)
        kinds = {
            addresses.is_module(path) for name, path in steps.items() if path and not faults[name]
        }
        if len(kinds) > 1:
            self._static_fault(ends["to"], "from and to are both modules or both resources")

    def _locals(self, block: Block) -> None:
        for attribute in block.body.attributes.values():
            self.evaluator.value(attribute.expression, Scope())
        for nested in block.body.blocks:
            message = f"locals has no blocks: write {nested.type} = {{ ... }}"
            self.findings.append(rules.BLOCK.finding(message, nested.line))

    def _default(self, block: Block) -> None:
        attributes = block.body.attributes
        if "default" not in attributes or "type" not in attributes:
            return
        node, kind = attributes["default"].expression, attributes["type"].expression
        if node is None or kind is None or next(computing(node), None) is not None:
            return
        try:
            why = misfit(self.evaluator.value(node, Scope()), type_constraint(kind))
        except TypeConstraintError:
            return
        if why:
            self.findings.append(rules.TYPE.finding(f"default: {why}", attributes["default"].line))

    def _versions(self, block: Block) -> None:
        attribute = block.body.attributes.get("required_version")
        if attribute is None:
            return
        value, _ = self.evaluator.forgiving(attribute.expression, Scope())
        if isinstance(value, str) and not all(map(VERSION_CONSTRAINT.fullmatch, value.split(","))):
            message = f"{attribute.name}: {value!r} is no version constraint"
            self.findings.append(rules.TYPE.finding(message, attribute.line))

    def expressions(self, body: Body, scope: Scope) -> None:
        """Evaluates every expression of a body that has no schema."""
        for attribute in body.attributes.values():
            self.evaluator.value(attribute.expression, scope)
        for block in body.blocks:
            self.expressions(block.body, scope)


def computing(node: Node) -> Iterator[Node]:
    """References and function calls below a node."""
    if node.type == "function_call" or (
        node.type == "variable_expr" and text_of(node) not in ("true", "false", "null")
    ):
        yield node
        return
    children = node.children
    if (
        node.type == "object_elem"
        and children[0].children
        and children[0].children[0].type == "variable_expr"
    ):
        children = children[1:]
    for child in children:
        yield from computing(child)
