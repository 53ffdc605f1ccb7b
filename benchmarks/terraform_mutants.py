"""Mutants of real Terraform files, for measuring the fast checks against `terraform validate`.

Half of the kinds keep a file valid.

A file is mutated in the context of its module: the texts of one folder are one text. What belongs
to other providers than AWS and to called modules is cut out of it, and references to it become a
variable, as do files that lie beside it. The configuration of AWS itself goes too, because each
starts a provider of its own; only aliases stay. Lambda runtimes, and one attribute, that are newer
than the provider become what it knows.
"""

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import tree_sitter

from inframind.categories.terraform.syntax import parser

Node = tree_sitter.Node
FOREIGN = r"(?:archive|random|null|external|time|template|tls|local|http|rabbitmq|docker|awscc)_\w+"
TOP = re.compile(
    r'(?:resource|data)\s+"(?!aws_|terraform_)|module\s|provider\s+"(?!aws"[^}]*\balias\b)'
)
NEWER = {
    "python3.14": "python3.13",
    "nodejs24.x": "nodejs22.x",
    "java25": "java21",
    "aws_region.current.region": "aws_region.current.name",
}
REFERENCE = re.compile(
    rf"(?<![\w.-])(?:(?:data\.)?{FOREIGN}|module)\.[\w-]+(?:\[[^\]]*\]|\.[\w*]+)*"
)
READ = re.compile(r"\b(?:file\w*|templatefile)\([^()]*\)")
TEXT = r'"[^"$%\\]+"'
SCALAR = rf"{TEXT}|\d+|true|false"
REQUIREMENT = re.compile(
    r'^\s*(?!aws\b)\w+\s*=\s*\{[^{}]*source\s*=\s*"(?!hashicorp/aws)[^"]*"[^{}]*\}\n', re.M
)


@dataclass(frozen=True)
class Base:
    """A file of a module; `start` and `end` are its place in the module's text, in bytes."""

    name: str
    text: bytes
    start: int
    end: int


def nodes(node: Node) -> Iterator[Node]:
    """The node and all below it."""
    todo = [node]
    while todo:
        current = todo.pop()
        yield current
        todo.extend(reversed(current.children))


def aws_only(text: str) -> str:
    """The text without other providers and called modules."""
    data = text.encode()
    root = parser().parse(data).root_node
    body = next((child for child in root.children if child.type == "body"), None)
    for block in reversed(body.children if body else []):
        if block.type == "block" and TOP.match(data[block.start_byte : block.end_byte].decode()):
            data = data[: block.start_byte] + data[block.end_byte :]
    text = READ.sub(
        "var.elsewhere", REQUIREMENT.sub("", REFERENCE.sub("var.elsewhere", data.decode()))
    )
    for newer, older in NEWER.items():
        text = text.replace(newer, older)
    return text


def bases(folder: Path) -> list[Base]:
    """Every `.tf` file below a folder, in its module."""
    files = []
    for module in sorted({path.parent for path in folder.rglob("*.tf")}):
        texts = [
            (path, aws_only(path.read_text()).rstrip() + "\n\n")
            for path in sorted(module.glob("*.tf"))
        ]
        text = "".join(content for _, content in texts)
        text += 'variable "elsewhere" {}\n' if "var.elsewhere" in text else ""
        start = 0
        for path, content in texts:
            size = len(content.encode())
            files.append(Base(str(path.relative_to(folder)), text.encode(), start, start + size))
            start += size
    return files


