"""HCL text to bodies, attributes and blocks.

The verdict is hashicorp/hcl's own, the structure tree-sitter's.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

import pygohcl
import tree_sitter
import tree_sitter_hcl

from inframind.categories.base import ParseError
from inframind.categories.terraform import rules
from inframind.sandbox.guards import is_deep
from inframind.types import Finding

Node = tree_sitter.Node
# hcl.Diagnostic.Error: `file:line,column-column: summary; detail`.
POSITION = re.compile(r"[^\s:]*:(\d+),\d+(?:-(?:\d+,)?\d+)?:\s*")


@dataclass(frozen=True, slots=True)
class Attribute:
    """`name = expression`."""

    name: str
    expression: Node | None
    line: int


@dataclass(slots=True)
class Body:
    """The attributes and blocks between two braces."""

    attributes: dict[str, Attribute] = field(default_factory=dict)
    blocks: list["Block"] = field(default_factory=list)
    repeated: list[Attribute] = field(default_factory=list)

    def named(self, kind: str) -> Iterator["Block"]:
        """Yields the blocks of one type."""
        return (block for block in self.blocks if block.type == kind)


@dataclass(frozen=True, slots=True)
class Block:
    """`type "label" { body }`."""

    type: str
    labels: tuple[str, ...]
    body: Body
    line: int


@cache
def parser() -> tree_sitter.Parser:
    """Makes the tree-sitter parser for HCL."""
    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_hcl.language()))


def text_of(node: Node) -> str:
    """Reads the node's source text."""
    return (node.text or b"").decode("utf-8", "replace")


def line_of(node: Node) -> int:
    """Counts the node's line from 1."""
    return node.start_point[0] + 1


def label_of(node: Node) -> str:
    """Reads an identifier, or the text between quotes."""
    if node.type == "identifier":
        return text_of(node)
    return "".join(text_of(child) for child in node.children if child.type == "template_literal")


def parse(text: str) -> Body:
    """Parses a file to its body. Raises ParseError with the message of hashicorp/hcl."""
    # The Go parser recurses without a bound and would take the process along.
    if is_deep(text) or "\x00" in text:
        raise ParseError(rules.SYNTAX.finding("the text is nested too deep"))
    try:
        pygohcl.loads(text)
    except (
        pygohcl.HCLParseError,
        pygohcl.HCLInternalError,
        UnicodeEncodeError,
        ValueError,
    ) as error:
        raise ParseError(_syntax_finding(str(error))) from None
    return structure(text)


def structure(text: str) -> Body:
    """Parses a text to its body; the text need not be without errors."""
    # tree-sitter gives a tree for any text, so it says nothing about syntax.
    root = parser().parse(text.encode()).root_node
    body = next((child for child in root.children if child.type == "body"), None)
    return Body() if body is None else _body(body)


def _syntax_finding(message: str) -> Finding:
    position = POSITION.search(message)
    return rules.SYNTAX.finding(
        POSITION.sub("", message)[-300:].strip(), int(position.group(1)) if position else None
    )


def _body(node: Node) -> Body:
    body = Body()
    for child in node.children:
        if child.type == "attribute":
            name = text_of(child.children[0])
            attribute = Attribute(
                name, child.children[2] if len(child.children) > 2 else None, line_of(child)
            )
            if name in body.attributes:
                body.repeated.append(attribute)
            body.attributes.setdefault(name, attribute)
        elif child.type == "block":
            body.blocks.append(_block(child))
    return body


def _block(node: Node) -> Block:
    labels: list[str] = []
    body = Body()
    for child in node.children:
        if child.type in ("identifier", "string_lit"):
            labels.append(label_of(child))
        elif child.type == "body":
            body = _body(child)
    return Block(labels[0], tuple(labels[1:]), body, line_of(node))
