"""The declarations of a root module: what a reference may lead to."""

import re
from collections import Counter
from dataclasses import dataclass, field

from inframind.categories.terraform import rules
from inframind.categories.terraform.syntax import Attribute, Block, Body, text_of
from inframind.types import Finding

LABELS = {
    "terraform": 0, "locals": 0, "moved": 0, "import": 0, "removed": 0, "provider": 1, "variable": 1, "output": 1, "module": 1,
    "check": 1, "resource": 2, "data": 2, "ephemeral": 2,
}  # fmt: skip
"""Top-level block types and their number of labels."""
OBJECTS = ("resource", "data", "ephemeral")
IDENTIFIER = re.compile(r"[A-Za-z_][\w-]*")


@dataclass
class Module:
    """Tables of everything declared, and findings about the declarations."""

    body: Body
    objects: dict[tuple[str, str, str], Block] = field(default_factory=dict)
    """(mode, type, name) -> block."""
    variables: dict[str, Block] = field(default_factory=dict)
    locals: dict[str, Attribute] = field(default_factory=dict)
    modules: dict[str, Block] = field(default_factory=dict)
    outputs: dict[str, Block] = field(default_factory=dict)
    providers: list[Block] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    sound: list[Block] = field(default_factory=list)
    """Top-level blocks of known type with the right labels."""

    def is_multiple(self, key: tuple[str, str, str]) -> bool:
        """Whether the object has count or for_each."""
        attributes = self.objects[key].body.attributes
        return "count" in attributes or "for_each" in attributes


def declare(body: Body) -> Module:
    """Reads the declarations of a file."""
    module = Module(body)
    for attribute in body.attributes.values():
        module.findings.append(rules.BLOCK.finding(f"{attribute.name} = ... stands outside of a block", attribute.line))
    for block in body.blocks:
        if _is_sound(module, block):
            module.sound.append(block)
            _register(module, block)
    aliases = Counter((block.labels[0], _alias(block)) for block in module.providers)
    for (name, alias), count in aliases.items():
        if count > 1:
            module.findings.append(
                rules.DUPLICATE.finding(f"provider {name} {alias} is configured {count} times".replace("  ", " "))
            )
    return module


def _alias(block: Block) -> str:
    attribute = block.body.attributes.get("alias")
    return text_of(attribute.expression) if attribute and attribute.expression else ""


def _is_sound(module: Module, block: Block) -> bool:
    if block.type not in LABELS:
        module.findings.append(rules.BLOCK.finding(f"there is no block type {block.type!r}", block.line))
        return False
    if len(block.labels) != LABELS[block.type]:
        message = f"{block.type} has {LABELS[block.type]} labels, not {len(block.labels)}"
        module.findings.append(rules.BLOCK.finding(message, block.line))
        return False
    for label in block.labels:
        if not IDENTIFIER.fullmatch(label):
            module.findings.append(rules.NAME.finding(f"{label!r} is not a name: letters, digits, _ and -", block.line))
            return False
    return True


def _register(module: Module, block: Block) -> None:
    if block.type in OBJECTS:
        key = (block.type, *block.labels)
        _once(module, key in module.objects, block, ".".join(block.labels))
        module.objects.setdefault((key[0], key[1], key[2]), block)
    elif block.type == "locals":
        for name, attribute in block.body.attributes.items():
            _once(module, name in module.locals, block, f"local.{name}")
            module.locals.setdefault(name, attribute)
    elif block.type == "provider":
        module.providers.append(block)
    elif block.type in ("variable", "output", "module"):
        table = {"variable": module.variables, "output": module.outputs, "module": module.modules}[block.type]
        _once(module, block.labels[0] in table, block, block.labels[0])
        table.setdefault(block.labels[0], block)


def _once(module: Module, known: bool, block: Block, name: str) -> None:
    if known:
        module.findings.append(rules.DUPLICATE.finding(f"{block.type} {name} is declared twice", block.line))