class Mutator:
    """Makes one mutant at a time of a base file; None where a kind finds nothing to do."""

    def __init__(self, base: Base, rng: random.Random) -> None:
        self.base, self.rng, self.data = base, rng, base.text
        root = parser().parse(base.text).root_node
        self.nodes = [
            n for n in nodes(root) if base.start <= n.start_byte and n.end_byte <= base.end
        ]
        self.attributes = [
            n
            for n in self.nodes
            if n.type == "attribute" and len(n.children) > 2 and self._in_object(n)
        ]
        self.blocks = [n for n in self.nodes if n.type == "block"]
        self.top = [
            n
            for n in self.blocks
            if n.parent is not None
            and n.parent.parent is not None
            and n.parent.parent.type == "config_file"
        ]
        self.nested = [n for n in self.blocks if n not in self.top and self._in_object(n)]
        self.resources = [
            n for n in self.top if self.of(n.children[0]) == "resource" and len(n.children) > 3
        ]
        self.unlabelled = [
            n for n in self.nested if len(n.children) > 2 and self.of(n.children[1]) == "{"
        ]
        self.elements = [n for n in self.nodes if n.type == "object_elem" and self._in_object(n)]

    def top_of(self, node: Node) -> Node:
        """The top block that a node is in."""
        return next(
            n for n in self.top if n.start_byte <= node.start_byte and node.end_byte <= n.end_byte
        )

    def _in_object(self, node: Node) -> bool:
        ancestor: Node | None = node
        while (
            ancestor is not None
            and ancestor.parent is not None
            and ancestor.parent.type != "config_file"
        ):
            if ancestor.type == "block" and self.of(ancestor.children[0]) in ("resource", "data"):
                return True
            ancestor = ancestor.parent
        return False

    def of(self, node: Node) -> str:
        return self.data[node.start_byte : node.end_byte].decode()

    def put(self, node: Node, text: str) -> str:
        """The module with something else in a node's place."""
        return (self.data[: node.start_byte] + text.encode() + self.data[node.end_byte :]).decode()

    def appended(self, text: str) -> str:
        return self.data.decode() + "\n" + text + "\n"

    def inside(self, block: Node, line: str) -> str:
        """The module with one more line at the end of a block."""
        return self.put(block, self.of(block)[:-1].rstrip() + f"\n  {line}\n}}")

    def rewritten(self, candidates: list[Node], way: str) -> str | None:
        """One of the nodes written otherwise: `@` stands for it."""
        node = self.pick(candidates)
        return self.put(node, way.replace("@", self.of(node))) if node else None

    def labels(self, block: Node) -> tuple[str, str]:
        """The type and the name of a resource."""
        return self.of(block.children[1]).strip('"'), self.of(block.children[2]).strip('"')

    def pick(self, candidates: list[Node]) -> Node | None:
        return self.rng.choice(candidates) if candidates else None

    def value(self) -> Node | None:
        chosen = self.pick(self.attributes)
        return chosen.children[2] if chosen else None

    def literals(self, pattern: str) -> list[Node]:
        return [
            n.children[2] for n in self.attributes if re.fullmatch(pattern, self.of(n.children[2]))
        ]

    def expressions(self, pattern: str) -> list[Node]:
        """Whole expressions at any depth of a resource: also in lists, objects and templates."""
        return [
            n
            for n in self.nodes
            if n.type == "expression" and re.fullmatch(pattern, self.of(n)) and self._in_object(n)
        ]

    def typo(self, text: str) -> str:
        """Two neighbouring letters change places, or one is lost."""
        position = self.rng.randrange(max(1, len(text) - 1))
        swapped = (
            text[:position]
            + text[position + 1 : position + 2]
            + text[position : position + 1]
            + text[position + 2 :]
        )
        return swapped if swapped != text else text[:position] + text[position + 1 :]


Kind = Callable[[Mutator], str | None]
Kinds = tuple[tuple[Kind, ...], tuple[Kind, ...]]
"""Those that keep a file valid, and those that mostly do not."""


def parentheses(m: Mutator) -> str | None:
    node = m.value()
    return m.put(node, f"({m.of(node)})") if node and "<<" not in m.of(node) else None


def template(m: Mutator) -> str | None:
    node = m.pick(m.literals(TEXT))
    return m.put(node, f'"${{{m.of(node)}}}"') if node else None


def local_value(m: Mutator) -> str | None:
    node = m.pick(m.literals(SCALAR))
    return (
        m.put(node, "local.drawn_out") + f"\nlocals {{\n  drawn_out = {m.of(node)}\n}}\n"
        if node
        else None
    )


