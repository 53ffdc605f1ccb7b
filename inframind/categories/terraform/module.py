"""The declarations of a root module: what a reference may lead to."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from inframind.categories.terraform import rules
from inframind.categories.terraform.syntax import Attribute, Block, Body, text_of
from inframind.types import Finding

LABELS = {
    "terraform": 0,
    "locals": 0,
    "moved": 0,
    "import": 0,
    "removed": 0,
    "provider": 1,
    "variable": 1,
    "output": 1,
    "module": 1,
    "check": 1,
    "resource": 2,
    "data": 2,
    "ephemeral": 2,
}
"""Top-level block types and their number of labels."""
OBJECTS = ("resource", "data", "ephemeral")
SOURCE = re.compile(r'\bsource\s*=\s*"([^"]+)"')
VERIFIED_SOURCE = re.compile(
    r"(?:registry\.(?:terraform\.io|opentofu\.org)/)?(?:hashicorp/)?([^/]+)"
    r"|terraform\.io/builtin/(terraform)"
)
# https://developer.hashicorp.com/terraform/language/syntax/configuration#identifiers
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
    sources: dict[str, str] = field(default_factory=dict)
    """Local name of a provider -> its type, where `required_providers` has a source; of other
    namespaces the whole source.
    """
    sound: list[Block] = field(default_factory=list)
    """Top-level blocks of known type with the right labels."""

    def uses(self, configured: Block) -> bool:
        """Tells whether an object, or a called module, may use this provider configuration."""
        wanted = f"{configured.labels[0]}.{_alias(configured)}".replace('"', "").rstrip(".")
        return bool(self.modules) or any(
            self._configuration_of(key) == wanted for key in self.objects
        )

    def _configuration_of(self, key: tuple[str, str, str]) -> str:
        argument = self.objects[key].body.attributes.get("provider")
        if argument and argument.expression:
            return text_of(argument.expression).strip('"')
        # The first word of the type is the provider's local name: meta-arguments/resource-provider.
        return key[1].partition("_")[0]

    @property
    def aliases(self) -> set[tuple[str, str]]:
        """(local name, alias) of the configured providers."""
        return {(block.labels[0], _alias(block).strip('"')) for block in self.providers}

    def provider_of(self, key: tuple[str, str, str]) -> str:
        """Finds the provider type of an object: from its `provider` argument, else from its type's
        first word.
        """
        local = self._configuration_of(key).partition(".")[0]
        return self.sources.get(local, local)

    def is_multiple(self, key: tuple[str, str, str]) -> bool:
        """Tells whether the object has count or for_each."""
        attributes = self.objects[key].body.attributes
        return "count" in attributes or "for_each" in attributes


def declare(body: Body) -> Module:
    """Reads the declarations of a file."""
    module = Module(body)
    for attribute in body.attributes.values():
        module.findings.append(
            rules.BLOCK.finding(f"{attribute.name} = ... stands outside of a block", attribute.line)
        )
    for block in body.blocks:
        if _is_sound(module, block):
            module.sound.append(block)
            _register(module, block)
    aliases = Counter((block.labels[0], _alias(block)) for block in module.providers)
    for (name, alias), count in aliases.items():
        if count > 1:
            module.findings.append(
                rules.DUPLICATE.finding(
                    f"provider {name} {alias} is configured {count} times".replace("  ", " ")
                )
            )
    return module


def _alias(block: Block) -> str:
    attribute = block.body.attributes.get("alias")
    return text_of(attribute.expression) if attribute and attribute.expression else ""


def _is_sound(module: Module, block: Block) -> bool:
    if block.type not in LABELS:
        module.findings.append(
            rules.BLOCK.finding(f"there is no block type {block.type!r}", block.line)
        )
        return False
    if len(block.labels) != LABELS[block.type]:
        message = f"{block.type} has {LABELS[block.type]} labels, not {len(block.labels)}"
        module.findings.append(rules.BLOCK.finding(message, block.line))
        return False
    for label in block.labels:
        if not IDENTIFIER.fullmatch(label):
            module.findings.append(
                rules.NAME.finding(f"{label!r} is not a name: letters, digits, _ and -", block.line)
            )
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
    elif block.type == "check":
        # Read with the check; Terraform lets nothing else refer to it.
        for data in block.body.named("data"):
            if len(data.labels) == 2:
                _register(module, data)
    elif block.type == "provider":
        module.providers.append(block)
    elif block.type == "terraform":
        module.sources.update(_sources(block))
    elif block.type in ("variable", "output", "module"):
        table = {"variable": module.variables, "output": module.outputs, "module": module.modules}[
            block.type
        ]
        _once(module, block.labels[0] in table, block, block.labels[0])
        table.setdefault(block.labels[0], block)


def _sources(block: Block) -> Iterator[tuple[str, str]]:
    for required in block.body.named("required_providers"):
        for name, attribute in required.body.attributes.items():
            source = SOURCE.search(text_of(attribute.expression)) if attribute.expression else None
            if source:
                verified = VERIFIED_SOURCE.fullmatch(source.group(1))
                yield (
                    name,
                    (verified.group(1) or verified.group(2)) if verified else source.group(1),
                )


def _once(module: Module, repeated: bool, block: Block, name: str) -> None:
    if repeated:
        module.findings.append(
            rules.DUPLICATE.finding(f"{block.type} {name} is declared twice", block.line)
        )