def quoted(m: Mutator) -> str | None:
    node = m.pick(m.literals(r"\d+|true|false"))
    return m.put(node, f'"{m.of(node)}"') if node else None


def conditional(m: Mutator) -> str | None:
    node = m.pick(m.literals(SCALAR))
    return m.put(node, f"true ? {m.of(node)} : {m.of(node)}") if node else None


def attempted(m: Mutator) -> str | None:
    node = m.value()
    return m.put(node, f"try({m.of(node)})") if node and "<<" not in m.of(node) else None


def comment(m: Mutator) -> str | None:
    node = m.pick(m.attributes)
    return m.put(node, f"# {m.of(node.children[0])} = null\n  {m.of(node)}") if node else None


def to_the_end(m: Mutator) -> str | None:
    node = m.pick(m.top)
    return m.put(node, "") + "\n" + m.of(node) + "\n" if node else None


def twin(m: Mutator) -> str | None:
    node = m.pick(m.resources)
    if node is None:
        return None
    copy = m.of(node).replace(m.of(node.children[2]), '"twin_of_it"', 1)
    return m.data.decode() + "\n" + copy + "\n"


def lifecycle(m: Mutator) -> str | None:
    node = m.pick(
        [n for n in m.top if m.of(n.children[0]) == "resource" and "lifecycle" not in m.of(n)]
    )
    return (
        m.put(
            node,
            m.of(node)[:-1].rstrip() + "\n  lifecycle {\n    create_before_destroy = true\n  }\n}",
        )
        if node
        else None
    )


def new_name(m: Mutator) -> str | None:
    node = m.pick([n for n in m.top if m.of(n.children[0]) == "variable" and len(n.children) > 2])
    if node is None:
        return None
    name = m.of(node.children[1]).strip('"')
    text = m.put(node.children[1], f'"{name}_2"')
    return re.sub(rf"\bvar\.{re.escape(name)}\b(?!-)", f"var.{name}_2", text)


def other_number(m: Mutator) -> str | None:
    node = m.pick(m.literals(r"\d+"))
    return m.put(node, str(int(m.of(node)) + m.rng.choice([1, 2, 5]))) if node else None


def longer_name(m: Mutator) -> str | None:
    named = [
        n.children[2]
        for n in m.attributes
        if m.of(n.children[0]) in ("name", "description", "Name", "comment", "display_name")
    ]
    node = m.pick([n for n in named if re.fullmatch(r'"[\w -]+"', m.of(n))])
    return m.put(node, m.of(node)[:-1] + '-b"') if node else None


def mapped(m: Mutator) -> str | None:
    node = m.pick(m.literals(TEXT))
    return m.put(node, f'{{ a = {m.of(node)} }}["a"]') if node else None


def joined(m: Mutator) -> str | None:
    node = m.pick(m.literals(r'"[^"$%\\]{2,}"'))
    if node is None:
        return None
    text = m.of(node)[1:-1]
    return m.put(node, f'join("", ["{text[:1]}", "{text[1:]}"])')


def without_argument(m: Mutator) -> str | None:
    node = m.pick(m.attributes)
    return m.put(node, "") if node else None


def without_block(m: Mutator) -> str | None:
    node = m.pick(m.nested + m.top)
    return m.put(node, "") if node else None


def misspelt_argument(m: Mutator) -> str | None:
    node = m.pick(m.attributes)
    return m.put(node.children[0], m.typo(m.of(node.children[0]))) if node else None


def misspelt_block(m: Mutator) -> str | None:
    node = m.pick(m.nested)
    return m.put(node.children[0], m.typo(m.of(node.children[0]))) if node else None


def misspelt_type(m: Mutator) -> str | None:
    node = m.pick([n for n in m.top if m.of(n.children[0]) in ("resource", "data")])
    return m.put(node.children[1], f'"{m.typo(m.of(node.children[1])[1:-1])}"') if node else None


def misspelt_reference(m: Mutator) -> str | None:
    node = m.pick([n for n in m.nodes if n.type == "get_attr" and len(n.children) > 1])
    return m.put(node.children[1], m.typo(m.of(node.children[1]))) if node else None


def misspelt_word(m: Mutator) -> str | None:
    node = m.pick(m.literals(r'"[A-Za-z_-]{3,}"'))
    return m.put(node, f'"{m.typo(m.of(node)[1:-1])}"') if node else None


def other_case(m: Mutator) -> str | None:
    node = m.pick(m.literals(r'"[A-Za-z_-]{2,}"'))
    return m.put(node, m.of(node).swapcase()) if node else None


def exchanged(m: Mutator) -> str | None:
    if len(m.attributes) < 2:
        return None
    first, second = m.rng.sample(m.attributes, 2)
    return (
        m.put(first.children[2], m.of(second.children[2]))
        if m.of(first.children[2]) != m.of(second.children[2])
        else None
    )


def moved(m: Mutator) -> str | None:
    node, into = m.pick(m.attributes), m.pick(m.top)
    if node is None or into is None:
        return None
    text = m.of(into)[:-1].rstrip() + f"\n  {m.of(node)}\n}}"
    return m.put(into, text)


def as_argument(m: Mutator) -> str | None:
    node = m.pick(m.unlabelled)
    return m.put(node.children[0], m.of(node.children[0]) + " =") if node else None


def as_block(m: Mutator) -> str | None:
    node = m.pick([n for n in m.attributes if m.of(n.children[2]).startswith("{")])
    return m.put(node.children[1], "") if node else None


def repeated_block(m: Mutator) -> str | None:
    node = m.pick(m.nested)
    return m.put(node, m.of(node) + "\n" + m.of(node)) if node else None


def indexed(m: Mutator) -> str | None:
    node = m.pick([n for n in m.nodes if n.type == "get_attr"])
    return m.put(node, m.of(node) + "[0]") if node else None


def function(m: Mutator) -> str | None:
    node = m.pick([n for n in m.nodes if n.type == "function_call"])
    if node is None:
        return None
    name = m.rng.choice(
        [m.typo(m.of(node.children[0])), "length", "tolist", "jsonencode", "flatten"]
    )
    return m.put(node.children[0], name)


def nonsense(m: Mutator) -> str | None:
    node = m.value()
    return (
        m.put(
            node,
            m.rng.choice(
                ['"~ no such thing ~"', "-7", "[]", "{}", "null", '["a", 1]', '""', "4.5", "true"]
            ),
        )
        if node
        else None
    )


def cut(m: Mutator) -> str | None:
    node = m.pick(
        [
            n
            for n in m.nodes
            if n.type in ("block_end", "quoted_template_end", "tuple_end", "object_end")
        ]
    )
    return m.put(node, "") if node else None


HARMLESS: tuple[Kind, ...] = (
    parentheses, template, local_value, quoted, conditional, attempted, comment, to_the_end, twin,
    lifecycle, new_name, other_number, longer_name, mapped, joined,
)  # fmt: skip
HARMFUL: tuple[Kind, ...] = (
    without_argument, without_block, misspelt_argument, misspelt_block, misspelt_type,
    misspelt_reference, misspelt_word, other_case, exchanged, moved, as_argument, as_block,
    repeated_block, indexed, function, nonsense, cut,
)  # fmt: skip


def mutants(files: list[Base], count: int, seed: int, kinds: Kinds) -> list[tuple[str, str, str]]:
    """(kind, base's name, text) of `count` mutants, half of each sort, evenly over the bases."""
    rng = random.Random(seed)
    made: list[tuple[str, str, str]] = []
    order = sorted(files, key=lambda base: base.name)
    rng.shuffle(order)
    tries = 0
    while len(made) < count and tries < 20 * count:
        base = order[tries % len(order)]
        kind = rng.choice(kinds[len(made) % 2])
        tries += 1
        text = kind(Mutator(base, rng))
        if text is not None and text.encode() != base.text:
            made.append((kind.__name__, base.name, text))
    return made
